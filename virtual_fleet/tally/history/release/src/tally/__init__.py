"""Small statistics."""

from tally.mean import mean

__all__ = ["mean"]
__version__ = "1.4.2"
