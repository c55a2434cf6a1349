"""The command line: parses once, hands frozen values down, prints, and returns an exit code."""
