"""The web pages of the virtual GitHub: they show what there is and run nothing of it."""

from __future__ import annotations

import html.parser
import re

import pytest
import requests
from forge_world import commit
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.base.git import GitDir
from bot.virtual.github.diff import MOST_LINES, files
from bot.virtual.github.markdown import render
from bot.virtual.github.records import Person
from bot.virtual.github.server import VirtualGitHub

EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<details ontoggle="alert(1)" open>',
    "[x](javascript:alert(1))",
    "![x](https://evil.example/p.png)",
    '<a href="javascript:alert(1)">x</a>',
    "<style>*{display:none}</style>",
    '"><svg/onload=alert(1)>',
    "<iframe src=//evil.example>",
    "`<script>`",
    "<!-- --><script>x</script><!-- -->",
    "<b/onclick=alert(1)>",
]
ALLOWED = {
    *(
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "a",
        "em",
        "strong",
        "code",
        "pre",
        "blockquote",
        "hr",
    ),
    *(
        "hr",
        "br",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "s",
        "details",
        "summary",
        "sub",
        "sup",
        "kbd",
        "b",
        "i",
    ),
}


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def tags(page):
    parser = Tags()
    parser.feed(page)
    return parser.found


@given(
    st.lists(
        st.sampled_from([*EVIL, "text", "\n", "\n\n", "> ", "- ", "</details>", "<details>", "<summary>", "|a|b|"])
    )
)
@example(EVIL)
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_only_harmless_tags_reach_the_page(parts):
    for tag, attributes in tags(render("".join(parts))):
        assert tag in ALLOWED
        assert not set(attributes) - {"href", "rel", "class", "style", "start", "open", "title"}
        assert not attributes.get("href", "").lower().startswith(("javascript:", "data:", "vbscript:"))
        assert re.fullmatch(r"text-align:\w+", attributes.get("style", "text-align:left"))


@given(st.lists(st.sampled_from(["<details>", "</details>", "<summary>", "</summary>", "<b>", "</b>", "x", "\n\n"])))
@settings(max_examples=150, deadline=None)
def test_what_a_text_opens_it_closes(parts):
    made = render("".join(parts))
    for name in ("details", "summary", "b"):
        assert len(re.findall(f"<{name}>", made)) == len(re.findall(f"</{name}>", made))


def test_markdown_of_a_trace_comment_is_shown():
    text = "<!-- fleet-bot:trace -->\n| a |\n|---|\n| ~~1~~ |\n\n<details open><summary>Steps</summary>\n\n- x\n\n"
    made = render(text + "</details>")
    assert "fleet-bot" not in made
    for part in ("<table>", "<s>1</s>", "<details open><summary>Steps</summary>", "<li>x</li>"):
        assert part in made
    assert render(None) == ""


def test_an_image_is_a_link():
    assert render("![alt](https://x.example/a.png)") == (
        '<p><a href="https://x.example/a.png" rel="nofollow noopener noreferrer">alt</a></p>\n'
    )


def test_a_patch_becomes_rows_with_numbers():
    patch = (
        "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@ def f\n same\n-old\n+new\n"
        "\\ No newline at end of file\n"
        "diff --git a/bin b/bin\nnew file mode 100755\nindex 0..1\nBinary files /dev/null and b/bin differ\n"
    )
    text, binary = files(patch)
    assert [(r.kind, r.before, r.after) for r in text.rows] == [
        ("hunk", None, None),
        ("same", 1, 1),
        ("removed", 2, None),
        ("added", None, 2),
        ("note", None, None),
    ]
    assert (text.path, text.added, text.removed) == ("x", 1, 1)
    assert (binary.path, binary.rows, binary.note) == (
        "bin",
        [],
        "new file mode 100755, Binary files /dev/null and b/bin differ",
    )


