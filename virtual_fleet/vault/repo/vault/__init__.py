"""Keeps secrets apart from their names."""

__version__ = "2.0.1"


def masked(secret, shown=4):
    """The secret with all but its last characters hidden; short ones are hidden whole."""
    return "•" * len(secret) if len(secret) <= 2 * shown else "•" * (len(secret) - shown) + secret[-shown:]
