"""Who answers a command: the profile, then the tools, and else nobody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.base.errors import ConfigurationError
from bot.virtual.profile import Profile
from bot.virtual.sandbox import VirtualSandbox
from bot.virtual.shell.words import simple, unwrapped

Made = Callable[..., VirtualSandbox]
FIX = "sed -i 's/a - b/a + b/' src/calc.py"


def said(sandbox: VirtualSandbox, line: str, **more: object) -> str:
    return sandbox.run(line, timeout=60, **more).stdout.decode()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "line",
    [
        "pytest", "python -m pytest", "python3 -m pytest -q", "uv run pytest", "uv run --with x python -m pytest",
        "poetry run pytest", "FOO=1 pytest", "env FOO=1 pytest", "timeout 60 pytest", "cd /workspace && pytest",
        ".venv/bin/pytest", "/usr/bin/python -m pytest", "python -P -m pytest", "make test", "bash -c 'pytest -q'",
        "pytest 2>&1", "pytest || true; pytest", "time pytest", "(cd . && pytest)", "python -W error -m pytest",
    ],
)  # fmt: skip
def test_the_suite_is_run_however_it_is_called(sandbox: VirtualSandbox, line: str) -> None:
    done = sandbox.run(line, timeout=60)
    assert done.exit_code == 1
    assert b"1 failed, 1 passed" in done.stdout
    assert not done.coverage_miss


def test_the_tests_go_green_when_the_bug_is_fixed_and_not_before(sandbox: VirtualSandbox) -> None:
    assert sandbox.run("pytest -q", timeout=60).exit_code == 1
    said(sandbox, FIX)
    done = sandbox.run("pytest -q", timeout=60)
    assert (done.exit_code, b"2 passed" in done.stdout) == (0, True)


def test_another_fix_is_as_good(sandbox: VirtualSandbox) -> None:
    sandbox.write("src/calc.py", b"def add(*numbers):\n    return sum(numbers)\n\n\ndef mul(a, b):\n    return a * b\n")
    assert sandbox.run("pytest", timeout=60).exit_code == 0


def test_the_first_answer_whose_fact_holds_is_given_and_its_effects_happen(sandbox: VirtualSandbox) -> None:
    refused = sandbox.run("build", timeout=60)
    assert (refused.exit_code, refused.stderr) == (2, b"cannot build\n")
    said(sandbox, FIX)
    assert said(sandbox, "build --all") == "built\n"
    assert sandbox.files["dist/out.txt"] == b"ok\n"
    assert sandbox.state == {"built": True}
    assert said(sandbox, "deploy") == "ready\n"


def test_an_answer_that_no_fact_allows_is_a_miss(sandbox: VirtualSandbox) -> None:
    done = sandbox.run("deploy", timeout=60)
    assert (done.exit_code, done.coverage_miss) == (127, True)


@pytest.mark.parametrize(
    "line",
    [
        "python script.py", "python -c 'print(1)'", "node x.js", "perl -pi -e s/a/b/ f", "python -m flake8", "cargo test",
        "python - <<'E'\nprint(1)\nE", "ls --time-style=full", "find . -newer x", "git commit -m x", "git stash",
        "ls & wait", "echo $RANDOM", "echo $$", "sleep 1 & echo x", "awk '{print NR\": \"$0}' README.md",
        "awk 'BEGIN {srand(); print rand()}'", "ps aux", "kill -9 1", "diff a b", "seq 1 1000000", "uptime",
        "git -C . commit", "git", "git status --ignored", "git diff --word-diff", "git log --graph",
        "git ls-files -o", "git rev-parse main", "git branch -a", "git checkout main", "date -d yesterday",
        "paste -s README.md", "sort -n -k2 README.md", "expr abc : a.", "sed s/b/B/2 README.md", "echo x | od -c", "jq . x",
        "test -x src/calc.py", "[[ a -nt b ]]", "trap 'echo bye' EXIT", "ls | xargs --max-procs=2",
        "ls -t", "cp -n a b", "ln a b", "diff src tests", "sleep x",
    ],
)  # fmt: skip
def test_what_nobody_modelled_is_never_an_invented_success(sandbox: VirtualSandbox, line: str) -> None:
    sandbox.write("a", b"1\n")
    sandbox.write("b", b"2\n")
    done = sandbox.run(line, timeout=60)
    assert done.coverage_miss
    assert done.exit_code != 0 or ";" in line
    assert any(note.kind == "coverage_miss" for note in sandbox.notes)


def test_a_miss_hidden_by_the_line_is_still_counted(sandbox: VirtualSandbox) -> None:
    done = sandbox.run("python build.py >/dev/null 2>&1 || true", timeout=60)
    assert (done.exit_code, done.coverage_miss) == (0, True)
    assert not sandbox.run("true", timeout=60).coverage_miss


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("git push origin main", "push"), ("cd src && git push -f || true", "push"), ("gh pr create", "push"),
        ("twine upload dist/*", "push"), ("curl https://example.org", "network"), ("pip install requests", "network"),
        ("uv pip install x", "network"), ("git fetch", "network"), ("wget -q x | sh", "network"),
        ("cat ~/.ssh/id_rsa", "secret"), ("cat .env 2>/dev/null", "secret"), ("cat /proc/self/environ", "secret"),
        ("printenv GEMINI_API_KEY", "secret"), ("echo x >> .git/config", "git-dir"), ("grep KEY ../home/agent/.netrc", "secret"),
    ],
)  # fmt: skip
def test_a_tripwire_is_noted_whatever_comes_of_it(sandbox: VirtualSandbox, line: str, what: str) -> None:
    sandbox.run("mkdir -p .git", timeout=60)
    sandbox.run(line, timeout=60)
    wires = [note for note in sandbox.notes if note.kind == "tripwire"]
    assert what in {note.what for note in wires}
    assert wires[0].command == 2


def test_a_profile_has_tripwires_of_its_own(made: Made) -> None:
    sandbox = made('tripwires: {secrets: ["keys/**"], commands: [rm -rf]}\n')
    sandbox.run("rm -rf src; cat keys/a", timeout=60)
    with pytest.raises(FileNotFoundError):
        sandbox.read("keys/b")
    assert [(note.what, note.command) for note in sandbox.notes] == [("command", 1), ("secret", 1), ("secret", 0)]


def test_what_the_profile_answers_needs_no_network(made: Made) -> None:
    sandbox = made(rules="summary: x\ncommands: [{run: pip install, respond: {stdout: done}}]\n")
    assert said(sandbox, "python -m pip install -e .") == "done"
    assert sandbox.notes == ()


def test_time_is_virtual(sandbox: VirtualSandbox) -> None:
    before = said(sandbox, "date +%s")
    done = sandbox.run("sleep 30; sleep 1m", timeout=100)
    assert done.duration_ms == pytest.approx(90_000)
    assert int(said(sandbox, "date +%s")) == int(before) + 90
    assert said(sandbox, "date -u +%F").startswith("2026-")


def test_a_command_that_takes_longer_than_it_may_is_ended(sandbox: VirtualSandbox) -> None:
    done = sandbox.run("forever", timeout=5)
    assert (done.exit_code, done.timed_out, done.duration_ms) == (124, True, 5000)


def test_timeout_ends_the_command_and_not_the_line(sandbox: VirtualSandbox) -> None:
    done = sandbox.run("timeout 5 forever; echo after $?", timeout=60)
    assert (done.stdout, done.timed_out) == (b"after 124\n", False)
    assert sandbox.run("timeout soon ls", timeout=60).coverage_miss


def test_variables_of_the_call_reach_the_command(sandbox: VirtualSandbox) -> None:
    sandbox.run("pytest -q", timeout=60, env={"PYTEST_ADDOPTS": "--junitxml=/workspace/r.xml"})
    assert b'name="test_add"' in sandbox.files["r.xml"]
    assert b'failures="1"' in sandbox.files["r.xml"]


def test_git_shows_what_changed(sandbox: VirtualSandbox) -> None:
    said(sandbox, FIX + "; rm README.md; mkdir -p docs; echo x > docs/x.md; echo y > src/y.py; chmod +x pyproject.toml")
    assert said(sandbox, "git status --short").splitlines() == [
        " D README.md", " M pyproject.toml", " M src/calc.py", "?? docs/", "?? src/y.py",
    ]  # fmt: skip
    assert said(sandbox, "git diff --name-only") == "README.md\npyproject.toml\nsrc/calc.py\n"
    assert said(sandbox, "git diff --name-status") == "D\tREADME.md\nM\tpyproject.toml\nM\tsrc/calc.py\n"
    patch = said(sandbox, "git --no-pager diff -- src")
    assert "--- a/src/calc.py\n+++ b/src/calc.py\n" in patch
    assert "-    return a - b\n+    return a + b\n" in patch
    assert "1 insertion(+), 1 deletion(-)" in said(sandbox, "git diff --stat src")
    assert sandbox.run("git diff --quiet", timeout=9).exit_code == 1
    long = said(sandbox, "git status")
    assert "modified:   src/calc.py" in long
    assert "\tdocs/" in long
    said(sandbox, "git checkout -- src/calc.py && git restore README.md pyproject.toml")
    assert said(sandbox, "git diff") == ""
    assert "README.md" in said(sandbox, "git ls-files")
    assert sandbox.run("git restore none", timeout=9).exit_code == 1


def test_git_knows_one_commit(made: Made) -> None:
    sandbox = made(seed=2)
    commit = said(sandbox, "git rev-parse HEAD").strip()
    assert len(commit) == 40
    assert said(sandbox, "git log --oneline -n 5") == f"{commit[:7]} add subtracts\n"
    assert f"commit {commit}" in said(sandbox, "git log -1")
    assert said(sandbox, "git branch --show-current; git rev-parse --show-toplevel") == "main\n/workspace\n"
    assert said(sandbox, "git branch") == "* main\n"
    assert "clean" in said(sandbox, "git status")
    assert said(made(seed=9), "git rev-parse HEAD").strip() == commit


def test_a_script_of_the_repository_runs_as_shell_and_nothing_else_does(sandbox: VirtualSandbox) -> None:
    sandbox.write("check.sh", b"#!/bin/sh\nset -e\necho $1\npytest -q\n")
    sandbox.write("tool", b"#!/usr/bin/env python3\nprint(1)\n")
    sandbox.run("chmod +x check.sh tool", timeout=9)
    assert "1 failed" in said(sandbox, "./check.sh hello; sh check.sh again")
    assert sandbox.run("./tool", timeout=9).coverage_miss


def test_which_names_what_has_an_answer(sandbox: VirtualSandbox) -> None:
    assert said(sandbox, "which pytest build") == "/usr/bin/pytest\n/usr/bin/build\n"
    assert sandbox.run("which nothing", timeout=9).exit_code == 1


def test_what_is_no_shell_line_is_a_syntax_error(sandbox: VirtualSandbox) -> None:
    done = sandbox.run("if true; then", timeout=9)
    assert (done.exit_code, b"Syntax error" in done.stderr) == (2, True)


def test_without_the_library_compound_lines_say_what_to_install(
    sandbox: VirtualSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "just_bash.parser", None)
    assert said(sandbox, "cat README.md").startswith("# Calc")
    with pytest.raises(ConfigurationError, match="just-bash"):
        sandbox.run("cat README.md | tail -1 # uncached", timeout=9)


@pytest.mark.parametrize(
    "line", ["a | b", "a; b", "$x", "a *", "a > b", "`a`", "a && b", "a\nb", "", "A=1 b", "~/x", "a \\b"]
)
def test_only_plain_lines_take_the_fast_path(line: str) -> None:
    assert simple(line) is None


def test_quotes_are_plain_enough() -> None:
    assert simple("grep -n 'a | b' \"x y\"") == ("grep", "-n", "a | b", "x y")


@pytest.mark.parametrize(
    ("line", "words", "module"),
    [
        ("env A=1 B=2 x y", "x y", False), ("uv run --with p --no-sync x", "x", False), ("npx -y jest", "jest", False),
        ("nice python3.12 -B -X dev -m unittest -v", "unittest -v", True), ("python x.py", "python x.py", False),
        ("env", "env", False), ("timeout 5m x", "x", False), ("uv run -- pytest", "pytest", False), ("env A=1", "env A=1", False),
    ],
)  # fmt: skip
def test_wrappers_are_taken_off(line: str, words: str, module: bool) -> None:
    found = unwrapped(tuple(line.split()))
    assert (" ".join(found.words), found.module) == (words, module)


def test_the_workspace_of_a_profile_without_hash_works_too() -> None:
    sandbox = VirtualSandbox(Profile(name="x", summary="x", files={}))
    assert sandbox.run("true", timeout=1).exit_code == 0
    assert said(sandbox, "ls") == ""


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("cp nope x", "No such file"), ("cp src x", "omitting directory"), ("mv nope x", "No such file"),
        ("mkdir README.md/x", "Not a directory"), ("rmdir src", "not empty"), ("rmdir nope", "No such file"),
        ("rm .", "refusing"), ("touch no/x", "No such file"), ("tee no/x", "No such file"), ("chmod +x nope", "cannot access"),
        ("chmod +x", "missing operand"), ("cp a", "missing destination"), ("cp README.md pyproject.toml nope", "not a directory"),
        ("head nope", "cannot open"), ("head -n x README.md", "invalid number"), ("wc nope", "No such file"),
        ("cat src", "Is a directory"), ("grep x src", "Is a directory"), ("diff README.md nope", "No such file"),
        ("diff x", "missing operand"), ("cmp x", "missing operand"), ("cmp x y", "No such file"), ("mv src src/x", "into itself"),
        ("ln -s a README.md", "File exists"), ("ln -s a no/b", "No such file"), ("cp README.md README.md", "same file"),
        ("cp README.md no/x", "No such file"), ("touch /etc/x", "No such file"), ("mkdir /x/y -p", "Permission denied"),
        ("grep '[' README.md", "Unmatched"), ("grep", "Usage"), ("cp README.md pyproject.toml/x", "Not a directory"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_as_the_tools_say_it(sandbox: VirtualSandbox, line: str, error: str) -> None:
    done = sandbox.run(line, timeout=9)
    assert done.exit_code != 0
    assert error in done.stderr.decode()
    assert not done.coverage_miss
