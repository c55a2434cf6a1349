"""Waits a little longer after each failure."""


def delays(first, factor=2.0, most=60.0):
    """Seconds to wait before each further try, without end."""
    delay = first
    while True:
        yield min(delay, most)
        delay *= factor
