"""Pages of a long list."""


def pages(items: int, size: int) -> int:
    """How many pages of `size` it takes to show all items; at least one, so that there is something to show."""
    if size < 1:
        raise ValueError("a page has at least one item")
    return items // size + 1


def window(page: int, last: int) -> list[int]:
    """The pages to offer beside the current one."""
    return [page]
