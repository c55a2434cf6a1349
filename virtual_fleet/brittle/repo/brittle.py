"""Durations, written out."""


def written(seconds):
    """`90` as `1 minute, 30 seconds`."""
    minutes, rest = divmod(seconds, 60)
    parts = ["%d minute%s" % (minutes, "s" * (minutes > 1)), "%d seconds" % rest]
    return ", ".join(parts)
