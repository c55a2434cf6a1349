"""How bright a lamp has to be."""


def brightness(hour):
    """Percent at a full hour of the day, 0 to 23: dark by day, half in the evening, full at night."""
    if 6 <= hour < 18:
        return 0
    return 50 if hour <= 22 else 100
