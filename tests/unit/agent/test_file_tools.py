"""Reading, writing and editing files as the model does."""

from __future__ import annotations

import pytest
from agents import Bench, FixedApprover, make_task
from hypothesis import given
from hypothesis import strategies as st
from memory_sandbox import ROOT, MemorySandbox

from bot.agent.tools.outputs import SHOWN
from bot.ports import Answer, CommandResult
from bot.trace.events import FileWrite, ToolCompleted, ToolFailed


def failed(bench: Bench) -> ToolFailed:
    return bench.trace.all(ToolFailed)[-1]


# Reading


def test_a_short_file_is_shown_as_it_is() -> None:
    bench = Bench({"a.txt": "one\ntwo\n"})
    assert bench.do("read_file", path="a.txt").output == "one\ntwo\n"


def test_lines_are_counted_from_one_and_the_answer_says_which_are_shown() -> None:
    bench = Bench({"a.txt": "".join(f"{n}\n" for n in range(1, 11))})
    output = bench.do("read_file", path="a.txt", start_line=3, end_line=4).output
    assert output == "[a.txt: lines 3 to 4 of 10]\n3\n4\n"


def test_a_long_file_comes_in_pages_that_lead_to_its_end() -> None:
    lines = [f"line {n} {'x' * 50}" for n in range(1, 2001)]
    bench = Bench({"long.txt": "\n".join(lines)})
    seen: list[str] = []
    start = 1
    while start:
        output = bench.do("read_file", path="long.txt", start_line=start).output
        head, _, text = output.partition("\n")
        assert len(text) <= SHOWN
        seen += text.splitlines()
        start = int(head.split("start_line=")[1].split(" ")[0]) if "start_line=" in head else 0
    assert seen == lines


def test_one_endless_line_is_cut_and_says_so() -> None:
    output = Bench({"min.js": "x" * 100_000}).do("read_file", path="min.js").output
    assert len(output) < SHOWN + 200
    assert "the line goes on" in output


def test_a_range_behind_the_end_says_how_long_the_file_is() -> None:
    result = Bench({"a.txt": "one\n"}).do("read_file", path="a.txt", start_line=5)
    assert result.is_error
    assert "has 1 lines" in result.output


@pytest.mark.parametrize(("start", "end"), [(0, None), (-3, None), (4, 2)])
def test_a_range_that_is_none_is_refused(start: int, end: int | None) -> None:
    assert Bench({"a.txt": "one\n"}).do("read_file", path="a.txt", start_line=start, end_line=end).is_error


def test_a_binary_file_is_named_and_not_shown() -> None:
    assert "binary" in Bench({"x.bin": b"\0\1\2"}).do("read_file", path="x.bin").output


def test_an_empty_file_is_said_to_be_empty() -> None:
    assert "empty" in Bench({"x": b""}).do("read_file", path="x").output


def test_utf_16_is_read_as_text() -> None:
    assert "héllo" in Bench({"x.txt": "héllo\n".encode("utf-16")}).do("read_file", path="x.txt").output


def test_other_encodings_are_shown_and_said_to_be_no_utf_8() -> None:
    output = Bench({"x.txt": "café\n".encode("latin-1")}).do("read_file", path="x.txt").output
    assert "café" in output
    assert "not UTF-8" in output


def test_a_huge_file_is_read_in_part_and_never_counts_as_seen() -> None:
    bench = Bench({"big.txt": b"x" * 50 + b"\n" + b"y\n" * (5 << 20)})
    assert "only the first" in bench.do("read_file", path="big.txt").output
    assert bench.do("write_file", path="big.txt", content="small").is_error


# Paths


