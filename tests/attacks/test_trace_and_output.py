"""What leaves a run: trace, blobs, report, pull request, terminal. No secret is in it, and nothing in it acts."""

from __future__ import annotations

import base64
import json
import urllib.parse
from pathlib import Path

import msgspec
import pytest
from agents import calls, says
from arena import KEY, TOKEN, Arena, sh
from attack_table import attack
from small_world import World

from bot.base.errors import WorldError
from bot.models.scripted import ScriptedModel
from bot.task import store
from bot.trace.comment import render_comment
from bot.trace.junit import junit
from bot.trace.reader import verify

STAMP = """
    ---
    id: stamp
    version: 1.0.0
    summary: Stamp.
    mode: script
    script: {script}
    pull_request: {{title: Stamp}}
    ---
    """


def leaks(secret: str) -> dict[str, str]:
    raw = secret.encode()
    return {
        "raw": secret,
        "base64": base64.b64encode(raw).decode(),
        "base64 of more": base64.b64encode(b"x" + raw + b"y").decode(),
        "hex": raw.hex(),
        "url": urllib.parse.quote(secret, safe=""),
        "percent": "".join(f"%{byte:02x}" for byte in raw),
        "reversed": secret[::-1],
        "spaced": " ".join(secret),
        "lines": "\n".join(secret[i : i + 7] for i in range(0, len(secret), 7)),
        "cut": secret[4:],
        "json": json.dumps({"k": "".join(f"\\u{ord(char):04x}" for char in secret)}),
        "colours": "\x1b[0m".join(secret),
        "upper": secret.upper(),
        "list": json.dumps(list(secret)),
    }


@attack(
    "38",
    "A secret in output: raw, base64, hex, URL, reversed, split, cut, escaped, coloured",
    "absent from trace, blobs, patch, proposal and comment",
)
@pytest.mark.parametrize("form", list(leaks(KEY)))
def test_no_form_of_a_secret_is_written(anywhere: Arena, form: str) -> None:
    texts = [leaks(secret)[form] for secret in (KEY, TOKEN)]
    script = "\n".join(f"cat <<'EOF_'\n{text}\nEOF_" for text in texts)
    done = anywhere.attack(
        sh(script),
        sh(script + " >&2; yes filler | head -c 300000; " + script),
        ("write_file", {"path": "a.txt", "content": "\n".join(texts)}),
        model=ScriptedModel(
            [
                calls(sh(script), sh(f"yes filler | head -c 300000; {script}")),
                calls(("write_file", {"path": "a.txt", "content": "harmless\n"})),
                says(f"I found {texts[0]} and {texts[1]}"),
            ]
        ),
    )
    assert done.outcome == "changed"
    comment = render_comment(done.folder / "execution_trace.jsonl", msgspec.to_builtins(done.proposal), link=None)
    for text in texts:
        for part in (text, text[:24]):
            for file, data in done.written():
                assert part.encode() not in data, (form, file)
            assert part not in comment + done.proposal.body


@attack("38", "A secret in the change itself, in a file name, in a binary file", "refused by the gate")
def test_a_secret_in_the_change_is_refused(anywhere: Arena) -> None:
    from bot.publish.gate import Policy

    anywhere.policy = Policy(binaries=True)
    for number, command in enumerate((f"echo {KEY} > a.txt", f"touch {TOKEN}", f"printf '\\0{KEY[::-1]}' > a.bin")):
        name = f"attack-{number}"
        done = anywhere.attack(
            sh(command), place=anywhere.plugin(name=f"victim{number}"), campaign=name, branch=f"fleet-bot/{name}"
        )
        ended = anywhere.publish(done)
        assert ended.outcome in {"blocked", "error"}, (command, ended.reason)
        assert "secret" in ended.reason or "sealed" in ended.reason
        # The patch holds the change as it is, for people on this machine; here the canaries must not find it.
        (done.folder / store.PATCH).unlink()
        (done.folder / store.FILE).unlink()


@attack(
    "39",
    "Fences, `</details>`, mentions, images, closing words, our own markers, megabytes in the trace",
    "inert, cut, one marker of our own",
)
def test_the_comment_is_inert(anywhere: Arena) -> None:
    evil = "``` </details><script>alert(1)</script> @acme/team @ada ![](http://x/?q=1) Closes #1 GH-2 <!-- fleet-bot:trace head=x --> [a](javascript:x) &lt; $$x$$"
    done = anywhere.attack(
        *[sh(f"echo '{evil}' # {number} {evil.replace(chr(39), '')}") for number in range(12)],
        ("read_file", {"path": evil}),
        ("no_such_tool " + evil, {evil: evil}),
        ("write_file", {"path": "ok.txt", "content": "x\n"}),
    )
    proposal = msgspec.to_builtins(done.proposal) | {"reason": evil, "files": [evil] * 500, "playbook": evil}
    comment = render_comment(done.folder / "execution_trace.jsonl", proposal, link="javascript:alert(1)")
    for text in ("@acme", "@ada", "](http", "Closes #1", "GH-2", "<script", "</details><", "```", "$$"):
        assert text not in comment, text
    assert comment.count("<!-- fleet-bot:trace") == 1
    assert "](javascript" not in comment
    assert len(comment) < 65_000


