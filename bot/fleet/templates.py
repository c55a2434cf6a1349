"""Templates of playbooks: `{{ name }}`, Jinja's language in a sandbox, failing on everything that is not there.

Where a template ends up decides how values are written into it: quoted in a shell command, escaped in a regular
expression or glob, fenced in a prompt when strangers may have written them. Jinja loads late, and for checking only
where a template is more than text with `{{ name }}` in it.
"""

from __future__ import annotations

import functools
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from bot.base.errors import ConfigurationError
from bot.base.schema import near

if TYPE_CHECKING:
    from jinja2 import Template, nodes
    from jinja2.sandbox import SandboxedEnvironment

Kind = Literal["prompt", "text", "shell", "regex", "glob"]
_SIMPLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)(?:\.([A-Za-z_]\w*))?\s*\}\}")
_SYNTAX = ("{{", "{%", "{#")
PLUGIN_FACTS = ("name", "repo", "directory", "topics", "test", "setup", "version_file", "changelog", "base")
"""What a template may ask of `plugin`."""


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What a template may use."""

    known: tuple[str, ...]
    """All names: variables, and the names that are always there."""
    untrusted: tuple[str, ...] = ()
    """Those of them that strangers may have written."""


class Mistake(msgspec.Struct, frozen=True):
    """Something wrong in a template, `line` counted from 1 in the template."""

    line: int
    what: str
    cure: str


def check(template: str, kind: Kind, names: Names) -> list[Mistake]:
    """All that is wrong with a template, without its values."""
    if is_simple(template):
        return list(_check_simple(template, kind, names))
    return list(_check_whole(template, kind, names))


def is_simple(template: str) -> bool:
    """Whether it is only text with `{{ name }}` and `{{ name.part }}` in it."""
    rest = _SIMPLE.sub("", template)
    return not any(mark in rest for mark in _SYNTAX)


def render(template: str, kind: Kind, values: Mapping[str, Any]) -> str:
    """The template with its values. Raises `ConfigurationError` when it is broken or asks for what is not there."""
    from jinja2 import TemplateError

    try:
        return _compiled(template, kind).render(values)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
        msg = f"A template cannot be filled in: {error}."
        raise ConfigurationError(msg, f"It begins: {template.strip()[:80]}") from None


def _written(kind: Kind) -> Callable[[Any], str]:
    """How a value is written into a template of this kind."""
    quotes: dict[Kind, Callable[[str], str]] = {"shell": shlex.quote, "regex": re.escape, "glob": _literal}
    quote = quotes.get(kind, str)

    def write(value: object) -> str:
        from jinja2 import Undefined

        if isinstance(value, Undefined):
            return str(value)  # raises: the environment is strict
        if value is None:
            return ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return quote(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))

    return write


def _literal(text: str) -> str:
    return re.sub(r"([*?\[{])", r"[\1]", text)


@functools.cache
def _environment(kind: Kind) -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, finalize=_written(kind), keep_trailing_newline=True, autoescape=False
    )


@functools.lru_cache(maxsize=256)
def _compiled(template: str, kind: Kind) -> Template:
    return _environment(kind).from_string(template)


def _check_simple(template: str, kind: Kind, names: Names) -> Iterator[Mistake]:
    for found in _SIMPLE.finditer(template):
        line = template.count("\n", 0, found.start()) + 1
        name, part = found.groups()
        if name not in names.known:
            yield _unknown(name, line, names)
        elif part is not None and (name != "plugin" or part not in PLUGIN_FACTS):
            yield Mistake(line, f"`{name}.{part}` does not exist", _parts(name))
        elif part is None and name == "plugin":
            yield Mistake(line, "`plugin` alone is no text", _parts(name))
        elif name in names.untrusted and kind != "prompt":
            yield _leak(name, line)


def _check_whole(template: str, kind: Kind, names: Names) -> Iterator[Mistake]:
    from jinja2 import TemplateSyntaxError, meta, nodes

    try:
        tree = _environment(kind).parse(template)
        unknown = meta.find_undeclared_variables(tree) - set(names.known) - set(_environment(kind).globals)
    except TemplateSyntaxError as error:
        yield Mistake(error.lineno, f"the template is broken: {error.message}", "write {{ name }}")
        return
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        yield Mistake(node.lineno, "a template cannot load another", "name shared parts in `include:`")
    for used in tree.find_all(nodes.Name):
        if used.name in unknown:
            unknown.discard(used.name)
            yield _unknown(used.name, used.lineno, names)
    for asked in tree.find_all(nodes.Getattr):
        inner = asked.node
        if isinstance(inner, nodes.Name) and inner.name == "plugin" and asked.attr not in PLUGIN_FACTS:
            yield Mistake(asked.lineno, f"`plugin.{asked.attr}` does not exist", _parts("plugin"))
    yield from _leaks(tree, kind, names)


def _leaks(tree: nodes.Template, kind: Kind, names: Names) -> Iterator[Mistake]:
    """Untrusted names may only stand alone in `{{ }}` of a prompt, or in the question of an `{% if %}`."""
    from jinja2 import nodes

    fine: set[int] = set()
    if kind == "prompt":
        fine |= {id(part) for output in tree.find_all(nodes.Output) for part in output.nodes}
    fine |= {id(branch.test) for branch in tree.find_all(nodes.If)}
    fine |= {id(test.node) for test in tree.find_all(nodes.Test) if test.name in {"defined", "undefined"}}
    for node in tree.find_all(nodes.Name):
        if node.name in names.untrusted and id(node) not in fine:
            yield _leak(node.name, node.lineno)


def _unknown(name: str, line: int, names: Names) -> Mistake:
    guess = near(name, names.known)
    cure = f"write {guess}" if guess else f"known are: {', '.join(names.known)}"
    return Mistake(line, f"the template uses `{name}`, which is no variable", cure)


def _parts(name: str) -> str:
    return f"known are: {', '.join(f'plugin.{fact}' for fact in PLUGIN_FACTS)}" if name == "plugin" else f"write {name}"


def _leak(name: str, line: int) -> Mistake:
    what = f"`{name}` is untrusted text and cannot be used like this"
    return Mistake(line, what, f"write {{{{ {name} }}}} alone, in the instructions only")
