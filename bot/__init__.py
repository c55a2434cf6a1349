"""fleet-bot: maintains fleets of repositories with an AI agent that people can trust."""

__version__ = "0.1.0"
