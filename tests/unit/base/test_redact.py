"""No secret reaches a file: not plain, not in any form a hostile model can easily give it."""

from __future__ import annotations

import base64
import codecs
import html
import json
import random
import re
import string
from collections.abc import Callable
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.base.key_shapes import SHAPES, possible
from bot.base.redact import Redactor
from bot.trace.events import CommandRun, FileWrite, ToolRequested

KEY = "AIzaSyA1b2C3d4E5f6G7h8I9j0KaLbMcNdOeP-q"
TOKEN = 's3cr3t/Value+with"quotes\\and=signs&<more>~é!'
REDACTOR = Redactor([KEY, TOKEN])
FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda s: s,
    "upper case": str.upper,
    "reversed": lambda s: s[::-1],
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64, urlsafe": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "base64, second alignment": lambda s: base64.b64encode(b"a" + s.encode() + b"bc").decode(),
    "base64, third alignment": lambda s: base64.b64encode(b"ab" + s.encode() + b"b").decode(),
    "base64, in lines": lambda s: codecs.encode(s.encode() * 3, "base64").decode(),
    "base64, in a JSON string": lambda s: json.dumps({"x": base64.encodebytes(s.encode() * 3).decode()}),
    "hex": lambda s: s.encode().hex(),
    "HEX": lambda s: s.encode().hex().upper(),
    "hex with blanks": lambda s: s.encode().hex(" ", 2),
    "hex with 0x": lambda s: ", ".join(f"0x{b:02x}" for b in s.encode()),
    "hex escapes": lambda s: "".join(f"\\x{b:02x}" for b in s.encode()),
    "unicode escapes": lambda s: "".join(f"\\u{ord(c):04X}" for c in s),
    "url-encoded": lambda s: quote(s, safe=""),
    "url-encoded, every byte": lambda s: "".join(f"%{b:02X}" for b in s.encode()),
    "html-escaped": html.escape,
    "json": json.dumps,
    "json in json": lambda s: json.dumps(json.dumps({"key": s})),
    "one a line": "\n".join,
    "blanks": " ".join,
    "tabs and returns": "\t\r\n".join,
    "in threes": lambda s: "\n".join(s[i : i + 3] for i in range(0, len(s), 3)),
    "concatenated": lambda s: " + ".join(f'"{s[i : i + 4]}"' for i in range(0, len(s), 4)),
    "newline escapes": "\\n".join,
    "coloured": lambda s: s[:7] + "\x1b[01;31m" + s[7:11] + "\x1b[0m" + s[11:],
    "zero-width": "\u200b".join,
    "nul": "\0".join,
    "without its beginning": lambda s: s[4:],
    "without its end": lambda s: s[:-5],
    "a piece from the middle": lambda s: s[8:22],
}


def traces(text: str, secret: str) -> list[str]:
    """Runs of 12 characters of the secret, in reduced form, that are left in a text."""
    text = re.sub(r"\\[nrt]|\x1b\[[0-9;]*m", "", re.sub(r"\[secret:[0-9a-f]{8}\]", "#", text))
    left = re.sub(r"[^a-z0-9#]", "", text.lower())
    secret = re.sub(r"[^a-z0-9]", "", secret.lower())
    return [secret[i : i + 12] for i in range(len(secret) - 11) if secret[i : i + 12] in left]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", [KEY, TOKEN], ids=["key", "token"])
def test_a_known_secret_is_taken_out_in_every_form(form: str, secret: str) -> None:
    printed = FORMS[form](secret)
    clean = REDACTOR.text(f"before: {printed} :after")
    assert "[secret:" in clean
    assert clean.startswith("before: ")
    assert clean.endswith(" :after")
    assert printed not in clean
    for spelling in (secret, secret[::-1], secret.encode().hex(), base64.b64encode(secret.encode()).decode()):
        assert not traces(clean, spelling)
    assert REDACTOR.found(printed)
    assert not REDACTOR.found(clean)


@pytest.mark.parametrize("form", FORMS)
def test_a_struct_is_looked_at_as_closely_as_a_text(form: str) -> None:
    body = ToolRequested(call="1.1", tool="run_shell_command", args={"command": ["echo", {"deep": FORMS[form](KEY)}]})
    clean = REDACTOR.struct(body)
    assert clean != body
    assert not traces(clean.args["command"][1]["deep"], KEY)
    assert clean.tool == "run_shell_command"


def test_the_tag_keeps_equality_and_tells_secrets_apart() -> None:
    plain, coded = REDACTOR.text(KEY), REDACTOR.text(base64.b64encode(KEY.encode()).decode())
    assert re.fullmatch(r"\[secret:[0-9a-f]{8}\]", plain)
    assert coded.startswith(plain)
    assert REDACTOR.text(TOKEN[:-2]).startswith("[secret:")
    assert REDACTOR.text(TOKEN)[:17] != plain


def test_the_tag_depends_on_a_key_and_so_tells_nothing_about_the_value() -> None:
    assert Redactor([KEY], key=b"a").text(KEY) != Redactor([KEY], key=b"b").text(KEY)
    assert Redactor([KEY]).text(KEY) == Redactor([KEY]).text(KEY)


