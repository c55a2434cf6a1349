"""Errors as trackers send them, in the forms of their documentation, and as people paste them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from bot.base.errors import UsageError
from bot.fleet.branch import fix_branch
from bot.fleet.bug_report import find_report
from bot.fleet.error_reports import FoundError, commit_in, commit_of_version, error_of, versions_in
from bot.fleet.manifest import Manifest
from bot.fleet.stack_traces import headline

GOLDEN = Path(__file__).resolve().parent.parent.parent / "golden" / "errors"
SHA = "2f1e0d9c8b7a6f5e4d3c2b1a0f9e8d7c6b5a4f3e"


def golden(name: str) -> FoundError:
    return error_of(json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("name", "source", "branch", "commit", "service"),
    [
        ("sentry-python", "sentry", "fix/CALC-1A", SHA, "calc"),
        ("sentry-api-javascript", "sentry", "fix/sentry-1341191803", "9f8e7d6c5b", None),
        ("sentry-issue", "sentry", "fix/MY-FIRST-PLUGIN-4", None, "my-first-plugin"),
        ("sentry-java", "sentry", "fix/sentry-88120", "1f2e3d4c5b6a79881f2e3d4c5b6a79881f2e3d4c", "billing"),
        ("datadog-log", "datadog", "fix/datadog-c1726a66", SHA, "calc"),
        ("datadog-issue", "datadog", "fix/datadog-c1726a66", "ab12cd3", "names-service"),
        ("datadog-monitor", "datadog", "fix/datadog-5a1e77b2", "9f8e7d6c5b", "web-widget"),
    ],
)
def test_ticket_commit_and_service_are_found(
    name: str, source: str, branch: str, commit: str | None, service: str | None
) -> None:
    found = golden(name)
    assert (found.report.source, fix_branch(found.report), found.report.commit) == (source, branch, commit)
    assert service is None or service in found.services


def test_pythons_trace_is_written_as_python_writes_it() -> None:
    text = golden("sentry-python").report.text
    assert (
        "Traceback (most recent call last):\n"
        '  File "app.py", line 12, in main\n'
        "    total = add(1, 2)\n"
        '  File "calc.py", line 2, in add\n'
        "    return a - b\n"
        "AssertionError: add(1, 2) is -1"
    ) in text
    assert "Environment: production" in text


def test_javascripts_and_javas_traces_have_the_innermost_frame_first() -> None:
    assert (
        "TypeError: Cannot read properties of undefined (reading 'trim')\n"
        "    at slug (src/slug.js:3:15)\n"
        "    at handle (src/server.js:40:12)"
    ) in golden("sentry-api-javascript").report.text
    assert (
        "java.lang.IllegalStateException: no rate for XAU\n"
        "    at com.acme.billing.Rates.of(Rates.java:77)\n"
        "    at com.acme.billing.Main.main(Main.java:21)"
    ) in golden("sentry-java").report.text


def test_an_issue_with_stack_trace_version_and_commit() -> None:
    text = (
        "BILL-204: nightly run stops\n\nVersion: 2.4.0+g0a1b2c3\n\n```\n"
        'Exception in thread "main" java.lang.RuntimeException: cannot load\n'
        "\tat com.acme.Main.main(Main.java:9)\n"
        "Caused by: java.io.FileNotFoundException: rates.csv\n\tat com.acme.Rates.load(Rates.java:30)\n```\n"
    )
    report = error_of(text).report
    assert (report.ticket, report.commit, report.source) == ("BILL-204", "0a1b2c3", "text")
    assert report.title == "java.io.FileNotFoundException: rates.csv"
    assert report.text == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\n    g()\nKeyError: 'x'\n",
            "KeyError: 'x'",
        ),
        ("boom\nUncaught RangeError: too deep\n    at f (a.js:1:2)", "RangeError: too deep"),
        ("nothing here", None),
    ],
)
def test_the_line_that_says_what_happened(text: str, line: str | None) -> None:
    assert headline(text) == line


@pytest.mark.parametrize(
    ("version", "commit"),
    [
        ("app@9f8e7d6", "9f8e7d6"),
        ("1.4.2+g1a2b3c4", "1a2b3c4"),
        ("v1.4.2-3-g1a2b3c4", "1a2b3c4"),
        (SHA, SHA),
        ("1.4.2", None),
        ("app@20261021", None),
        ("app@1.0.0", None),
    ],
)
def test_commits_in_versions(version: str, commit: str | None) -> None:
    assert commit_of_version(version) == commit


@pytest.mark.parametrize(
    ("text", "versions"),
    [
        ("Version: 1.4.2", ("1.4.2",)),
        ("> **Release**: `v1.4.2`", ("v1.4.2",)),
        ("### Version or commit\n\n1.4.2", ("1.4.2",)),
        ("### Version or commit\r\n\r\ncalc v1.4.2-rc.1, from PyPI\r\n", ("v1.4.2-rc.1",)),
        ("## Version\n1.4.2+g1a2b3c4", ("1.4.2+g1a2b3c4",)),
        ("### Version or commit\n\ncommit 9f8e7d6", ()),
        ("### Version or commit\n\n_No response_", ()),
        ("### Version or commit\n\n### What happens in 1.4.2", ()),
        ("### Version or commit\n\n10.0.0.1:8080 or 1.4.2_x", ()),
        ("It broke in version 1.4.2 at commit 9f8e7d6.", ("1.4.2",)),
        ("In version 1.4.2: nothing works", ("1.4.2",)),
        ("Version or commit: 1.4.2", ("1.4.2",)),
        ("Seen with the release v2.0.", ("v2.0",)),
        ("It worked in version 1.3.0, and broke in version 1.4.2.", ("1.4.2",)),
        ("### What happens\n\nsince version 1.3.0\n\n### Version or commit\n\n1.4.2", ("1.4.2", "1.3.0")),
        ("Fixed in version 1.5.0?", ()),
        ("With Python version 3.11.2 and in version 2.31.0 of requests", ()),
        ("Version mismatch when it starts", ()),
        ("version 7", ("7",)),
    ],
)
def test_versions_in_a_report(text: str, versions: tuple[str, ...]) -> None:
    assert versions_in(text) == versions


def test_the_examples_of_the_issue_form_are_read(project: Path) -> None:
    form = project / "bot" / "fleet" / "control" / "files" / "github" / "ISSUE_TEMPLATE" / "fix.yml"
    assert "label: Version or commit" in form.read_text(encoding="utf-8")
    assert "such as 1.4.2 or commit 9f8e7d6" in form.read_text(encoding="utf-8")
    asked = "### Plugin\n\ncalc\n\n### What happens\n\nIt breaks.\n\n### Version or commit\n\n"
    assert (versions_in(asked + "1.4.2"), commit_in(asked + "1.4.2")) == (("1.4.2",), None)
    for commit in ("commit 9f8e7d6", "9f8e7d6"):
        assert (versions_in(asked + commit), commit_in(asked + commit)) == ((), "9f8e7d6")
    prose = "It broke in version 1.4.2 at commit 9f8e7d6."
    assert (error_of(prose).report.version, error_of(prose).report.commit) == ("1.4.2", "9f8e7d6")


@pytest.mark.parametrize("word", ["a", " ", "\n", "in ", "in version ", "# version\n", "1.", "in version 1.1-1"])
def test_a_long_report_is_read_in_no_time(word: str) -> None:
    begin = time.process_time()
    versions_in(word * (200_000 // len(word)))
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("value", [{}, [], {"a": {"b": [1, None]}}, "", "{", {"exception": {"values": "no"}}, 7, None])
def test_whatever_is_sent_it_ends_in_a_report_and_a_harmless_branch(value: object) -> None:
    assert fix_branch(error_of(value).report).startswith("fix/bug-")


def test_a_ticket_that_is_no_branch_becomes_a_word() -> None:
    event = json.loads((GOLDEN / "sentry-python.json").read_text(encoding="utf-8"))
    event["data"]["event"]["shortId"] = "../../main; rm -rf $(id)"
    event["data"]["event"]["web_url"] = "javascript:alert(1)"
    report = error_of(event).report
    assert fix_branch(report) == "fix/main-rm--rf-id"
    assert report.url is None


def test_an_error_report_file_on_the_command_line() -> None:
    def report(**more: str | None) -> tuple[str | None, str | None, str]:
        given = {"bug": None, "issue": None} | more
        found = find_report(
            **given,
            file=GOLDEN / "datadog-log.json",
            plugins=(),
            manifest=Manifest(file=Path("fleet.yaml")),
            fetch=lambda repo, number: pytest.fail("nothing to fetch"),
        )
        assert found is not None
        return found.ticket, found.commit, found.source

    assert report() == ("datadog-c1726a66", SHA, "datadog")
    assert report(issue="TICKET-123") == ("TICKET-123", SHA, "datadog")


def test_an_empty_file_is_no_report(tmp_path: Path) -> None:
    file = tmp_path / "error.txt"
    file.write_text("\n")
    with pytest.raises(UsageError, match="empty"):
        find_report(
            bug=None,
            issue=None,
            file=file,
            plugins=(),
            manifest=Manifest(file=Path("fleet.yaml")),
            fetch=lambda repo, number: pytest.fail("nothing to fetch"),
        )