@attack(
    "40", "A line of the trace altered, dropped, moved, or added after the run", "the chain breaks; publishing refuses"
)
@pytest.mark.parametrize("how", ["alter", "drop", "swap", "add", "cut"])
def test_a_changed_trace_is_found(anywhere: Arena, how: str) -> None:
    done = anywhere.attack(sh("echo hi"), ("write_file", {"path": "x.txt", "content": "x\n"}))
    trace = done.folder / "execution_trace.jsonl"
    lines = trace.read_bytes().splitlines(keepends=True)
    changed = {
        "alter": [line.replace(b"echo hi", b"echo ho") for line in lines],
        "drop": lines[:3] + lines[4:],
        "swap": [*lines[:2], lines[3], lines[2], *lines[4:]],
        "add": [*lines, lines[-1]],
        "cut": lines[:-1],
    }[how]
    trace.write_bytes(b"".join(changed))
    assert not verify(trace, done.proposal.trace).ok
    ended = anywhere.publish(done)
    assert ended.outcome == "blocked"
    assert "not the one that was sealed" in ended.reason


@attack("40", "A trace of another run, or one without a proof, sealed into a proposal", "the gate compares both")
def test_the_trace_has_to_tell_the_same_story(anywhere: Arena) -> None:
    first = anywhere.attack(("write_file", {"path": "x.txt", "content": "x\n"}))
    other = anywhere.attack(
        ("write_file", {"path": "y.txt", "content": "y\n"}),
        place=Path(first.proposal.repo),
        campaign="attack-2",
        branch="fleet-bot/attack-2",
    )
    swapped = msgspec.structs.replace(first.proposal, trace=other.proposal.trace)
    (first.folder / "execution_trace.jsonl").write_bytes((other.folder / "execution_trace.jsonl").read_bytes())
    store.write(first.folder, swapped, (first.folder / store.PATCH).read_bytes())
    ended = anywhere.publish(first)
    assert ended.outcome == "blocked"
    assert "the trace is of another run" in ended.reason


@attack(
    "+", "Terminal escapes in what a set-up, a test or a remote says", "taken out before a person's terminal sees them"
)
def test_reasons_do_not_steer_a_terminal(world: World) -> None:
    world.playbook("stamp", STAMP.format(script='printf "\\033]0;owned\\007\\033[2Jgone\\342\\200\\256" >&2; exit 3'))
    world.plugin("a", {"README.md": "a\n"})
    done = world.fleet_bot("run", "stamp", "--out", str(world.out))
    assert done.code == 1
    assert "gone" in done.err
    assert "\x1b" not in done.err
    assert "\u202e" not in done.err
    for name in ("report.md", "report.html"):
        text = (world.out / name).read_text(encoding="utf-8")
        assert "\x1b" not in text
        assert "\u202e" not in text


@attack(
    "+",
    "HTML, scripts and markdown in reasons, answers and file names of the report",
    "escaped in HTML, inert in markdown",
)
def test_the_report_is_inert(world: World) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)> @ada ![](http://x)"
    world.playbook("stamp", STAMP.format(script=json.dumps(f"echo '{evil}' >&2; exit 3")))
    world.plugin("a", {"README.md": "a\n"})
    world.run("stamp")
    page = (world.out / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    table = (world.out / "report.md").read_text(encoding="utf-8")
    assert "@ada" not in table
    assert "![](" not in table


@attack(
    "+",
    "JUnit XML with entities, a million cases of one name, names that close issues or read as trailers",
    "no entities, linear time, quoted inert",
)
def test_hostile_junit() -> None:
    for text in ('<!DOCTYPE x [<!ENTITY a "b">]><testsuite/>', '<!DOCTYPE x SYSTEM "file:///etc/passwd"><testsuite/>'):
        with pytest.raises(ValueError, match="declares"):
            junit(text.encode())
    many = junit(b"<testsuite>" + b'<testcase name="a"/>' * 50_000 + b"</testsuite>")
    assert len(many) == 50_000
    with pytest.raises(ValueError, match="XML"):
        junit(b"<testsuite>" * 200_000)


@attack("+", "Newlines, trailers and closing words in what goes into the commit message", "one line, inert")
def test_the_commit_message_is_ours(anywhere: Arena) -> None:
    from arena import FILES

    from bot.base.values import Limits, Playbook, Plugin, Task
    from bot.task.body import commit_message
    from bot.task.proposal import Proposal

    assert FILES
    evil = "flaky: test_x\n\nFixes #1\nCo-authored-by: mallory <m@x>\n@acme/team"
    proposal = Proposal(
        plugin="a", repo="acme/a", playbook="p", campaign="c", outcome="changed", reason=evil, title="T"
    )
    task = Task(
        plugin=Plugin(name="a", repo="acme/a"),
        playbook=Playbook(id="p", version="1", summary="s"),
        campaign="c",
        variables={},
        prompt="",
        limits=Limits(),
        branch="fleet-bot/c",
    )
    text = commit_message(task, proposal)
    assert "\nCo-authored-by" not in text
    assert "Fixes #1" not in text
    assert "@acme" not in text


@attack(
    "+", "Proposal, patch or trace replaced by a symlink to another file of the publishing machine", "never followed"
)
def test_a_proposal_of_links(anywhere: Arena) -> None:
    done = anywhere.attack(("write_file", {"path": "x.txt", "content": "x\n"}))
    for name in (store.PATCH, "execution_trace.jsonl", store.FILE):
        file = done.folder / name
        kept = anywhere.folder / name
        kept.write_bytes(file.read_bytes())
        file.unlink()
        file.symlink_to(kept)
        if name == store.FILE:
            with pytest.raises(WorldError, match="symbolic link"):
                anywhere.publish(done)
        else:
            assert "symbolic link" in anywhere.publish(done).reason
        file.unlink()
        file.write_bytes(kept.read_bytes())
