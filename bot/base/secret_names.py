"""Which environment variables hold keys and tokens of ours."""

SECRET_NAMES: tuple[str, ...] = (
    "GEMINI_API_KEY",
    "GOOGLE_API_KEY",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "FLEET_BOT_APP_PRIVATE_KEY",
    "FLEET_BOT_EVENT_TOKEN",
)
"""Taken out of the process before anything of a repository runs."""
