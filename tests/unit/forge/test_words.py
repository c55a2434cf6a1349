"""Words of a server, and what its refusals mean."""

from __future__ import annotations

import pytest
from forge_world import StillClock
from hypothesis import given
from hypothesis import strategies as st

from bot.base.errors import ForgeError, GitError, TaskBlocked
from bot.base.git import GitDir
from bot.forge.failures import explain, to_error
from bot.forge.patience import LONGEST_WAIT, Asked, Failure, Patience
from bot.forge.push import push
from bot.forge.words import plain
from bot.ports import Remote


class Answered(Exception):
    def __init__(self, status, data=None, headers=None):
        super().__init__(status)
        self.status, self.data, self.headers = status, data, headers


@given(st.text())
def test_words_of_a_server_are_one_short_printable_line(text):
    made = plain(text)
    assert len(made) <= 300
    assert made.isprintable()
    assert made == made.strip()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"message": "No", "errors": ["because"]}, "No: because"),
        (
            {"message": "No", "errors": [{"message": "this"}, {"field": "head", "code": "invalid"}]},
            "No: this: head invalid",
        ),
        ({"message": "a\x1b[31m\nb"}, "a [31m b"),
        ("<html>", ""),
        (None, ""),
    ],
)
def test_what_a_server_says_is_put_together(data, words):
    assert explain(Answered(422, data), 0.0) == Failure(status=422, words=words)


def test_a_mistake_of_ours_is_no_failure_of_the_server():
    assert explain(KeyError("x"), 0.0) is None
    with pytest.raises(KeyError):
        Patience(StillClock(), pace=0).ask(lambda: {}["x"], lambda e: explain(e, 0.0), write=False, again=True)
    assert explain(RuntimeError("redirected"), 0.0) == Failure(status=400, words="redirected")


def test_a_limit_is_asked_again_only_while_the_wait_is_bearable():
    clock = StillClock()

    def fail():
        raise Answered(429, {"message": "slow down"}, {"retry-after": str(int(LONGEST_WAIT) + 1)})

    with pytest.raises(Asked):
        Patience(clock, pace=0).ask(fail, lambda e: explain(e, 0.0), write=True, again=False)
    assert clock.slept == []


@pytest.mark.parametrize("status", [0, 400, 403, 404, 422, 500, 503])
def test_every_failure_is_a_forge_error_with_its_status(status):
    error = to_error(Failure(status=status, words="words"), "do it", server="s", anonymous=False)
    assert isinstance(error, ForgeError)
    assert (error.status, error.what.startswith("Could not do it")) == (status, True)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("!\tc:refs/heads/x\t[remote rejected] (cannot lock ref 'refs/heads/x')", TaskBlocked),
        ("!\tc:refs/heads/x\t[rejected] (stale info)", TaskBlocked),
        ("!\tc:refs/heads/x\t[remote rejected] (Internal Server Error)", ForgeError),
        ("!\tc:refs/heads/x\t[remote rejected] (protected branch hook declined)", TaskBlocked),
        ("", ForgeError),
        ("*\tc:refs/heads/y\t[new branch]", ForgeError),
    ],
)
@pytest.mark.parametrize("raises", [True, False])
def test_the_row_of_the_ref_decides_and_not_the_exit_code(monkeypatch, tmp_path, row, kind, raises):
    def run(self, *words, **options):
        if raises:
            error = GitError("git push failed: remote: sorry")
            error.output = f"To x\n{row}\nDone\n".encode()
            raise error
        return f"To x\n{row}\nDone\n".encode()

    monkeypatch.setattr(GitDir, "run", run)
    with pytest.raises(kind if raises or row[:1] == "!" else TaskBlocked):
        push(Remote(url="https://x.example/a/b.git"), tmp_path, "c", "x", None, repo="a/b")
