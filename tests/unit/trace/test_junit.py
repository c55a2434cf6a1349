"""JUnit XML from many runners, and from people who mean harm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.trace.commands import junit


def test_every_result_has_its_name_and_status() -> None:
    xml = b"""<?xml version="1.0" encoding="utf-8"?>
    <testsuites><testsuite name="outer"><testsuite name="inner">
      <testcase classname="a.B" name="ok"/>
      <testcase classname="a.B" name="no"><failure message="x">trace</failure></testcase>
      <testcase classname="a.B" name="broken"><error/></testcase>
      <testcase classname="a.B" name="both"><failure/><error/></testcase>
      <testcase classname="a.B" name="not now"><skipped/></testcase>
      <testcase name="bare" file="x_test.js"/>
      <testcase/>
    </testsuite></testsuite></testsuites>"""
    assert junit(xml) == {
        "a.B::ok": "passed",
        "a.B::no": "failed",
        "a.B::broken": "error",
        "a.B::both": "error",
        "a.B::not now": "skipped",
        "x_test.js::bare": "passed",
        "(no name)": "passed",
    }


def test_names_that_occur_again_are_told_apart() -> None:
    xml = b"<testsuite><testcase name='a'/><testcase name='a'><failure/></testcase><testcase name='a'/></testsuite>"
    assert junit(xml) == {"a": "passed", "a#2": "failed", "a#3": "passed"}


def test_a_test_that_the_runner_repeated_until_it_passed_passed() -> None:
    xml = b"<testsuite><testcase name='a'><flakyFailure/></testcase><testcase name='b'><failure/>"
    xml += b"<rerunFailure/></testcase></testsuite>"
    assert junit(xml) == {"a": "passed", "b": "failed"}


def test_attributes_say_that_a_test_was_skipped_where_elements_do_not() -> None:
    xml = b"<testsuite><testcase name='a' status='notrun'/><testcase name='b' status='run'/></testsuite>"
    assert junit(xml) == {"a": "skipped", "b": "passed"}


def test_a_name_space_changes_nothing() -> None:
    assert junit(b"<testsuite xmlns='urn:x'><testcase name='a'><failure/></testcase></testsuite>") == {"a": "failed"}


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"no xml",
        b"<testsuite>",
        b"<html/>",
        b"<?xml version='1.0' encoding='nonsense'?><testsuite/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>',
        b'<!doctype x SYSTEM "file:///etc/passwd"><testsuite/>',
        '<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>'.encode("utf-16"),
        b"\xff\xfe<testsuite/>",
    ],
)
def test_what_is_no_junit_or_declares_entities_is_refused(xml: bytes) -> None:
    with pytest.raises(ValueError, match="XML"):
        junit(xml)


@given(st.binary(max_size=200))
def test_anything_else_is_refused_and_nothing_worse(data: bytes) -> None:
    with pytest.raises(ValueError, match="XML"):
        junit(data)


def test_what_pytest_writes_is_read(tmp_path: Path) -> None:
    (tmp_path / "test_x.py").write_text(
        "import pytest\n@pytest.mark.parametrize('x', ['<&>', 'b'])\ndef test_a(x): assert x == 'b'\n"
        "@pytest.fixture\ndef bad(): 1/0\ndef test_c(bad): pass\ndef test_d(): pytest.skip('x')\n"
    )
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=r.xml"],
        cwd=tmp_path,
        capture_output=True,
        env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )
    assert junit((tmp_path / "r.xml").read_bytes()) == {
        "test_x::test_a[<&>]": "failed",
        "test_x::test_a[b]": "passed",
        "test_x::test_c": "error",
        "test_x::test_d": "skipped",
    }
