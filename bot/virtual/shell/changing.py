"""Commands that change files: mkdir, rm, mv, cp, touch, tee, chmod and what belongs to them."""

from __future__ import annotations

from bot.virtual.shell.call import Call, Done, Unmodelled, raw, split, text, write
from bot.virtual.tree import joined, node
from bot.virtual.world import said


def mkdir(call: Call) -> Done:
    """`mkdir [-p] DIR…`."""
    chosen = split(call.words, "pv", "m", {"parents": "p"})
    err = []
    tree = call.world.tree
    for name in chosen.operands:
        place = call.world.real(call.place(name))
        if tree.get(place) or (tree.is_folder(place) and not chosen.has("p")):
            err.append(f"mkdir: cannot create directory '{name}': File exists\n")
        elif why := _make(call, place, parents=chosen.has("p")):
            err.append(f"mkdir: cannot create directory '{name}': {why}\n")
    return Done(int(bool(err)), "", "".join(err))


def _make(call: Call, place: str, *, parents: bool) -> str:
    try:
        call.world.check_parents(f"{place}/x")
    except OSError as error:
        return said(error)
    if not parents and not call.world.tree.is_folder(place.rpartition("/")[0]):
        return "No such file or directory"
    call.world.tree.add_folder(place)
    return ""


def rmdir(call: Call) -> Done:
    """`rmdir DIR…`."""
    chosen = split(call.words, "")
    err = []
    for name in chosen.operands:
        place = call.world.real(call.place(name))
        if not call.world.tree.is_folder(place):
            err.append(f"rmdir: failed to remove '{name}': No such file or directory\n")
        elif call.world.tree.children(place):
            err.append(f"rmdir: failed to remove '{name}': Directory not empty\n")
        else:
            call.world.tree.drop_folder(place)
    return Done(int(bool(err)), "", "".join(err))


def rm(call: Call) -> Done:
    """`rm [-rf] PATH…`."""
    chosen = split(call.words, "rRfvid", long={"recursive": "r", "force": "f"})
    err = []
    for name in chosen.operands:
        place = call.place(name)
        if place in {"", "/"}:
            err.append(f"rm: refusing to remove '.' or '..' directory: skipping '{name}'\n")
        elif call.world.tree.get(place) is not None:
            call.world.tree.drop(place)
        elif call.world.tree.is_folder(place):
            if chosen.has("rR"):
                _drop_all(call, place)
            else:
                err.append(f"rm: cannot remove '{name}': Is a directory\n")
        elif not chosen.has("f"):
            err.append(f"rm: cannot remove '{name}': No such file or directory\n")
    return Done(int(bool(err)), "", "".join(err))


def _drop_all(call: Call, place: str) -> None:
    tree = call.world.tree
    for path in list(tree.below(place)):
        tree.drop(path)
    for folder in [folder for folder in tree.folders if folder == place or folder.startswith(place + "/")]:
        tree.drop_folder(folder)


def mv(call: Call) -> Done:
    """`mv SOURCE… TARGET`."""
    return _carry(call, keep=False)


def cp(call: Call) -> Done:
    """`cp [-r] SOURCE… TARGET`."""
    return _carry(call, keep=True)


def _carry(call: Call, *, keep: bool) -> Done:
    chosen = split(call.words, "rRafpvnTu", long={"recursive": "r", "force": "f", "archive": "a"})
    if chosen.has("nTu"):
        raise Unmodelled(" ".join(call.words[:2]))
    if len(chosen.operands) < 2:
        return call.fails("missing destination file operand")
    *sources, target = chosen.operands
    tree = call.world.tree
    into = tree.is_folder(call.world.real(call.place(target)))
    if len(sources) > 1 and not into:
        return call.fails(f"target '{target}' is not a directory")
    err = []
    for name in sources:
        place = call.place(name)
        goal = call.world.real(call.place(target))
        if into:
            goal = joined(goal, place.rpartition("/")[2])
        why = _carry_one(call, place, goal, keep=keep, recursive=chosen.has("rRa") or not keep)
        if why:
            verb = "stat" if why.startswith("No such") else "create regular file"
            err.append(f"{call.name}: cannot {verb} '{name}': {why}\n")
    return Done(int(bool(err)), "", "".join(err))


