"""`find`: its expression as tests and actions over a virtual tree."""

from __future__ import annotations

import fnmatch
import shlex
from collections.abc import Callable

import msgspec

from bot.virtual.shell.call import Call, Done, Unmodelled
from bot.virtual.shell.matching import below


class Found(msgspec.Struct, frozen=True):
    """One thing that is looked at."""

    label: str
    """The path as `find` prints it."""
    place: str
    folder: bool
    depth: int


Test = Callable[[Found], bool]


class Search:
    """One run of `find`."""

    def __init__(self, call: Call, run: Callable[[Call], Done]) -> None:
        """`run` is how `-exec` starts a command."""
        self.call, self._run = call, run
        self.out: list[str] = []
        self.err: list[str] = []
        self.exit = 0
        self._waiting = list(call.words[1:])
        self._deepest, self._shallowest = 1 << 30, 0
        self._acts = False
        self._pruned: list[str] = []
        self._batches: list[tuple[list[str], list[str]]] = []

    def done(self) -> Done:
        """Walk all starting points."""
        tops = []
        while self._waiting and not self._waiting[0].startswith(("-", "(", "!")):
            tops.append(self._waiting.pop(0))
        test = self._either() if self._waiting else lambda _: True
        if self._waiting:
            raise Unmodelled(self._waiting[0])
        for top in tops or ["."]:
            things = below(self.call, top)
            if not things:
                self.err.append(f"find: '{top}': No such file or directory\n")
                self.exit = 1
            for label, place, folder in things:
                self._look(Found(label, place, folder, _depth(label, top)), test)
        for command, paths in self._batches:
            if paths:
                self._exec([*command, *paths])
        return Done(self.exit, "".join(self.out), "".join(self.err))

    def _look(self, found: Found, test: Test) -> None:
        if any(found.label.startswith(prefix + "/") for prefix in self._pruned):
            return
        if self._shallowest <= found.depth <= self._deepest and test(found) and not self._acts:
            self.out.append(found.label + "\n")

    def _either(self) -> Test:
        alternatives = [self._both()]
        while self._waiting and self._waiting[0] in {"-o", "-or"}:
            self._waiting.pop(0)
            alternatives.append(self._both())
        return lambda found: any(test(found) for test in alternatives)

    def _both(self) -> Test:
        tests: list[Test] = []
        while self._waiting and self._waiting[0] not in {"-o", "-or", ")"}:
            if self._waiting[0] in {"-a", "-and"}:
                self._waiting.pop(0)
                continue
            tests.append(self._single())
        return lambda found: all(test(found) for test in tests)

    def _single(self) -> Test:
        word = self._waiting.pop(0)
        if word in {"!", "-not"}:
            inner = self._single()
            return lambda found: not inner(found)
        if word in {"(", "\\("}:
            inner = self._either()
            if not self._waiting or self._waiting.pop(0) not in {")", "\\)"}:
                raise Unmodelled("find: ( without )")
            return inner
        if word in {"-print", "-print0", "-delete", "-prune", "-empty"}:
            return self._plain(word)
        if word == "-exec":
            return self._executing()
        return self._with_value(word, self._waiting.pop(0) if self._waiting else "")

    def _with_value(self, word: str, value: str) -> Test:
        if word in {"-maxdepth", "-mindepth"} and value.isdigit():
            if word == "-maxdepth":
                self._deepest = int(value)
            else:
                self._shallowest = int(value)
            return lambda _: True
        if word == "-type" and value in {"f", "d", "l"}:
            return lambda found: self._kind(found) == value
        by_name: dict[str, Test] = {
            "-name": lambda found: fnmatch.fnmatchcase(_name(found), value),
            "-iname": lambda found: fnmatch.fnmatchcase(_name(found).lower(), value.lower()),
            "-path": lambda found: fnmatch.fnmatchcase(found.label, value),
            "-wholename": lambda found: fnmatch.fnmatchcase(found.label, value),
        }
        if word not in by_name:
            raise Unmodelled("find", word)
        return by_name[word]

    def _plain(self, word: str) -> Test:
        self._acts = self._acts or word in {"-print", "-print0", "-delete"}
        tree = self.call.world.tree

        def act(found: Found) -> bool:
            if word == "-prune":
                self._pruned.append(found.label)
            elif word == "-empty":
                return not tree.children(found.place) if found.folder else not tree.files[found.place].data
            elif word == "-delete":
                (tree.drop_folder if found.folder else tree.drop)(found.place)
            else:
                self.out.append(found.label + ("\0" if word == "-print0" else "\n"))
            return True

        return act

    def _executing(self) -> Test:
        self._acts = True
        command: list[str] = []
        while self._waiting and self._waiting[0] not in {";", "\\;", "+"}:
            command.append(self._waiting.pop(0))
        if not self._waiting:
            raise Unmodelled("find -exec without an end")
        if self._waiting.pop(0) == "+":
            paths: list[str] = []
            self._batches.append((command[:-1], paths))
            return lambda found: not paths.append(found.label)  # type: ignore[func-returns-value]
        return lambda found: self._exec([word.replace("{}", found.label) for word in command]) == 0

    def _exec(self, words: list[str]) -> int:
        done = self._run(msgspec.structs.replace(self.call, words=words, stdin=""))
        self.out.append(done.out)
        self.err.append(done.err)
        return done.exit

    def _kind(self, found: Found) -> str:
        node = self.call.world.tree.get(found.place)
        return "d" if found.folder else "l" if node is not None and node.link is not None else "f"


def _name(found: Found) -> str:
    return found.label.rstrip("/").rpartition("/")[2] or found.label


def _depth(label: str, top: str) -> int:
    return label[len(top.rstrip("/")) :].count("/")


def xargs(call: Call, run: Callable[[Call], Done]) -> Done:
    """`xargs [-0] [-r] [-n N] [-I X] [-d C] COMMAND…`; `run` is how it starts one."""
    words = call.words[1:]
    at, values = 0, {}
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        letter, value = words[at][1:2], words[at][2:]
        if letter in "nIdLP":
            at += not value
            values[letter] = value or (words[at] if at < len(words) else "")
        elif words[at].strip("-0rt"):
            raise Unmodelled(*call.words)
        else:
            values |= dict.fromkeys(words[at][1:], "")
        at += 1
    command = words[at:] or ["echo"]
    items = _items(call.stdin, values)
    if "I" in values:
        batches = [[word.replace(values["I"], item) for word in command] for item in items]
    else:
        size = int(values.get("n") or values.get("L") or 0) or max(1, len(items))
        groups = [items[start : start + size] for start in range(0, len(items), size)]
        batches = [[*command, *group] for group in groups] or ([] if "r" in values else [command])
    ends = [run(msgspec.structs.replace(call, words=batch, stdin="")) for batch in batches]
    code = 123 if any(0 < end.exit < 126 for end in ends) else max((end.exit for end in ends), default=0)
    return Done(code, "".join(end.out for end in ends), "".join(end.err for end in ends))


def _items(stdin: str, values: dict[str, str]) -> list[str]:
    if "0" in values:
        return [item for item in stdin.split("\0") if item]
    if "d" in values:
        mark = {"\\n": "\n", "\\t": "\t"}.get(values["d"], values["d"])
        return stdin.removesuffix(mark).split(mark) if stdin else []
    if "I" in values or "L" in values:
        return [line.strip() for line in stdin.splitlines() if line.strip()]
    try:
        return shlex.split(stdin, comments=False)
    except ValueError:
        raise Unmodelled("xargs with an open quote") from None
