"""`convert 5 mi km`."""

import sys

from units import convert


def main(words):
    """What to print, and the exit code."""
    value, source, target = words
    try:
        return f"{convert(float(value), source, target):g} {target}", 0
    except KeyError as unknown:
        return f"unknown unit: {unknown}", 2


if __name__ == "__main__":
    said, code = main(sys.argv[1:])
    print(said)
    sys.exit(code)
