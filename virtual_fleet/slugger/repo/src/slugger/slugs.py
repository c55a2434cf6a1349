"""Slugs from titles."""

import re
import unicodedata


def slugify(title: str) -> str:
    """The title in lower case, ASCII letters and digits, words joined by single hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]", "-", plain.lower())
    slug = re.sub(r"-+", "-", slug)
    if slug[0] == "-":
        slug = slug[1:]
    return slug[:-1] if slug[-1] == "-" else slug