def test_a_very_long_patch_is_cut_and_says_so():
    lines = "".join(f"+{n}\n" for n in range(MOST_LINES + 10))
    (made,) = files(f"diff --git a/x b/x\n@@ -0,0 +1,{MOST_LINES} @@\n{lines}")
    assert (len(made.rows), made.added, made.note) == (MOST_LINES, MOST_LINES + 10, "too long to be shown whole")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    root = tmp_path_factory.mktemp("site")
    people = {"alice": Person(login="alice")}
    with VirtualGitHub(root, token="t", login="fleet-bot", people=people) as github:
        github.add_repository("acme/widget", default_branch="main", private=True)
        github.add_repository("acme/empty", default_branch="main", archived=True)
        bare = GitDir(root / "acme" / "widget.git")
        base = commit(bare, {"README.md": "# Hi\n<script>x</script>\n", "a.py": "one = 1\n"})
        head = commit(bare, {"README.md": "# Hi\n<script>x</script>\n", "a.py": "one = '<b>'\n"}, base)
        bare.run("update-ref", "refs/heads/main", base)
        bare.run("update-ref", "refs/heads/fix/x", head)
        bare.run("update-ref", "refs/heads/fix/y", commit(bare, {"README.md": "# Ho\n", "a.py": "one = 1\n"}, base))

        def api(method, path, token="t", **body):
            headers = {"Authorization": f"Bearer {token}"}
            address = f"{github.api_url}/repos/acme/widget{path}"
            answer = requests.request(method, address, json=body or None, headers=headers, timeout=10)
            assert answer.ok, answer.text

        api("POST", "/pulls", title="Fix <it>", head="fix/x", base="main", body="**what**", draft=True)
        api("POST", "/issues/1/labels", labels=["bug & co"])
        api("POST", "/issues/1/comments", token="alice", body="<img src=x onerror=y>")
        api("POST", "/issues/1/reactions", content="eyes")
        api("POST", f"/statuses/{head}", state="success", context="tests")
        api("POST", "/pulls/1/requested_reviewers", reviewers=["bob"])
        api("POST", "/pulls", title="Second", head="fix/y", base="main")
        api("PUT", "/pulls/2/merge", token="alice")
        api("POST", "/issues", title="A question")
        api("PATCH", "/issues/3", token="alice", state="closed")
        github.add_artifact("acme/widget", run=5, name="traces-1.html", text="<script>shown()</script>")
        folder = root / "acme" / "widget.artifacts" / "5" / "proposals"
        folder.mkdir()
        (folder / "execution_trace.jsonl").write_text("{}")
        yield github


def fetch(site, path):
    answer = requests.get(site.url + path, timeout=10)
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert not {tag for tag, _ in tags(answer.text)} & {"script", "iframe", "object", "form", "img"}
    return answer


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/", ["acme/widget", "Private", "Archived", "2 pull requests"]),
        ("/acme/widget", ["Fix &lt;it&gt;", "Merged", "A question", "git clone", "a.py", "fix/x", "<h1>Ho</h1>"]),
        ("/acme/widget/pulls", ["Fix &lt;it&gt;"]),
        ("/acme/empty", ["is empty"]),
        ("/acme/widget/pull/1", ["Draft", "<strong>what</strong>", "bug &amp; co", "bob", "eyes", "tests: success"]),
        ("/acme/widget/pull/1", ["one = &#39;&lt;b&gt;&#39;", "wants to merge 1 commit into", "&lt;img src=x"]),
        ("/acme/widget/pull/2", ["Merged by <strong>alice</strong>", "No description"]),
        ("/acme/widget/issues/3", ["Closed by <strong>alice</strong>", "opened this issue"]),
        ("/acme/widget/issues/1", ["Files changed"]),
        ("/acme/widget/actions/runs/5", ["Artifacts of run 5", "traces-1.html", "proposals"]),
        ("/avatars/7", ["<svg"]),
    ],
)
def test_a_page_shows_what_there_is(site, path, shown):
    answer = fetch(site, path)
    assert answer.status_code == 200
    for part in shown:
        assert part in answer.text


def test_the_patch_is_there_as_text(site):
    answer = requests.get(f"{site.url}/acme/widget/pull/1.diff", timeout=10)
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert "+one = '<b>'" in answer.text


@pytest.mark.parametrize(
    "path", ["/acme/none", "/acme/widget/pull/3", "/acme/widget/pull/99", "/x", "/a/b/c/d", "/..%2f"]
)
def test_what_is_not_there_is_not_found(site, path):
    assert fetch(site, path).status_code == 404


def test_a_page_takes_no_orders(site):
    assert requests.post(f"{site.url}/acme/widget", timeout=10).status_code == 404
    assert requests.head(f"{site.url}/acme/widget", timeout=10).text == ""


def test_an_artifact_is_shown_as_it_is_and_can_reach_nothing_here(site):
    index = requests.get(f"{site.url}/acme/widget/actions/runs/5", timeout=10).text
    shown = {name: site.url + to for to, name in re.findall(r'<a href="([^"]+/artifacts/[0-9]+)">([^<]+)<', index)}
    assert set(shown) == {"traces-1.html", "proposals"}
    page = requests.get(shown["traces-1.html"], timeout=10)
    assert page.text == "<script>shown()</script>"
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Security-Policy"] == "sandbox allow-scripts"
    assert "execution_trace.jsonl" in requests.get(shown["proposals"], timeout=10).text
    for path in ("/acme/widget/actions/runs/5/artifacts/1", "/acme/widget/actions/runs/6"):
        assert requests.get(site.url + path, timeout=10).status_code == 404
