"""Titles in, slugs out."""

from slugger.shorten import shorten
from slugger.slugs import slugify

__all__ = ["shorten", "slugify"]
