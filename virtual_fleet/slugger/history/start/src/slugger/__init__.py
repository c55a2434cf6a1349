"""Titles in, slugs out."""

from slugger.slugs import slugify

__all__ = ["slugify"]
