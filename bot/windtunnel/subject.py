"""What a certificate speaks of, as hashes of what there is now."""

from __future__ import annotations

from pathlib import Path

from bot import __version__
from bot.agent import prompts
from bot.agent.tools import TOOLS
from bot.base.canonical import digest, sha256
from bot.base.values import Playbook
from bot.ports import ModelId
from bot.windtunnel.certificate import Subject

_PROMPTS = Path(prompts.__file__).parent


def subject_of(playbook: Playbook, model: ModelId) -> Subject:
    """The subject of a flight, or of a campaign that asks whether it was certified."""
    texts = sorted((file.name, sha256(file.read_bytes())) for file in _PROMPTS.iterdir() if file.is_file())
    return Subject(
        playbook=playbook.id,
        playbook_version=playbook.version,
        playbook_hash=playbook.hash,
        rules_hash=digest([playbook.let, playbook.expect, playbook.outcome]),
        tools_hash=digest([tool.declaration for tool in TOOLS]),
        prompts_hash=digest(texts),
        model=model,
        bot_version=__version__,
    )