@pytest.mark.parametrize(
    "path",
    [
        "../outside",
        "a/../../outside",
        "/etc/passwd",
        "~/.netrc",
        "a\0b",
        "x" * 5000,
        f"{ROOT}/../etc/passwd",
        "link",
        "dir/x",
    ],
)
@pytest.mark.parametrize("tool", ["read_file", "write_file", "list_files"])
def test_a_path_that_leaves_the_workspace_is_refused_by_every_tool(tool: str, path: str) -> None:
    sandbox = MemorySandbox({"a.txt": "one\n"}, links={"link": "/etc/passwd", "dir": "/etc"})
    bench = Bench(sandbox=sandbox)
    args = {"path": path} | ({"content": "x"} if tool == "write_file" else {})
    assert bench.do_args(tool, args).is_error
    assert failed(bench).reason == "refused_path"
    assert sandbox.files == {"a.txt": b"one\n"}


def test_an_absolute_path_inside_the_workspace_is_the_same_as_a_relative_one() -> None:
    bench = Bench({"src/a.py": "x = 1\n"})
    assert bench.do("read_file", path=f"{ROOT}/src/a.py").output == "x = 1\n"
    assert not bench.do("write_file", path=f"{ROOT}/src/b.py", content="y\n").is_error
    assert bench.guard.asked[-2][2][0].path == "src/b.py"


def test_paths_start_in_the_plugins_folder() -> None:
    task = make_task(plugin={"directory": "plugins/one"})
    bench = Bench({"plugins/one/a.txt": "mine\n", "a.txt": "root\n"}, task=task)
    assert bench.do("read_file", path="a.txt").output == "mine\n"
    assert bench.do("read_file", path="../../a.txt").output == "root\n"
    assert bench.do("read_file", path="../../../a.txt").is_error
    assert bench.do("list_files").output.splitlines() == ["a.txt"]
    bench.do("write_file", path="new.txt", content="x")
    assert bench.trace.one(FileWrite).path == "plugins/one/new.txt"


def test_a_missing_file_and_a_folder_get_answers_that_say_what_to_do() -> None:
    bench = Bench({"src/a.py": ""})
    assert "list_files" in bench.do("read_file", path="nope.txt").output
    assert failed(bench).reason == "not_found"
    assert "folder" in bench.do("read_file", path="src").output
    assert failed(bench).reason == "conflict"


# Writing


def test_a_new_file_is_created_with_its_folders() -> None:
    bench = Bench({})
    assert "created" in bench.do("write_file", path="src/deep/a.py", content="x = 1\n").output
    assert bench.sandbox.files["src/deep/a.py"] == b"x = 1\n"


def test_an_existing_file_is_not_overwritten_unseen() -> None:
    bench = Bench({"a.txt": "precious\n"})
    assert "read_file" in bench.do("write_file", path="a.txt", content="new\n").output
    assert failed(bench).reason == "conflict"
    assert bench.sandbox.files["a.txt"] == b"precious\n"


def test_having_read_all_of_it_is_enough_and_a_part_is_not() -> None:
    bench = Bench({"a.txt": "1\n2\n3\n"})
    bench.do("read_file", path="a.txt", start_line=1, end_line=2)
    assert bench.do("write_file", path="a.txt", content="new\n").is_error
    bench.do("read_file", path="a.txt", start_line=3)
    assert not bench.do("write_file", path="a.txt", content="new\n").is_error
    assert not bench.do("write_file", path="a.txt", content="again\n").is_error


def test_what_a_command_changed_meanwhile_has_to_be_read_again() -> None:
    bench = Bench({"a.txt": "1\n"})
    bench.do("read_file", path="a.txt")
    bench.do("run_shell_command", command="echo 2 > a.txt")
    assert bench.do("write_file", path="a.txt", content="new\n").is_error


@pytest.mark.parametrize(
    "line",
    [
        "# ... rest unchanged",
        "// ... existing code ...",
        "... (remaining lines unchanged)",
        "# … rest of the file omitted",
        "/* ... other methods stay the same ... */",
        "(the rest of the file remains unchanged)",
    ],
)
def test_a_line_that_stands_for_what_was_left_out_is_refused(line: str) -> None:
    bench = Bench({})
    assert line.strip() in bench.do("write_file", path="a.py", content=f"x = 1\n{line}\n").output
    assert "a.py" not in bench.sandbox.files


