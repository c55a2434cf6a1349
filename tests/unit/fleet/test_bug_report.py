"""What somebody reported, from the command line to a report."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.errors import UsageError
from bot.base.values import Plugin, Report
from bot.fleet.bug_report import Reference, commit_in, find_report, parse_reference
from bot.fleet.manifest import Manifest

FLEET = Manifest(
    file=Path("fleet.yaml"),
    plugins=(
        Plugin(name="one", repo="acme/one"),
        Plugin(name="two", repo="acme/two"),
        Plugin(name="here", repo="/srv/here"),
    ),
)


def never(repo: str, number: int) -> Report:
    raise AssertionError(repo, number)


def fetched(repo: str, number: int) -> Report:
    return Report(text=f"Seen in {repo}, number {number}, at commit 1234abc.", title="Seen", source="issue")


def report(
    bug: str | None = None, issue: str | None = None, file: Path | None = None, plugins: tuple[str, ...] = ("one",)
) -> Report | None:
    fetch = fetched if issue and "TICKET" not in issue else never
    return find_report(bug=bug, issue=issue, file=file, plugins=plugins, manifest=FLEET, fetch=fetch)


def test_nothing_given_is_no_report() -> None:
    assert report() is None


def test_words_are_a_report() -> None:
    assert report("slug('') fails\nRevision: deadbeef1") == Report(
        text="slug('') fails\nRevision: deadbeef1", title="slug('') fails", commit="deadbeef1"
    )


def test_words_can_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "bug.txt"
    file.write_bytes(b"\xef\xbb\xbfIt fails.\r\n")
    for found in (report(f"@{file}"), report(file=file)):
        assert found is not None
        assert found.text == "It fails.\n"


def test_a_report_that_begins_with_its_ticket_is_called_by_it_and_the_title_does_not_say_it_twice() -> None:
    found = report("BLOG-412: an empty title fails\n\nIt should not.")
    assert found is not None
    assert (found.ticket, found.title) == ("BLOG-412", "an empty title fails")
    assert found.text.startswith("BLOG-412:")


@pytest.mark.parametrize("words", ["UTF-8 names fail", "utf-8 names fail", "CVE-2026-1234 is open", "RFC-2616 says no"])
def test_a_standard_is_no_ticket(words: str) -> None:
    found = report(words)
    assert found is not None
    assert (found.ticket, found.title) == (None, words)


def test_a_ticket_of_another_system_gives_the_name_and_the_words_give_the_text() -> None:
    found = report("It fails.", "TICKET-123")
    assert found is not None
    assert (found.ticket, found.issue, found.text) == ("TICKET-123", None, "It fails.")
    with pytest.raises(UsageError, match="TICKET-123 is no issue that can be read here"):
        report(issue="TICKET-123")


@pytest.mark.parametrize("issue", ["7", "#7", "acme/one#7", "https://github.com/acme/one/issues/7"])
def test_an_issue_of_the_forge_is_read_and_fixed_by_name(issue: str) -> None:
    found = report(issue=issue)
    assert found is not None
    assert (found.ticket, found.issue, found.title, found.source) == ("issue-7", "acme/one#7", "Seen", "issue")
    assert found.text.startswith("Seen in acme/one, number 7")
    assert found.commit == "1234abc"


def test_words_beside_an_issue_are_added_to_it() -> None:
    found = report("Also on Windows.", "7")
    assert found is not None
    assert found.text.endswith("\n\nAlso on Windows.")


def test_a_number_alone_needs_one_repository() -> None:
    with pytest.raises(UsageError, match="not clear which repository"):
        report(issue="7", plugins=())


def test_a_folder_has_no_issue_to_close() -> None:
    found = find_report(bug=None, issue="7", file=None, plugins=("here",), manifest=FLEET, fetch=fetched)
    assert found is not None
    assert found.issue is None


@pytest.mark.parametrize("bug", ["", "  \n"])
def test_an_empty_report_is_a_mistake(bug: str) -> None:
    with pytest.raises(UsageError, match="report is empty"):
        report(bug)


def test_a_report_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        report(file=tmp_path / "none")


def test_a_very_long_report_is_cut_in_the_middle() -> None:
    found = report("begin" + "x" * 500_000 + "end")
    assert found is not None
    assert len(found.text) < 201_000
    assert found.text.startswith("begin")
    assert found.text.endswith("end")
    assert "300008 characters left out" in found.text


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("42", Reference(ticket="issue-42", number=42)),
        ("007", Reference(ticket="issue-7", number=7)),
        ("a/b#7", Reference(ticket="issue-7", repo="a/b", number=7)),
        ("PROJ_X-1", Reference(ticket="PROJ_X-1")),
        (
            "https://ghe.example.org/a/b/issues/7/",
            Reference(ticket="issue-7", repo="a/b", number=7, url="https://ghe.example.org/a/b/issues/7/"),
        ),
        (
            "https://acme.atlassian.net/browse/TICKET-9",
            Reference(ticket="TICKET-9", url="https://acme.atlassian.net/browse/TICKET-9"),
        ),
    ],
)
def test_an_issue_can_be_written_in_many_ways(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-x",
        "main",
        "$(id)",
        "a;b",
        "https://github.com/a/b",
        "https://github.com/../b/issues/7",
        "../b#7",
        "7 7",
        "T-1\n-x",
    ],
)
def test_what_is_no_issue_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no issue"):
        parse_reference(text)


@pytest.mark.parametrize(
    ("text", "commit"),
    [
        ("commit 1a2b3c4", "1a2b3c4"),
        ("Commit: `1A2B3C4D`", "1a2b3c4d"),
        ("git_sha=0123456789abcdef0123456789abcdef01234567", "0123456789abcdef0123456789abcdef01234567"),
        ('"commit_id": "1a2b3c4"', "1a2b3c4"),
        ("the sha is 1a2b3c4.", "1a2b3c4"),
        ("revision (1a2b3c4)", "1a2b3c4"),
        ("commit defaced, then commit 1a2b3c4", "1a2b3c4"),
        ("commit " + "1" * 40, "1" * 40),
        ("revision 1234567", None),
        ("1a2b3c4", None),
        ("commit 1a2b3", None),
        ("commit " + "a1" * 30, None),
        ("committed 1a2b3c4", None),
    ],
)
def test_a_commit_is_found_after_words_that_announce_one(text: str, commit: str | None) -> None:
    assert commit_in(text) == commit


@given(st.text(max_size=200))
def test_what_is_found_in_a_report_is_always_a_commit(text: str) -> None:
    found = commit_in(text)
    assert found is None or (7 <= len(found) <= 40 and set(found) <= set("0123456789abcdef"))
