"""A flight report as markdown, as one HTML page and as JUnit XML."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from bot.task.store import PATCH
from bot.trace.comment import inert
from bot.windtunnel.report import FlightReport, ScenarioReport


def write_flight_report(report: FlightReport, folder: Path) -> None:
    """Write `report.json`, `report.md`, `report.html` and `junit.xml` into `folder`, and a page beside each trace that
    the report links.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for trace in _linked(report):
        _page(trace)
    (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    (folder / "report.md").write_text(markdown(report), encoding="utf-8")
    (folder / "report.html").write_text(html(report, folder), encoding="utf-8")
    (folder / "junit.xml").write_bytes(junit(report))


def _linked(report: FlightReport) -> set[Path]:
    rows = [trace for row in report.scenarios for trace in (row.trace, *(one.trace for one in row.failures))]
    return {Path(trace) for trace in (*rows, *(pair.trace for pair in report.twins)) if trace}


def _page(trace: Path) -> None:
    """The trace as a page beside it, unless it is there already: a trial's trace never changes."""
    from bot.trace.page.page import render

    page, patch = trace.with_suffix(".html"), trace.with_name(PATCH)
    if trace.is_file() and not page.is_file():
        page.write_text(render(trace, patch=patch.read_bytes() if patch.is_file() else b""), encoding="utf-8")


def headline(report: FlightReport) -> str:
    """What flew, in a line."""
    return f"{report.playbook} {report.version} with {report.model.name} ({report.model.adapter})"


def markdown(report: FlightReport) -> str:
    """For job summaries."""
    lines = [f"## {report.verdict}: {inert(headline(report))}", "", inert(report.why), ""]
    lines += ["| scenario | verdict | passed | rate | harm | rules that failed |", "|---|---|---|---|---|---|"]
    for row in report.scenarios:
        rules = ", ".join(f"`{inert(one.rule)}` ({one.trials} trials)" for one in row.failures)
        lines.append(
            f"| {inert(row.name)} | {row.verdict} | {row.passed} of {row.trials} | {rate(row)} | {row.harm} | {rules} |"
        )
    broken = [(row, one) for row in report.scenarios for one in row.failures]
    if broken:
        lines += ["", "### What went wrong", ""]
    for row, one in broken:
        where = f", event {one.seq}" if one.seq is not None else ""
        lines.append(f"- **{inert(one.rule)}** on {inert(row.name)}, seed {one.seed}{where}: {inert(one.reason)}")
        lines.append(f"  `{inert(one.trace)}`")
    return "\n".join(lines) + "\n"


def rate(row: ScenarioReport) -> str:
    """The interval of the pass rate, in words."""
    return f"{row.interval.low:.0%} to {row.interval.high:.0%}"


def html(report: FlightReport, folder: Path) -> str:
    """One self-contained page that lies in `folder`; traces are linked relative to it."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("bot.windtunnel", "templates"), autoescape=True)
    environment.filters["beside"] = lambda path: os.path.relpath(path, folder.absolute()) if path else ""
    environment.filters["page"] = lambda path: str(Path(path).with_suffix(".html"))
    data: dict[str, Any] = msgspec.to_builtins(report)
    return environment.get_template("report.html.j2").render(report=data, headline=headline(report))


def junit(report: FlightReport) -> bytes:
    """A test case a scenario, failed when it is not certified."""
    suite = ET.Element("testsuite", name=f"tunnel {report.playbook}", tests=str(len(report.scenarios)))
    errors = failures = 0
    for row in report.scenarios:
        case = ET.SubElement(suite, "testcase", classname=report.playbook, name=row.name)
        if row.verdict == "CERTIFIED":
            continue
        kind = "error" if row.verdict == "ERROR" else "failure"
        errors, failures = errors + (kind == "error"), failures + (kind == "failure")
        said = f"{row.verdict}: {row.passed} of {row.trials} passed, rate {rate(row)}, harm {row.harm}"
        element = ET.SubElement(case, kind, message=said)
        element.text = "\n".join(f"{one.rule} ({one.trials}x): {one.reason} [{one.trace}]" for one in row.failures)
    suite.set("failures", str(failures))
    suite.set("errors", str(errors))
    ET.indent(suite)
    data: bytes = ET.tostring(suite, encoding="utf-8", xml_declaration=True)
    return data + b"\n"
