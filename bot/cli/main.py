"""`fleet-bot`: finds the command, loads only that command's module, and turns errors into exit codes."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

import click

from bot import __version__
from bot.base.errors import ConfigurationError, FleetBotError
from bot.cli.secrets import take_secrets_from_argv

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("bot.cli.demo:demo", "The whole main job, with no key and no network."),
    "validate": ("bot.cli.validate:validate", "Check fleet.yaml and all playbooks; list all problems."),
    "plan": ("bot.cli.campaign:plan", "What would run where."),
    "propose": ("bot.cli.campaign:propose", "Run tasks and write proposals; needs no write access."),
    "publish": ("bot.cli.campaign:publish", "Gate, push, pull request and trace comment for finished proposals."),
    "run": ("bot.cli.campaign:run", "plan + propose + publish in one process."),
    "tunnel": ("bot.cli.tunnel:tunnel", "Fly a playbook in the wind tunnel; writes its certificate."),
    "fidelity": ("bot.cli.fidelity:fidelity", "Hold real runs against the trials of their certificate."),
    "virtual": ("bot.cli.virtual:virtual", "Virtual plugins of one's own."),
    "spec": ("bot.cli.spec:spec", "Expected behaviour: show that every rule can fail."),
    "trace": ("bot.cli.trace:trace", "Show, verify, compare, replay and export execution traces."),
    "status": ("bot.cli.status:status", "Where campaigns stand: proposals and their pull requests."),
    "doctor": ("bot.cli.doctor:doctor", "What is missing before a campaign can run."),
    "init": ("bot.cli.init:init", "Write the files of a new control repository."),
    "action": ("bot.cli.action:action", "The entry of the GitHub Action."),
    "virtual-github": ("bot.cli.virtual_github:virtual_github", "Serve a virtual GitHub on loopback."),
}
"""Name → (`module:attribute`, the line in --help). Modules load when their command runs, so --help loads none."""
TRACEBACK = "FLEET_BOT_TRACEBACK"
"""Environment variable that has unforeseen errors told with where they happened."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one that is asked for."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            msg = f"{COMMANDS[cmd_name][0]} is no command"
            raise TypeError(msg)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in --help, from the table, so that nothing is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="fleet-bot")
def cli() -> None:
    """Maintain fleets of repositories with an AI agent that people can trust."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit with the contract's code: 0, 1, 2, 3 or 130."""
    words = list(sys.argv[1:] if argv is None else argv)
    signal.signal(signal.SIGTERM, _interrupted)
    sys.exit(_code(lambda: _click(take_secrets_from_argv(words))))


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:
    # A job that is cancelled, a container that stops: tidy up as after ^C.
    raise KeyboardInterrupt


def run(words: list[str]) -> int:
    """Run a command line and return the exit code."""
    return _code(lambda: _click(words))


def _click(words: list[str]) -> object:
    return cli.main(args=words, prog_name="fleet-bot", standalone_mode=False)


def _code(call: Callable[[], object]) -> int:
    """The exit code of a call, with what broke told in a sentence."""
    try:
        result = call()
    except (click.exceptions.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except FleetBotError as error:
        _tell(error)
        return error.exit_code
    except BrokenPipeError:
        # The reader of our output went away (`fleet-bot … | head`); nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _tell_unforeseen(f"{place}{error.strerror or error}.")
        return 1
    except Exception as error:  # noqa: BLE001 (the last border: a person gets a sentence, not a traceback)
        _tell_unforeseen(f"A mistake in fleet-bot, please report it: {type(error).__name__}: {error}")
        return 1
    return result if isinstance(result, int) else 0


def _tell_unforeseen(what: str) -> None:
    from bot.base.redact import Redactor

    cure = f"Set {TRACEBACK}=1 to see where in the program it happened."
    if os.environ.get(TRACEBACK):
        what, cure = f"{what}\n{traceback.format_exc()}", ""
    # Nobody knows what is quoted here, so at least what looks like a key is taken out.
    _tell(FleetBotError(Redactor([]).text(what), cure))


def _tell(error: FleetBotError) -> None:
    from bot.trace.inert import visible

    if isinstance(error, ConfigurationError):
        for problem in error.problems:
            click.echo(visible(str(problem)), err=True)
    # What a remote or a file said may be in it; it must not steer the terminal.
    click.echo(visible(f"error: {error.what}"), err=True)
    if error.cure:
        click.echo(visible(f"       {error.cure}"), err=True)
