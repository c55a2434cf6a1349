"""Reads single rules out of parsed YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec

from bot.base.values import Outcome
from bot.expected.monitor import Operator
from bot.expected.operators import After, Before, Between, Count, Last, Never, Only
from bot.expected.outcome import OutcomeRule
from bot.expected.predicates import PREDICATES
from bot.expected.rules import Rule, Severity
from bot.expected.same import Same, Side
from bot.expected.selectors import NOTHING, Selector, Selectors
from bot.expected.vocabulary import Mistake, Yaml, field_at, near

_ABOUT_A_RULE = ("id", "severity", "message", "when")
_SEVERITIES: tuple[str, ...] = get_args(Severity)
_OUTCOMES: tuple[str, ...] = get_args(Outcome)


class RuleReader:
    """The reader of one document: knows its named selectors and the ids that are taken."""

    def __init__(self, let: object, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        self.selectors = Selectors(let or {}, mistakes)
        self.ids: set[str] = set()
        self.operators: dict[str, Callable[[Any, str], Operator | None]] = {
            "never": lambda spec, where: Never(self.select(spec, where)),
            "only": self.only,
            "count": self.count,
            "before": lambda spec, where: self.pair(Before, spec, where, "first", "then"),
            "after": lambda spec, where: self.pair(After, spec, where, "each", "must"),
            "last": self.last,
            "between": self.between,
            "same": self.same,
        }

    def wrong(self, where: str, what: str, cure: str = "") -> None:
        self.mistakes.append(Mistake(where, what, cure))

    def entries(self, spec: object, where: str) -> list[Any]:
        if isinstance(spec, list | tuple):
            return list(spec)
        if spec is not None:
            self.wrong(where, "has to be a list of rules")
        return []

    def rule(self, spec: object, where: str) -> Rule | None:
        head = self.head(spec, where, tuple(self.operators))
        if head is None:
            return None
        word, about = head
        operator = self.operators[word](about.pop(word), f"{where}.{word}")
        return Rule(operator=operator, **about) if operator is not None else None

    def outcome(self, spec: object, where: str) -> OutcomeRule | None:
        head = self.head(spec, where, tuple(PREDICATES))
        if head is None:
            return None
        word, about = head
        asked = about.pop(word)
        try:
            predicate = msgspec.convert({} if asked is True else asked, PREDICATES[word])
            for name in ("contains", "lacks"):
                re.compile(getattr(predicate, name, None) or "")
        except (msgspec.ValidationError, re.error) as error:
            self.wrong(f"{where}.{word}", str(error))
            return None
        return OutcomeRule(word=word, predicate=predicate, **about)  # type: ignore[arg-type]

    def head(self, spec: object, where: str, words: tuple[str, ...]) -> tuple[str, dict[str, Any]] | None:
        """The operator of a rule, and the rule's own keys, checked, with the operator's part still raw."""
        if not isinstance(spec, Mapping):
            self.wrong(where, "is no rule", "{id: …, " + words[0] + ": …}")
            return None
        before = len(self.mistakes)
        self.about(spec, where)
        found = [word for word in words if word in spec]
        for key in spec:
            if key not in words and key not in _ABOUT_A_RULE:
                self.wrong(where, f"there is no operator {key!r}{near(str(key), (*words, *_ABOUT_A_RULE))}")
        if len(found) != 1 and len(self.mistakes) == before:
            self.wrong(where, f"needs exactly one of {', '.join(words)}")
        if len(found) != 1 or len(self.mistakes) > before:
            for word in found:
                self.look(word, spec[word], where)
            return None
        about = dict(spec)
        when = about.get("when", ())
        about["when"] = (when,) if isinstance(when, str) else tuple(when)
        return found[0], about

    def look(self, word: str, spec: object, where: str) -> None:
        """Read an operator only for its mistakes, when the rule around it is already wrong."""
        if word in self.operators:
            self.operators[word](spec, f"{where}.{word}")

    def about(self, spec: Mapping[Any, Any], where: str) -> None:
        name = spec.get("id")
        if not isinstance(name, str) or not name:
            self.wrong(where, "has no id", "add id: with a short name")
        elif name in self.ids:
            self.wrong(where, f"the id {name} is taken")
        self.ids.add(str(name))
        severity = spec.get("severity", "fail")
        if severity not in _SEVERITIES:
            self.wrong(f"{where}.severity", f"{severity!r} is no severity{near(str(severity), _SEVERITIES)}")
        if not isinstance(spec.get("message", ""), str):
            self.wrong(f"{where}.message", "is no text")
        when = spec.get("when", [])
        for outcome in [when] if isinstance(when, str) else when if isinstance(when, list | tuple) else [when]:
            if outcome not in _OUTCOMES:
                self.wrong(f"{where}.when", f"{outcome!r} is no outcome{near(str(outcome), _OUTCOMES)}")

    def keys(self, spec: object, where: str, needed: tuple[str, ...], more: tuple[str, ...] = ()) -> bool:
        """Whether `spec` is a mapping with these keys."""
        if not isinstance(spec, Mapping):
            self.wrong(where, f"has to be a mapping with {', '.join(needed)}")
            return False
        missing = [key for key in needed if key not in spec]
        unknown = [key for key in spec if key not in needed + more]
        for key in missing:
            self.wrong(where, f"{key} is missing")
        for key in unknown:
            cure = "YAML reads on, yes, no and off as true and false" if isinstance(key, bool) else ""
            self.wrong(where, f"there is no {key!r} here{near(str(key), needed + more)}", cure)
        return not missing and not unknown

    def select(self, spec: object, where: str, about: frozenset[str] | None = None) -> Selector:
        return self.selectors.read(spec, where, about)

    def pair(
        self, make: Callable[[Selector, Selector], Operator], spec: Yaml, where: str, one: str, two: str
    ) -> Operator | None:
        if not self.keys(spec, where, (one, two)):
            return None
        return make(self.select(spec[one], f"{where}.{one}"), self.select(spec[two], f"{where}.{two}"))

    def only(self, spec: Yaml, where: str) -> Operator | None:
        if not self.keys(spec, where, ("of", "allow")):
            return None
        of = self.select(spec["of"], f"{where}.of")
        return Only(of, self.select(spec["allow"], f"{where}.allow", of.kinds))

    def last(self, spec: Yaml, where: str) -> Operator | None:
        if not self.keys(spec, where, ("of", "is")):
            return None
        of = self.select(spec["of"], f"{where}.of")
        return Last(of, self.select(spec["is"], f"{where}.is", of.kinds))

    def count(self, spec: Yaml, where: str) -> Operator | None:
        if not self.keys(spec, where, ("of",), ("min", "max")):
            return None
        of, least, most = self.select(spec["of"], f"{where}.of"), spec.get("min", 0), spec.get("max")
        for name, bound in (("min", least), ("max", most)):
            if not (isinstance(bound, int) and not isinstance(bound, bool) and bound >= 0) and bound is not None:
                self.wrong(f"{where}.{name}", f"{bound!r} is no number of events")
                return None
        if "min" not in spec and most is None:
            self.wrong(where, "needs min or max")
        elif most is not None and least is not None and most < least:
            self.wrong(where, f"max {most} is below min {least}, so nothing can pass")
        return Count(of, least or 0, most)

    def between(self, spec: Yaml, where: str) -> Operator | None:
        if not self.keys(spec, where, ("from", "never"), ("to",)):
            return None
        begin, never = self.select(spec["from"], f"{where}.from"), self.select(spec["never"], f"{where}.never")
        return Between(begin, self.select(spec["to"], f"{where}.to") if "to" in spec else None, never)

    def same(self, spec: Yaml, where: str) -> Operator | None:
        if not self.keys(spec, where, ("a", "b")):
            return None
        a, b = self.side(spec["a"], f"{where}.a"), self.side(spec["b"], f"{where}.b")
        return Same(a, b) if a is not None and b is not None else None

    def side(self, spec: Yaml, where: str) -> Side | None:
        if not self.keys(spec, where, ("of", "field"), ("re",)):
            return None
        of = self.select(spec["of"], f"{where}.of")
        for kind in sorted(of.kinds):
            field = field_at(kind, str(spec["field"]))
            if isinstance(field, str):
                self.wrong(f"{where}.field", field)
        try:
            pattern = re.compile(spec["re"]) if "re" in spec else None
        except (re.error, TypeError) as error:
            self.wrong(f"{where}.re", f"not a regular expression: {error}")
            return None
        return Side(of, str(spec["field"]), pattern) if of is not NOTHING else None
