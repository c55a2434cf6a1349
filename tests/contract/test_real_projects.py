"""What projects do all day works inside: version control, environments, test runners, servers, other languages."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from bot.ports import CommandResult, Sandbox


def works(sandbox: Sandbox, command: str, **more: object) -> CommandResult:
    done = sandbox.run(command, timeout=90, **more)  # type: ignore[arg-type]
    assert done.exit_code == 0, (done.stdout[-2000:], done.stderr[-2000:])
    return done


@pytest.fixture
def path() -> dict[str, str]:
    """Our own environment's programs first, as a task without a set-up has them."""
    return {"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"}


def test_git(confined) -> None:
    sandbox = confined()
    works(
        sandbox,
        "git init -q . && echo 1 > a && git add -A && git -c user.name=a -c user.email=a@b commit -qm one && "
        "git checkout -qb other && git log --oneline && git stash list && git status --porcelain",
    )


def test_a_virtual_environment_made_in_the_set_up_is_read_only_afterwards(confined, python: str) -> None:
    env = confined.folder / "env"
    env.mkdir()
    works(confined(writable=(env,)), f"{python} -m venv --without-pip {env} && touch {env}/marker")
    later = confined(readonly=(env,))
    assert works(later, f"{env}/bin/python -c 'import sys; print(sys.prefix)'").stdout.decode() == f"{env}\n"
    assert later.run(f"touch {env}/evil", timeout=10).exit_code != 0


def test_pip_installs_from_a_folder(confined, python: str) -> None:
    sandbox = confined()
    package = "[project]\nname = 'small'\nversion = '1'\n[build-system]\nrequires = []\nbuild-backend = 'back'\n"
    package += "backend-path = ['.']\n"
    sandbox.write("src/pyproject.toml", package.encode())
    backend = (
        "import zipfile\n"
        "def build_wheel(folder, config_settings=None, metadata_directory=None):\n"
        "    name = 'small-1-py3-none-any.whl'\n"
        "    with zipfile.ZipFile(folder + '/' + name, 'w') as z:\n"
        "        z.writestr('small.py', 'WORD = 1')\n"
        "        for part, text in (\n"
        "            ('METADATA', 'Metadata-Version: 2.1\\nName: small\\nVersion: 1\\n'),\n"
        "            ('WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'),\n"
        "            ('RECORD', ''),\n"
        "        ):\n"
        "            z.writestr('small-1.dist-info/' + part, text)\n"
        "    return name\n"
    )
    sandbox.write("src/back.py", backend.encode())
    works(
        sandbox,
        f"{python} -m venv env && pip='env/bin/python -m pip --disable-pip-version-check -q' "
        "&& $pip wheel --no-index -w wheels ./src && $pip install --no-index --find-links wheels small "
        "&& env/bin/python -c 'import small; print(small.WORD)'",
    )


def test_pytest_with_two_workers(confined, path: dict[str, str]) -> None:
    sandbox = confined(env=path)
    sandbox.write("test_a.py", b"def test_one(tmp_path): (tmp_path / 'x').write_text('1')\ndef test_two(): pass\n")
    done = works(sandbox, "python -m pytest -q -n 2 -p no:cacheprovider")
    assert b"2 passed" in done.stdout


_POOL = """
import multiprocessing as m, concurrent.futures as c
def double(x): return 2 * x
if __name__ == "__main__":
    with m.get_context(METHOD).Pool(2) as pool: print(pool.map(double, [1, 2]))
    with c.ProcessPoolExecutor(2, mp_context=m.get_context(METHOD)) as pool: print(list(pool.map(double, [3])))
    q = m.get_context(METHOD).Queue(); q.put(1); print(q.get())
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing(confined, python: str, method: str) -> None:
    sandbox = confined()
    sandbox.write("pool.py", _POOL.replace("METHOD", repr(method)).encode())
    assert works(sandbox, f"{python} pool.py").stdout == b"[2, 4]\n[6]\n1\n"


def test_a_manager_works_with_namespaces_and_says_why_not_without(confined, python: str) -> None:
    sandbox = confined()
    code = "import multiprocessing as m\nif __name__ == '__main__': print(m.Manager().dict(a=1)['a'])\n"
    sandbox.write("manager.py", code.encode())
    done = sandbox.run(f"{python} manager.py", timeout=30)
    assert (done.stdout == b"1\n") == (confined.level == "bubblewrap")
    assert done.exit_code == 0 or b"PermissionError" in done.stderr


_ASYNC = """
import asyncio
async def main():
    child = await asyncio.create_subprocess_exec("echo", "hello", stdout=asyncio.subprocess.PIPE)
    print((await child.communicate())[0])
    print(await asyncio.to_thread(lambda: 1))
asyncio.run(main())
"""


def test_asyncio_with_subprocesses_and_threads(confined, python: str) -> None:
    sandbox = confined()
    sandbox.write("loop.py", _ASYNC.encode())
    assert works(sandbox, f"{python} loop.py").stdout == b"b'hello\\n'\n1\n"


_SERVER = """
import http.server, threading, urllib.request
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(urllib.request.urlopen("http://localhost:%d/" % server.server_port).status)
"""


@pytest.mark.parametrize("confined", ["bubblewrap"], indirect=True)
def test_a_server_on_127_0_0_1_under_loopback(confined, python: str) -> None:
    sandbox = confined("loopback")
    sandbox.write("server.py", _SERVER.encode())
    assert works(sandbox, f"{python} server.py").stdout == b"200\n"
    assert confined().run(f"{python} server.py", timeout=30).exit_code != 0


@pytest.mark.parametrize("confined", ["bubblewrap"], indirect=True)
def test_a_terminal_of_its_own(confined, python: str) -> None:
    works(confined(), f"{python} -c 'import pty; pty.spawn([\"true\"])'")


def test_node(confined) -> None:
    if not shutil.which("node", path="/usr/local/bin:/usr/bin"):
        pytest.skip("node is not installed")
    sandbox = confined()
    sandbox.write("a.js", b"require('child_process').exec('echo hi', (error, out) => console.log(error, out.trim()))")
    assert works(sandbox, "node a.js").stdout == b"null hi\n"


def test_make(confined) -> None:
    if not shutil.which("make", path="/usr/local/bin:/usr/bin"):
        pytest.skip("make is not installed")
    sandbox = confined()
    sandbox.write("Makefile", b"all: a b\na b:\n\techo $@ > $@\n")
    works(sandbox, "make -j2 -s && cat a b")
