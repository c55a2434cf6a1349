"""Shorter slugs."""


def shorten(slug: str, limit: int) -> str:
    """The slug cut to at most `limit` characters, at the end of a word where there is one."""
    if len(slug) <= limit:
        return slug
    if slug[limit] == "-":
        return slug[:limit]
    cut = slug[:limit]
    return cut.rpartition("-")[0] or cut