def _carry_one(call: Call, place: str, goal: str, *, keep: bool, recursive: bool) -> str:
    world, tree = call.world, call.world.tree
    found = tree.get(place)
    if found is not None:
        if place == goal:
            return "are the same file"
        try:
            world.check_parents(goal)
        except OSError as error:
            return said(error)
        if not tree.is_folder(goal.rpartition("/")[0]):
            return "No such file or directory"
        tree.put(goal, found)
        if not keep:
            tree.drop(place)
        return ""
    if not tree.is_folder(place):
        return "No such file or directory"
    if not recursive:
        return "-r not specified; omitting directory"
    if goal == place or goal.startswith(place + "/"):
        return "cannot be put into itself"
    for path in list(tree.below(place)):
        tree.put(goal + path[len(place) :], tree.files[path])
    tree.add_folder(goal)
    if not keep:
        _drop_all(call, place)
    return ""


def touch(call: Call) -> Done:
    """`touch FILE…`; times are not kept."""
    chosen = split(call.words, "acm", "dtr")
    err = []
    for name in chosen.operands:
        place = call.world.real(call.place(name))
        if call.world.tree.get(place) or call.world.tree.is_folder(place) or chosen.has("c"):
            continue
        if why := write(call, name, ""):
            err.append(f"touch: cannot touch '{name}': {why}\n")
    return Done(int(bool(err)), "", "".join(err))


def tee(call: Call) -> Done:
    """`tee [-a] FILE…`."""
    chosen = split(call.words, "ai", long={"append": "a"})
    err = []
    for name in chosen.operands:
        old = call.world.tree.get(call.world.real(call.place(name))) if chosen.has("a") else None
        if why := write(call, name, (text(old.data) if old else "") + call.stdin):
            err.append(f"tee: {name}: {why}\n")
    return Done(int(bool(err)), call.stdin, "".join(err))


def chmod(call: Call) -> Done:
    """`chmod [+x | -x | NNN] FILE…`; only the executable bit is kept."""
    words = [word for word in call.words[1:] if word not in {"-R", "-v", "-f"}]
    if len(words) < 2:
        return call.fails("missing operand")
    mode, *names = words
    digits = mode.isdigit()
    on = bool(int(mode, 8) & 0o100) if digits else "+" in mode or "=" in mode
    err = []
    for name in names:
        place = call.world.real(call.place(name))
        found = call.world.tree.get(place)
        if found is not None and (digits or "x" in mode):
            call.world.tree.put(place, node(found.data, executable=on and (digits or "x" in mode)))
        elif found is None and not call.world.tree.is_folder(place):
            err.append(f"chmod: cannot access '{name}': No such file or directory\n")
    return Done(int(bool(err)), "", "".join(err))


def ln(call: Call) -> Done:
    """`ln -s TARGET NAME`."""
    chosen = split(call.words, "sfn")
    if not chosen.has("s") or len(chosen.operands) != 2:
        raise Unmodelled("ln without -s")
    target, name = chosen.operands
    place = call.place(name)
    if call.world.tree.is_folder(place):
        place = joined(place, target.rstrip("/").rpartition("/")[2])
    if call.world.tree.get(place) is not None and not chosen.has("f"):
        return call.fails(f"failed to create symbolic link '{name}': File exists")
    if not call.world.tree.is_folder(place.rpartition("/")[0]):
        return call.fails(f"failed to create symbolic link '{name}': No such file or directory")
    call.world.tree.put(place, node(raw(target), link=target))
    return Done()
