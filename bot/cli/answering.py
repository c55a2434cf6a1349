"""What is said under the issues that asked: that they were seen, and what became of it. Saying nothing ends no run."""

from __future__ import annotations

import click
import msgspec

from bot.base.errors import FleetBotError, ForgeError
from bot.fleet.report import CampaignReport
from bot.gha import ending
from bot.gha.event import Event, text_digest
from bot.gha.plan_file import Asked, PlanFile
from bot.gha.polling import mark
from bot.trace.inert import inert
from bot.wiring import Wiring

_MARK = "<!-- fleet-bot:status -->"
_LOOK_FAILED = "Nothing was run for the label, because the whole look failed; the next look tries again."
"""Not why: that may be about another plugin, which not everybody here may know of."""


class Answering:
    """The issue of the event, and those that were found by polling."""

    def __init__(self, asked: Asked | None, event: Event, wiring: Wiring) -> None:
        """`asked` is the issue of the event, if there is one and it asks."""
        self.asked, self._event, self._wiring = asked, event, wiring
        self.polled: list[Asked] = []
        """Those that were found by polling and are not answered yet."""

    def acknowledge(self) -> Asked | None:
        """Show that the request was seen, and look whether its text is still the one that the label was set on.

        Which setting of the label asks, by which polling knows that it is answered, does not stand in the event.
        """
        asked, issue = self.asked, self._event.issue
        if asked is None or issue is None:
            return None
        desk = self._wiring.desk
        try:
            desk.seen(asked.repo, asked.number)
            edited = text_digest(*desk.words(asked.repo, asked.number)) != issue.digest
            setting = desk.setting(asked.repo, asked.number, issue.label)
        except ForgeError as error:
            click.echo(f"The issue cannot be answered: {error}", err=True)
            return asked
        note = "The issue was edited after the label was set; the run used the text from before." if edited else ""
        return msgspec.structs.replace(asked, note=note, event=setting)

    def ended(self, plan: PlanFile, reports: list[CampaignReport]) -> None:
        """Tell the issue of the event what became of it."""
        if plan.asked is not None:
            said = ending.answer(plan, reports, self._event.run_url)
            self._answer(plan.asked, f"{mark(plan.asked.event)}\n{said}" if plan.asked.event else said)

    def ended_polled(self, plan: PlanFile, reports: list[CampaignReport]) -> None:
        """One comment under each issue that was found by polling, by the token that may write there."""
        of = {report.campaign: report for report in reports}
        for campaign, asked in plan.polled.items():
            said = ending.answer(msgspec.structs.replace(plan, asked=asked), [of[campaign]], self._event.run_url)
            self._answer_polled(asked, f"{mark(asked.event)}\n{said}")

    def refused(self, asked: Asked, error: FleetBotError) -> None:
        """Tell an issue that was found by polling why its campaign is refused; each look asks for it again."""
        self.polled.remove(asked)
        # Without a link to this run: what did not change is not written anew by each look.
        self._answer_polled(asked, _why(error))

    def failed(self, error: FleetBotError) -> None:
        """Tell every issue that asked, and is not answered yet, that nothing came of it."""
        if self.asked is not None:
            link = f"\n\n[The run]({self._event.run_url})" if self._event.run_url else ""
            self._answer(self.asked, _why(error) + link)
        while self.polled:
            self._answer_polled(self.polled.pop(), _LOOK_FAILED)

    def _answer(self, asked: Asked, text: str) -> None:
        try:
            self._wiring.desk.answer(asked.repo, asked.number, _MARK, self._wiring.redactor.text(text))
        except ForgeError as error:
            click.echo(f"The issue cannot be answered: {error}", err=True)

    def _answer_polled(self, asked: Asked, text: str) -> None:
        try:
            desk = self._wiring.desk_of(asked.repo, talk=True)
            desk.answer(asked.repo, asked.number, _MARK, self._wiring.redactor.text(text))
        except FleetBotError as error:
            click.echo(f"The issue {asked.repo}#{asked.number} cannot be answered: {error}", err=True)


def _why(error: FleetBotError) -> str:
    return f"This cannot be run: {inert(str(error))}"
