"""An agent edits files of every encoding and line ending, and runs tests that leave things lying about: what it did not
touch stays byte for byte, and only what it meant to change is committed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml
from raw_git import Content, raw_blob, raw_commit, raw_tree
from small_playbooks import EDIT_EVERY_FILE
from small_world import World, git

# Each holds the word `old` once; what stands around it must stay as it is.
FILES: dict[str, bytes] = {
    "plain.txt": "grün old\nzwei\n".encode(),
    "bom.txt": b"\xef\xbb\xbfone old\ntwo\n",
    "crlf.txt": b"one\r\ntwo old\r\nthree\r\n",
    "mixed.txt": b"one\r\ntwo old\nthree\r\nfour\n",
    "cr.txt": b"one\rtwo old\rthree\r",
    "bom-crlf.txt": b"\xef\xbb\xbfone\r\nold\r\n",
    "utf16le.txt": b"\xff\xfe" + "eins\r\nold ß\r\n".encode("utf-16-le"),
    "utf16be.txt": b"\xfe\xff" + "old €\n".encode("utf-16-be"),
    "latin1.txt": "caf\xe9 old \xff\n".encode("latin-1"),
    "no-end.txt": b"one\nold",
    "blank ends.txt": b"one  \n\told\t \n\n\n",
    "nul.bin": b"\x00old\x01",
    "form\u2028feed.txt": "a\x0cb\u2028old\n".encode(),
    "run.sh": b"#!/bin/sh\necho old\n",
}
MODES = {"run.sh": "100755"}
BINARY = "nul.bin"


def calls_for(path: str) -> list[dict[str, Any]]:
    return [{"edit_file": {"path": path, "old": "old", "new": "new"}}]


def test_an_edit_keeps_encoding_mark_line_ends_and_mode(world: World) -> None:
    world.playbook("edit", EDIT_EVERY_FILE)
    world.settings["policy"] = {"binaries": True}  # what UTF-16 is for git
    work = world.plugin("many", None)
    raw_commit(
        work, {path: (MODES.get(path, "100644"), data) for path, data in FILES.items()} | {"untouched": b"\r\n\xff"}
    )
    git(work, "push", "--quiet", "origin", "main")
    calls = [call for path in FILES for call in calls_for(path)]
    rules = {"rules": [{"when": {"step": 0}, "calls": calls}, {"say": "Done."}]}
    world.script("many", "edit", yaml.safe_dump(rules, allow_unicode=True))
    done = world.run("edit")
    row = done.task("many")
    assert row["outcome"] == "changed", (row["reason"], done.err)
    branch = f"refs/heads/{row['branch']}"
    for path, data in FILES.items():
        wide = "utf-16-be" if data.startswith(b"\xfe\xff") else "utf-16-le" if data.startswith(b"\xff\xfe") else "ascii"
        wanted = data if path == BINARY else data.replace("old".encode(wide), "new".encode(wide))
        assert raw_blob(world.bare("many"), branch, os.fsencode(path)) == wanted, path
    assert raw_blob(world.bare("many"), branch, b"untouched") == b"\r\n\xff"
    assert raw_tree(world.bare("many"), branch)[b"run.sh"][0] == "100755"


LEAVES = """
from pathlib import Path


def test_it():
    Path("report.log").write_text("left behind")
    Path("data.json").write_text("rewritten")
    Path("caf\\udce9").write_text("x")
    assert "old" not in Path("a.txt").read_text()
"""


def test_what_the_tests_leave_behind_is_not_the_agents_change(world: World) -> None:
    world.playbook("edit", EDIT_EVERY_FILE)
    files: dict[str, str | bytes] = {"test_it.py": LEAVES, "data.json": "{}\n", "a.txt": "old\n", "kept.log": "k\n"}
    world.plugin(
        "leaves",
        files,
        test="python -m pytest -q --disable-plugin-autoload -p no:cacheprovider --disable-plugin-autoload",
    )
    run = {
        "run_shell_command": {"command": "python -m pytest -q --disable-plugin-autoload; git add -A; git commit -qm x"}
    }
    write = {"write_file": {"path": "notes.md", "content": "meant\n"}}
    rules = {"rules": [{"when": {"step": 0}, "calls": [*calls_for("a.txt"), write, run]}, {"say": "Done."}]}
    world.script("leaves", "edit", yaml.safe_dump(rules))
    done = world.run("edit")
    row = done.task("leaves")
    assert row["outcome"] == "changed", (row["reason"], done.err)
    assert row["files"] == ["a.txt", "notes.md"]
    branch = f"refs/heads/{row['branch']}"
    assert raw_tree(world.bare("leaves"), branch).keys() == {
        b"test_it.py",
        b"data.json",
        b"a.txt",
        b"kept.log",
        b"notes.md",
    }
    assert raw_blob(world.bare("leaves"), branch, b"data.json") == b"{}\n"


ODD: dict[str | bytes, Content] = {
    b"caf\xe9.txt": "old\n",
    "new\nline.txt": "x\n",
    "-rf": "x\n",
    "Case": "x\n",
    "case": "y\n",
    "out": ("120000", "/etc/passwd"),
    "sub": ("160000", "1" * 40),
    "a.txt": "old\n",
}


WRONG = ("../../etc/passwd", "out", "sub/../../x", ".git/config", "case/x")


def test_odd_trees_are_listed_and_searched_and_nobody_leaves_them(world: World) -> None:
    """Calls that go where they must not are answered with an error; the run goes on, and the tree is unharmed."""
    world.playbook("edit", EDIT_EVERY_FILE)
    work = world.plugin("odd", None)
    raw_commit(work, ODD)
    git(work, "push", "--quiet", "origin", "main")
    before = Path("/etc/passwd").read_bytes()
    looks: list[dict[str, Any]] = [{"list_files": {"path": "."}}, {"search_files": {"pattern": "old"}}]
    wrong = [{"write_file": {"path": path, "content": "fleet-bot was here\n"}} for path in WRONG]
    rules = {"rules": [{"when": {"step": 0}, "calls": [*looks, *wrong, *calls_for("a.txt")]}, {"say": "Done."}]}
    world.script("odd", "edit", yaml.safe_dump(rules))
    done = world.run("edit")
    row = done.task("odd")
    assert row["outcome"] == "changed", (row["reason"], done.err)
    assert row["files"] == ["a.txt"]
    trace = [json.loads(line) for line in Path(row["trace"]).read_text(encoding="utf-8").splitlines()]
    asked = {line["call"]: line["args"].get("path") for line in trace if line["event"] == "tool_requested"}
    failed = [asked[line["call"]] for line in trace if line["event"] in {"tool_failed", "guard_refused"}]
    assert failed == list(WRONG)
    assert Path("/etc/passwd").read_bytes() == before
