"""Greetings."""

WORDS = {"en": "Hello", "de": "Hallo", "sv": "Hej"}


def greet(name, language="en"):
    """A greeting; unknown languages get English."""
    return f"{WORDS.get(language, WORDS['en'])}, {name}!"
