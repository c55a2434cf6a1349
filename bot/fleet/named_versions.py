"""The versions that a report names in words: in a line, as an answer in a form, or in a sentence. A stranger's text."""

from __future__ import annotations

import re

_LONGEST = 200_000
_NUMBER = r"v?\d{1,9}(?:\.\d{1,9}){1,4}(?:(?:a|b|c|rc|dev|post)\d{1,9})?(?:[-.+][0-9A-Za-z]{1,40}){0,4}"
_END = r"(?![\w+-]|[.:]\w)"
_LINE = re.compile(r"^[ \t>*-]*(?:version|release)(?:[ \t]or[ \t]commit)?\b[ \t:=*]{1,5}(\S{1,100})", re.I | re.M)
"""`Version: 1.4.2`."""
_ANSWER = re.compile(
    r"^#{1,6}[ \t]{1,5}(?:version|release)(?:[ \t]+or[ \t]+commit)?[ \t:]{0,5}\r?\n\s{0,20}(?![\s#])([^\r\n]{1,200})",
    re.I | re.M,
)
"""What stands below a form's heading `### Version or commit`."""
_IN_ANSWER = re.compile(rf"(?<![\w.:/-])({_NUMBER}){_END}", re.I)
_SENTENCE = re.compile(
    rf"\b(?:in|on|at|with|since|using|running)[ \t]{{1,5}}(?:the[ \t]{{1,5}})?(?:version|release)[ \t]{{1,5}}"
    rf"({_NUMBER}){_END}(?![ \t]{{1,5}}of\b)",
    re.I,
)
"""`… broke in version 1.4.2`, but neither `in Python version 3.11` nor `in version 2.31.0 of requests`."""
_GOOD = {"fine", "fixed", "gone", "good", "ok", "okay", "released", "resolved", "solved", "work", "worked", "works"}
"""Before a version in a sentence: it is not the one that fails."""


def versions_in(text: str) -> tuple[str, ...]:
    """The versions that a text names: those of lines and answers first, then those of sentences, in their order."""
    text = text[:_LONGEST]
    found = [(one.start(1), one[1].strip("`\"',;*")) for one in _LINE.finditer(text)]
    for answer in _ANSWER.finditer(text):
        number = _IN_ANSWER.search(answer[1])
        if number is not None:
            found.append((answer.start(1), number[1]))
    said = [one[1] for one in _SENTENCE.finditer(text) if not _good(text[max(0, one.start() - 30) : one.start()])]
    named = [version for _, version in sorted(found) if re.search(r"\d", version)]
    return tuple(dict.fromkeys(named + said))


def _good(before: str) -> bool:
    words = before.lower().split()
    return bool(words) and words[-1] in _GOOD
