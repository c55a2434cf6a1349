"""Units of length and their conversion, in metres."""

METRES = {"m": 1.0, "km": 1000.0, "ft": 0.3048, "mi": 1609.344}


def convert(value, source, target):
    """A length in another unit. Raises KeyError for units that are not known."""
    return value * METRES[source] / METRES[target]