@pytest.mark.parametrize("line", ["x = [...]", "def f(): ...", "print('...')", "# and the rest is history", "    ..."])
def test_honest_dots_are_no_placeholder(line: str) -> None:
    assert not Bench({}).do("write_file", path="a.py", content=f"{line}\n").is_error


def test_a_placeholder_that_the_file_had_already_may_stay() -> None:
    bench = Bench({"doc.md": "# ... rest unchanged\n"})
    bench.do("read_file", path="doc.md")
    assert not bench.do("write_file", path="doc.md", content="# ... rest unchanged\nmore\n").is_error


def test_replacing_keeps_mark_and_line_ends() -> None:
    bench = Bench({"a.txt": b"\xef\xbb\xbfone\r\ntwo\r\n"})
    bench.do("read_file", path="a.txt")
    bench.do("write_file", path="a.txt", content="one\nzwei\n")
    assert bench.sandbox.files["a.txt"] == b"\xef\xbb\xbfone\r\nzwei\r\n"


def test_a_character_that_the_files_encoding_lacks_is_named() -> None:
    bench = Bench({"a.txt": "café\n".encode("latin-1")})
    bench.do("read_file", path="a.txt")
    assert "→" in bench.do("write_file", path="a.txt", content="a → b\n").output
    assert failed(bench).reason == "conflict"


def test_a_binary_file_can_be_replaced_once_seen() -> None:
    bench = Bench({"a.bin": b"\0\1"})
    assert bench.do("write_file", path="a.bin", content="text\n").is_error


def test_a_file_that_is_no_folder_is_said_so() -> None:
    bench = Bench({"a.txt": "x"})
    assert bench.do("write_file", path="a.txt/b", content="x").is_error
    assert failed(bench).reason == "conflict"


def test_the_trace_has_the_write_with_its_hashes() -> None:
    bench = Bench({})
    bench.do("write_file", path="a.txt", content="x\n")
    write = bench.trace.one(FileWrite)
    assert (write.path, write.change, write.bytes, write.sha256_before) == ("a.txt", "created", 2, None)
    assert write.call == "1.0"


# Editing


def test_an_exact_piece_is_replaced_and_the_change_shown() -> None:
    bench = Bench({"a.py": "x = 1\ny = 2\n"})
    output = bench.do("edit_file", path="a.py", old="y = 2", new="y = 3").output
    assert "-y = 2" in output
    assert "+y = 3" in output
    assert bench.sandbox.files["a.py"] == b"x = 1\ny = 3\n"


def test_a_piece_that_stands_there_twice_is_refused_with_its_lines() -> None:
    bench = Bench({"a.py": "x\ny\nx\n"})
    assert "lines 1, 3" in bench.do("edit_file", path="a.py", old="x", new="z").output
    assert bench.sandbox.files["a.py"] == b"x\ny\nx\n"
    assert not bench.do("edit_file", path="a.py", old="x", new="z", count=2).is_error
    assert bench.sandbox.files["a.py"] == b"z\ny\nz\n"


def test_a_piece_that_is_not_there_says_where_something_like_it_stands() -> None:
    output = Bench({"a.py": "if x:\n    y\n"}).do("edit_file", path="a.py", old="if x:\n\ty", new="z").output
    assert "line 1" in output


@pytest.mark.parametrize(("old", "new", "count"), [("", "x", 1), ("x", "x", 1), ("x", "y", 0)])
def test_an_edit_that_means_nothing_is_refused(old: str, new: str, count: int) -> None:
    bench = Bench({"a.py": "x\n"})
    assert bench.do("edit_file", path="a.py", old=old, new=new, count=count).is_error
    assert failed(bench).reason == "bad_arguments"


def test_editing_what_is_not_there_or_no_text_is_refused() -> None:
    bench = Bench({"x.bin": b"\0\1"})
    assert "write_file" in bench.do("edit_file", path="a.py", old="x", new="y").output
    assert "binary" in bench.do("edit_file", path="x.bin", old="x", new="y").output


