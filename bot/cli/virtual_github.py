"""`fleet-bot virtual-github`: the virtual GitHub alone, until it is interrupted."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click
import msgspec

from bot.base.errors import UsageError


@click.command("virtual-github")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of bare repositories <owner>/<name>.git; issues and pull requests are kept beside them.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 takes a free one.")
@click.option("--token", help="The one token that is taken. Without it, any token is.")
@click.option("--login", default="fleet-bot", show_default=True, help="Whose token it is.")
@click.option("--topic", "topics", multiple=True, metavar="OWNER/NAME=WORD", help="Give a repository a topic.")
@click.option("--person", "people", multiple=True, metavar="LOGIN=TOKEN", help="Somebody else, with a token to write.")
def virtual_github(
    root: Path, port: int, token: str | None, login: str, topics: tuple[str, ...], people: tuple[str, ...]
) -> int:
    """Serve a virtual GitHub on loopback: REST, git over HTTP and web pages.

    Prints one JSON line with `url` and `api_url` when it is ready, and runs until SIGINT or SIGTERM.
    """
    from bot.virtual.github.server import VirtualGitHub

    stop = threading.Event()
    caught: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        stop.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        known = {key: who for who, key in (_halves("--person", "LOGIN=TOKEN", one) for one in people)}
        with VirtualGitHub(root, token=token, login=login, people=known, port=port) as github:
            for name, topic in (_halves("--topic", "OWNER/NAME=WORD", one) for one in topics):
                if not github.add_topic(name, topic):
                    raise UsageError(
                        f"{name} is not in {root}.", f"Make {root}/OWNER/NAME.git first, a bare repository."
                    )
            sys.stdout.write(msgspec.json.encode({"url": github.url, "api_url": github.api_url}).decode() + "\n")
            sys.stdout.flush()
            while not stop.wait(3600):
                pass
    except OSError as error:
        msg = f"The port {port} cannot be used: {error.strerror}."
        raise UsageError(msg, "Choose another one, or leave --port out.") from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 130 if caught and caught[0] == signal.SIGINT else 0


def _halves(option: str, form: str, given: str) -> tuple[str, str]:
    first, _, second = given.partition("=")
    if not first or not second:
        raise UsageError(f"{option} {given} is not of the form {form}.", f"Write {option} {form}.")
    return first, second
