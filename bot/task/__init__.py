"""One task: from a checkout to a sealed proposal."""