def test_a_placeholder_in_an_edit_is_refused() -> None:
    assert Bench({"a.py": "x\n"}).do("edit_file", path="a.py", old="x", new="y\n# ... rest unchanged").is_error


def test_an_edit_of_what_was_seen_whole_keeps_it_seen() -> None:
    bench = Bench({"a.py": "x\n"})
    bench.do("read_file", path="a.py")
    bench.do("edit_file", path="a.py", old="x", new="y")
    assert not bench.do("write_file", path="a.py", content="z\n").is_error


def test_an_edit_finds_lines_in_a_file_with_crlf_and_keeps_them() -> None:
    bench = Bench({"a.txt": b"\xef\xbb\xbfone\r\ntwo\r\nthree\r\n"})
    bench.do("edit_file", path="a.txt", old="one\ntwo", new="1\n2\n2b")
    assert bench.sandbox.files["a.txt"] == b"\xef\xbb\xbf1\r\n2\r\n2b\r\nthree\r\n"


def test_mixed_line_ends_stay_mixed() -> None:
    bench = Bench({"a.txt": b"one\r\ntwo\nthree\r\n"})
    bench.do("edit_file", path="a.txt", old="two", new="2")
    assert bench.sandbox.files["a.txt"] == b"one\r\n2\nthree\r\n"


def test_an_edit_in_latin_1_touches_only_its_place() -> None:
    bench = Bench({"a.txt": "café\nthé\n".encode("latin-1")})
    bench.do("edit_file", path="a.txt", old="thé", new="lait")
    assert bench.sandbox.files["a.txt"] == "café\nlait\n".encode("latin-1")
    assert bench.do("edit_file", path="a.txt", old="lait", new="→").is_error


