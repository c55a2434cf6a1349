"""The ground floor: values, errors and small tools that import nothing else of ours."""