def test_a_secret_dealt_out_over_the_items_of_a_list_is_taken_out() -> None:
    body = ToolRequested(call="1.1", tool="t", args={"argv": list(KEY), "other": ["a", "b"]})
    clean = REDACTOR.struct(body)
    assert set(clean.args["argv"]) == {clean.args["argv"][0]}
    assert clean.args["argv"][0].startswith("[secret:")
    assert clean.args["other"] == ["a", "b"]


def test_names_and_keys_are_redacted_too() -> None:
    clean = REDACTOR.value({KEY: 1, "x": (KEY.encode(), 2.5, None)})
    assert next(iter(clean)).startswith("[secret:")
    assert clean["x"][0].startswith(b"[secret:")
    assert clean["x"][1:] == (2.5, None)


def test_bytes_of_any_encoding_keep_what_is_not_secret() -> None:
    data = b"\xff\xfe\0" + KEY.encode() + b"\x80\n" + KEY.encode("utf-16-le") + b"\xc3"
    clean = REDACTOR.data(data)
    assert clean.startswith(b"\xff\xfe\0[secret:")
    assert clean.endswith(b"\xc3")
    assert clean.count(b"[secret:") == 2


def test_a_private_key_is_found_by_its_lines_and_its_armour_is_ordinary_text() -> None:
    body = base64.encodebytes(random.Random(1).randbytes(300)).decode()
    pem = f"-----BEGIN RSA PRIVATE KEY-----\n{body}-----END RSA PRIVATE KEY-----\n"
    redactor = Redactor([pem.replace("\n", "\\n")])
    assert redactor.found(body.splitlines()[2])
    assert redactor.found(json.dumps(pem))
    assert not redactor.found("put it between BEGIN RSA PRIVATE KEY and END RSA PRIVATE KEY")


@pytest.mark.parametrize(
    "key",
    [
        "AIza" + "SyD-9tSrke72PouQMnMX_a7eZSW0jkFMBWY",
        "ya29." + "a0AfH6SMBx_1234567890abcdefghijklmnop",
        *(f"gh{kind}_" + "16C7e42F292c6912E7710c838347Ae178B4a" for kind in "opsur"),
        "github_pat_" + "11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789",
        "sk-" + "proj-Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8",
        "sk-ant-" + "api03-Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8",
        "AKIA" + "IOSFODNN7EXAMPLE",
        "xoxb-" + "123456789012-abcdefghijklmnop",
        "glpat-" + "abcdefghij0123456789",
        "npm_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
        "sk_live_" + "abcdefghijklmnop12345678",
        "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0" + ".dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "Authorization: Bearer " + "abcdef0123456789abcdef0123",
        "https://someone:" + "hunter2hunter2@example.com/x.git",
        "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\nabcd==\n-----END PRIVATE KEY-----",
        "-----BEGIN EC PRIVATE KEY-----\\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\\n",
        "SG." + "a" * 22 + "." + "b" * 43,
        "https://hooks.slack.com/services/" + "T00000000/B00000000/abcdefghijklmnopqrstuvwx",
    ],
)
def test_keys_of_well_known_shapes_are_taken_out_without_knowing_them(key: str) -> None:
    redactor = Redactor([])
    clean = redactor.text(f"x={key!s} and more")
    assert "[secret:" in clean
    assert clean.endswith(" and more")
    assert not traces(clean, re.sub(r"\\n", "", key).split(" ")[-1].split("/")[-1][-16:])
    assert redactor.text(clean) == clean
    for before in ("", "one line\n", "\t", "\\", '"', "é\x1b[1m"):
        body = CommandRun(command=before + key, exit_code=0, duration_ms=1, stdout="", stderr="")
        assert redactor.struct(body).command == redactor.text(before + key)
        assert "[secret:" in redactor.text(before + key)