@given(
    before=st.text(st.characters(codec="utf-8", exclude_characters="X\0"), max_size=40),
    after=st.text(st.characters(codec="utf-8", exclude_characters="X\0"), max_size=40),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_an_edit_leaves_every_other_byte_alone(before: str, after: str, newline: str, encoding: str) -> None:
    text = f"{before}{newline}X{newline}{after}"
    bench = Bench({"f": text.encode(encoding)})
    assert not bench.do("edit_file", path="f", old="X", new="Y").is_error
    assert bench.sandbox.files["f"] == f"{before}{newline}Y{newline}{after}".encode(encoding)


@given(data=st.binary(max_size=60).filter(lambda data: b"X" not in data and b"\0" not in data))
def test_an_edit_leaves_bytes_of_no_known_encoding_alone(data: bytes) -> None:
    bench = Bench({"f": b"\xfe" + data + b"X" + data})
    if not bench.do("edit_file", path="f", old="X", new="Y").is_error:
        assert bench.sandbox.files["f"] == b"\xfe" + data + b"Y" + data


# Listing and searching


def test_files_are_listed_with_their_kind() -> None:
    sandbox = MemorySandbox({"src/a.py": "", "README": ""}, links={"link": "/etc"})
    assert Bench(sandbox=sandbox).do("list_files").output.splitlines() == ["README", "link@", "src/", "src/a.py"]


def test_a_pattern_without_a_slash_fits_names_anywhere() -> None:
    bench = Bench({"src/a.py": "", "src/b.txt": "", "c.py": ""})
    assert bench.do("list_files", pattern="*.py").output.splitlines() == ["c.py", "src/a.py"]
    assert bench.do("list_files", path="src", pattern="*.txt").output == "src/b.txt"
    assert "no file" in bench.do("list_files", pattern="*.rs").output


def test_a_large_tree_is_summed_up_by_folder() -> None:
    bench = Bench({f"node_modules/p{n}/index.js": "" for n in range(500)} | {"main.js": ""})
    output = bench.do("list_files").output
    assert "node_modules/ (1,000 entries)" in output
    assert "main.js" in output
    assert len(bench.do("list_files", pattern="*.js").output.splitlines()) == 401


def test_a_folder_that_is_not_there_and_an_empty_one_are_told_apart() -> None:
    bench = Bench({})
    assert "nothing there" in bench.do("list_files").output
    assert bench.do("list_files", path="nope").is_error
    assert Bench({"a": "x"}).do("list_files", path="a").is_error


def test_a_search_answers_with_file_line_and_text() -> None:
    bench = Bench({"src/a.py": "x = 1\ny = 22\n", "b.txt": "y = 3\n"})
    assert bench.do("search_files", pattern=r"y = \d+").output.splitlines() == ["b.txt:1:y = 3", "src/a.py:2:y = 22"]
    assert bench.do("search_files", pattern="y", glob="*.py").output == "src/a.py:2:y = 22"
    assert bench.do("search_files", pattern="y", path="src").output == "src/a.py:2:y = 22"
    assert "nothing" in bench.do("search_files", pattern="zzz").output


def test_a_search_in_a_plugins_folder_gives_paths_that_the_other_tools_take() -> None:
    bench = Bench({"p/a.py": "x\n"}, task=make_task(plugin={"directory": "p"}))
    assert bench.do("search_files", pattern="x").output == "a.py:1:x"
    assert bench.do("read_file", path="a.py").output == "x\n"


def test_a_search_cannot_smuggle_a_command() -> None:
    bench = Bench({"a": "x\n"})
    bench.do("search_files", pattern="x'; touch pwned; echo '", glob="$(touch pwned)")
    bench.do("search_files", pattern="--include=x", path="-r")
    assert "pwned" not in bench.sandbox.files


def test_a_search_that_is_none_says_why() -> None:
    bench = Bench({"a": "x\n"})
    assert bench.do("search_files", pattern="(").is_error
    assert bench.do("search_files", pattern="").is_error
    assert bench.do("search_files", pattern="x", path="nope").is_error


def test_many_finds_are_cut() -> None:
    output = Bench({"a": "x\n" * 500 + "x" * 1000}).do("search_files", pattern="x").output
    assert "more" in output.splitlines()[-1]
    assert max(map(len, output.splitlines())) < 400


def test_what_a_reading_tool_answers_is_in_the_trace_and_changes_nothing() -> None:
    bench = Bench({"a.txt": "x\n"})
    bench.do("read_file", path="a.txt")
    assert bench.trace.names == ["tool_requested", "tool_completed"]
    assert bench.trace.one(ToolCompleted).output.text == "x\n"
    assert [asked[0] for asked in bench.guard.asked] == ["before"]


def test_an_old_file_that_is_too_large_to_compare_is_shown_to_a_person_by_size() -> None:
    approver = FixedApprover(Answer(allow=True))
    bench = Bench({"a.txt": "x\n"}, approver=approver)
    bench.do("read_file", path="a.txt")
    bench.do("write_file", path="a.txt", content="y\n" * 300_000)
    assert "2 → 600,000 bytes" in approver.shown[0][1]


def test_writing_what_is_there_already_declares_nothing() -> None:
    bench = Bench({"a.txt": "x\n"})
    bench.do("read_file", path="a.txt")
    assert not bench.do("write_file", path="a.txt", content="x\n").is_error
    assert bench.guard.asked[-2][2] == ()


def test_broken_utf_16_stays_as_it_is() -> None:
    bench = Bench({"a": b"\xff\xfex\0y"})
    assert bench.do("edit_file", path="a", old="x", new="z").is_error or bench.sandbox.files["a"] == b"\xff\xfez\0y"


def test_a_search_that_does_not_end_is_stopped() -> None:
    late = CommandResult(exit_code=124, stdout=b"", stderr=b"", duration_ms=1, timed_out=True)
    sandbox = MemorySandbox({"a": "x"}, commands={"grep -rnIE --exclude-dir=.git -e '(x+)+y' -- .": late})
    bench = Bench(sandbox=sandbox)
    assert bench.do("search_files", pattern="(x+)+y").is_error
    assert failed(bench).reason == "limit"
