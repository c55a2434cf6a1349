"""Small statistics."""

from tally.mean import mean
from tally.median import median

__all__ = ["mean", "median"]
__version__ = "1.4.2"