@pytest.mark.parametrize(
    "text",
    [
        "the quick brown fox",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "sha512-" + base64.b64encode(bytes(range(64))).decode(),
        "task-management-and-scheduling-library-2000",
        "class='sk-folding-cube-animation-element'",
        "https://github.com/acme/slugger/pull/12#issuecomment-123456789",
        "git clone https://x-access-token:${GITHUB_TOKEN}@github.com/acme/x.git",
        "mail someone@example.com or git@github.com:acme/x.git",
        "ghp_ is how a token begins, github_pat_ too, AIza as well",
        "tests/unit/trace/test_writer_and_reader_together.py::test_it PASSED",
        "bearer authentication is described elsewhere",
        "if '-----BEGIN PRIVATE KEY-----' in text: raise ValueError",
        "0123456789" * 20,
        "data:image/png;base64," + base64.b64encode(bytes(100)).decode(),
        "550e8400-e29b-41d4-a716-446655440000",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert REDACTOR.text(text) is text


def test_short_secrets_are_replaced_as_words_only_and_tiny_ones_not_at_all() -> None:
    redactor = Redactor(["hunter2", "abc", "", "  ", "p@$$-!!??"])
    assert "hunter2" not in redactor.text("password hunter2.")
    assert redactor.text("hunter2000 abc") == "hunter2000 abc"
    assert "p@$$-!!??" not in redactor.text("with p@$$-!!?? in it")
    assert redactor.suspicious(b'{"x":"hunter2"}')


def test_a_path_that_is_no_unicode_does_not_break_it() -> None:
    body = FileWrite(path="caf\udce9.txt", change="created", bytes=1, sha256_before=None, sha256_after=None)
    assert REDACTOR.struct(body) == body
    assert REDACTOR.text("\udce9" + KEY).startswith("\udce9[secret:")


def test_large_texts_are_mapped_back_exactly() -> None:
    filler = "äöü words and more words\n" * 2000
    clean = REDACTOR.text(filler + KEY + filler + "\n".join(KEY) + filler)
    assert re.sub(r"\[secret:[0-9a-f]{8}\]", "", clean) == filler * 3


secrets_ = st.text(string.ascii_letters + string.digits + "_-", min_size=26, max_size=64).filter(
    lambda s: all(sum(c.isalnum() for c in s[i : i + 12]) >= 7 for i in range(len(s) - 11))
)
anything = st.text(st.characters(codec="utf-8"), max_size=60)


@settings(max_examples=100, deadline=None)
@given(secrets_, st.sampled_from(sorted(FORMS)), anything, anything)
def test_whatever_the_secret_and_whatever_stands_around_it(secret: str, form: str, before: str, after: str) -> None:
    redactor = Redactor([secret])
    printed = FORMS[form](secret)
    clean = redactor.text(f"{before}|{printed}|{after}")
    assert "[secret:" in clean
    assert not redactor.found(clean)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_every_fragment_of_twelve_characters_is_found(data: st.DataObject) -> None:
    secret = data.draw(st.text(string.ascii_letters + string.digits, min_size=20, max_size=60))
    start = data.draw(st.integers(0, len(secret) - 12))
    length = data.draw(st.integers(12, len(secret) - start))
    fragment = secret[start : start + length]
    before, after = data.draw(anything), data.draw(anything)
    clean = Redactor([secret]).text(f"{before}|{fragment}|{after}")
    assert fragment not in clean


@settings(max_examples=80, deadline=None)
@given(st.recursive(anything | st.integers() | st.none(), lambda v: st.lists(v) | st.dictionaries(anything, v)))
def test_values_without_secrets_come_back_equal(value: object) -> None:
    assert REDACTOR.value(value) == value


@settings(max_examples=50, deadline=None)
@given(anything, secrets_)
def test_a_struct_is_left_with_no_secret_wherever_it_stood(text: str, secret: str) -> None:
    redactor = Redactor([secret])
    body = CommandRun(command=f"{text} {secret}", exit_code=1, duration_ms=1.5, stdout=secret, stderr=text)
    clean = redactor.struct(body)
    assert not any(redactor.found(field) for field in (clean.command, clean.stdout, clean.stderr))
    assert (clean.exit_code, clean.duration_ms) == (1, 1.5)


SHORTEST = [
    r"AIza[0-9A-Za-z_-]{30}",
    r"ya29\.[0-9A-Za-z_-]{20}",
    r"gh[opsur]_[A-Za-z0-9]{20}",
    r"github_pat_[A-Za-z0-9_]{22}",
    r"sk-[A-Z]{10}[0-9]{10}",
    r"[rs]k_(live|test)_[A-Za-z0-9]{16}",
    r"(AKIA|ASIA)[A-Z0-9]{16}",
    r"xox[abeoprs]-[A-Za-z0-9-]{15}",
    r"hooks\.slack\.com/services/T[A-Z0-9]/B[A-Z0-9]/[A-Za-z0-9]{16}",
    r"npm_[A-Za-z0-9]{36}",
    r"SG\.[A-Za-z0-9_-]{20}\.[A-Za-z0-9_-]{40}",
    r"eyJ[A-Za-z0-9_-]{8}\.eyJ[A-Za-z0-9_-]{8}\.",
    r"AccountKey=[A-Za-z0-9+/]{40}",
    r"[Bb]earer [A-Za-z._~+/-]{19}[0-9]",
    r"https://[a-z]{1,3}:[A-Za-z0-9%._~!+-]{8}@[a-z]",
    r"-----BEGIN PRIVATE KEY-----\n[A-Za-z0-9+/=]{16}",
]
shortest = st.one_of(
    [st.from_regex(shape, fullmatch=True, alphabet=st.characters(codec="ascii")) for shape in SHORTEST]
)
awkward = anything | st.text('abA1_-./ \n\t\\"@:=\x1b[', max_size=40)


@settings(max_examples=400, deadline=None)
@given(st.lists(shortest | awkward, max_size=5).map("".join))
def test_the_quick_look_overlooks_no_shape_that_the_slow_one_finds(text: str) -> None:
    data, line = text.encode(), msgspec.json.encode({"text": text})
    assert {shape for shape in SHAPES if shape.pattern.search(data)} <= set(possible(data))
    assert {shape for shape in SHAPES if shape.pattern.search(data)} <= set(possible(line))
    for redactor in (Redactor([]), REDACTOR):
        assert redactor.suspicious(line) or redactor.text(text) is text
