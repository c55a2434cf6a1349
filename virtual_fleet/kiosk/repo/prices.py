"""Prices in cents."""


def total(items, prices):
    """What a list of items costs. Raises KeyError for one without a price."""
    return sum(prices[item] for item in items)


def shown(cents):
    """Cents as people write them."""
    return f"{cents // 100}.{cents % 100:02d}"
