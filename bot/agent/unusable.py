"""Replies that are neither text nor calls we may execute: what the model is told, how often, and how it ends."""

from __future__ import annotations

import msgspec

from bot.base.messages import Finish

NUDGES = 3
"""Unusable replies in a row that are answered with a nudge; the next one ends the run."""
PROMPT_BLOCKED = "PROMPT_BLOCKED"
"""How `Reply.finish_raw` begins when not the answer but our prompt was blocked: asking again cannot help."""


class Handling(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of unusable reply is dealt with."""

    nudge: str
    gave_up: str
    """What the reason says when it goes on like that."""
    nudges: int = NUDGES
    force_from: int | None = None
    """From which nudge on the provider is asked to answer with a call."""


UNUSABLE: dict[Finish, Handling] = {
    "malformed_call": Handling(
        nudge="Your tool call could not be read. Make one call at a time, as a function call with valid JSON "
        "arguments, not as code and not as text. Put long content into several smaller calls.",
        gave_up="The model kept making tool calls that cannot be read",
        force_from=2,
    ),
    "unexpected_call": Handling(
        nudge="You called a tool that does not exist, or too many at once. Use only these: {tools}.",
        gave_up="The model kept calling tools that do not exist",
    ),
    "max_tokens": Handling(
        nudge="Your answer was cut off at the output limit, and nothing of it was executed. Take smaller steps: "
        "edit_file with small pieces, and short texts.",
        gave_up="The model's answers kept being longer than its output limit",
    ),
    "blocked": Handling(
        nudge="The provider withheld your answer. Do not quote long passages of what you read; make the change with "
        "edit_file.",
        gave_up="The provider blocked the model's answers",
        nudges=1,
    ),
    "empty": Handling(
        nudge="Your answer was empty. Go on with a tool call, or, when you are done, say in plain text what you did.",
        gave_up="The model kept answering with nothing",
    ),
    "other": Handling(
        nudge="Your answer ended early, and nothing of it was executed. Please go on.",
        gave_up="The model's answers kept ending early",
        nudges=2,
    ),
}
"""Every finish but `stop`."""


def handling(finish: Finish, finish_raw: str) -> Handling:
    """How such a reply is dealt with."""
    known = UNUSABLE[finish]
    if finish == "blocked" and finish_raw.startswith(PROMPT_BLOCKED):
        return msgspec.structs.replace(known, nudges=0, gave_up="The provider blocked the prompt")
    return known
