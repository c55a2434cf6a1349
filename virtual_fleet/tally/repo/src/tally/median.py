"""The median."""


def median(values):
    """The value in the middle, or the mean of the two. Raises ValueError for no values."""
    values = sorted(values)
    if not values:
        raise ValueError("values: the median of nothing")
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2
