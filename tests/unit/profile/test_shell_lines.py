"""Shell lines as agents write them: a virtual plugin answers and changes as a real shell on real files does."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.virtual.sandbox import VirtualSandbox

BASH = shutil.which("bash")
LINES = [
    "cat src/calc.py",
    "cat README.md pyproject.toml",
    "cat -n src/calc.py",
    "cat -A README.md",
    "cd src && cat calc.py",
    "cd src; ls; cd ..; ls",
    "ls",
    "ls -1 | head -3",
    "ls -a",
    "ls -A src",
    "ls -d src",
    "ls -p",
    "ls src tests",
    "ls -R",
    "ls src/*.py",
    "ls nope 2>/dev/null; echo $?",
    "ls -la src | wc -l",
    'grep -n "return" src/calc.py',
    "grep -rn TODO . | sort",
    "grep -rn TODO",
    "grep -rn --include='*.py' def . | sort",
    "grep -r --exclude-dir=tests 'def ' . | sort",
    "grep -c TODO README.md || true",
    "grep -E 'add|mul' -r src | sort",
    r"grep 'add\|mul' src/calc.py",
    "grep -v TODO README.md",
    "grep -i todo README.md",
    "grep -w a src/calc.py",
    "grep -o 'TODO [a-z]*' README.md",
    "grep -A1 -B1 'TODO one' README.md",
    "grep -n -A1 def src/calc.py",
    "grep -q TODO README.md && echo found",
    "grep nothing README.md; echo exit $?",
    "grep TODO nope.md README.md 2>/dev/null; echo $?",
    "grep -l TODO README.md src/calc.py",
    "grep -rl TODO . | xargs sed -i 's/TODO/DONE/'; cat README.md",
    "grep '^## ' README.md || echo none",
    "grep -F 'a - b' src/calc.py",
    "grep -e add -e mul tests/test_calc.py",
    "grep '[[:digit:]]' pyproject.toml",
    r"grep 'f(' src/calc.py; grep -E 'add\(' src/calc.py",
    "sed -i 's/a - b/a + b/' src/calc.py && cat src/calc.py",
    "sed -n '1,3p' src/calc.py",
    "sed -n 2p src/calc.py",
    "sed -i '2s/-/+/' src/calc.py; head -2 src/calc.py",
    "sed -i '/TODO one/d' README.md; cat README.md",
    "sed -i -e 's/1.2.3/1.2.4/' pyproject.toml; tail -n 1 pyproject.toml",
    "sed -i.bak 's/1.2.3/1.2.4/' pyproject.toml; ls",
    r"sed -E 's/(add|mul)\(a, b\)/\1(x, y)/' src/calc.py | grep def",
    "sed 's/^/> /' README.md",
    "sed -i 's|src/|lib/|g; s/Calc/Kalk/' README.md; head -1 README.md",
    "sed -i '1a import os' src/calc.py; head -3 src/calc.py",
    "sed '$d' README.md | tail -1",
    "cat > new.txt <<'EOF'\nhello $HOME\n  two\nEOF\ncat new.txt",
    "cat <<EOF >> README.md\nmore $((1+2))\nEOF\ntail -1 README.md",
    "cat > src/new.py << 'PY'\ndef f():\n    return \"it's\"\nPY",
    "cat <<-EOF\n\ttabs\n\tgone\n\tEOF",
    "mkdir -p a/b/c && touch a/b/c/d && find a | sort",
    "mkdir src; echo $?",
    "mkdir x/y; echo $?",
    "find . -name '*.py' | sort",
    "find . -type f -name '*.md' -o -name '*.toml' | sort",
    r"find . \( -name '*.md' -o -name '*.toml' \) -type f | sort",
    "find . -name '*.py' -not -path './tests/*'",
    "find . -name '*.py' -exec grep -l add {} + | sort",
    r"find . -name '*.py' -exec echo {} \; | sort",
    "find . -name '*.py' -print0 | xargs -0 grep -l add | sort",
    "find . -maxdepth 1 -type d | sort",
    "find src tests -type f | sort",
    "find . -name '*.md' -delete; ls",
    "find nope; echo $?",
    'for f in src/*.py tests/*.py; do echo "== $f"; head -n 1 "$f"; done',
    "FOO=1 sh -c 'echo $FOO'",
    'FOO=bar; echo "$FOO ${FOO:-x} ${BAR:-x} ${#FOO}"',
    "export V=3; echo $V; env | grep '^V='",
    "echo $(cat pyproject.toml | grep version | cut -d'\"' -f2)",
    "V=$(grep -o '[0-9.]*[0-9]' pyproject.toml); echo \"v$V\"",
    "(cd src && pwd | xargs basename); ls -d src",
    "false || echo no",
    "true && echo yes || echo no",
    "test -f README.md && echo there",
    "[ -d src ] && [ ! -e nope ] && echo ok",
    "if [ -f x ]; then echo x; else echo nox; fi",
    "[[ abc == a* ]] && echo match",
    "case README.md in *.md) echo md;; esac",
    'f() { echo "fn $1"; }; f x',
    "cat nope.txt 2>&1 | head -5",
    "cat nope.txt 2>/dev/null || echo missing",
    "nosuchcommand --foo 2>/dev/null; echo $?",
    "ls nope | cat",
    "rm -rf src && ls",
    "rm nope.txt; echo $?",
    "rm -f nope.txt; echo $?",
    "rm src 2>/dev/null; echo $?; ls -d src",
    "cp src/calc.py src/calc2.py && diff src/calc.py src/calc2.py && echo same",
    "cp -r src lib && ls lib",
    "cp src/calc.py tests/; ls tests",
    "mv README.md R.md; ls *.md",
    "mv src lib; find lib -type f",
    "echo -n abc | wc -c",
    "wc -l src/calc.py README.md",
    "wc -l < README.md",
    "wc -l README.md",
    "wc src/calc.py",
    r"printf '%s\n' a b c | tac",
    r"printf 'x\ty\n' > t.tsv; cat t.tsv",
    "sort -r README.md | uniq -c",
    "sort -u README.md",
    "awk -F'\"' '/version/ {print $2}' pyproject.toml",
    "awk '{print $1}' README.md",
    "awk 'NR==2' src/calc.py",
    "tr a-z A-Z < README.md | head -1",
    "cat src/calc.py | tee copy.txt | head -1; wc -l < copy.txt",
    "echo one > f; echo two >> f; cat f",
    'cat "a b.txt"',
    "cat a\\ b.txt",
    "head -c 5 README.md",
    "head -2 src/calc.py; tail -n +5 src/calc.py; tail -2 README.md",
    "head -n 1 src/calc.py README.md",
    "nl -ba src/calc.py | sed -n '1,2p'",
    'while read -r line; do echo "[$line]"; done < README.md',
    'x=$(ls src); echo "$x"',
    "basename src/calc.py .py; dirname src/calc.py",
    "set -e; false; echo not reached",
    "set -euo pipefail; cat README.md | head -1",
    "cd /nonexistent 2>/dev/null; echo $?",
    "echo {a,b}.txt",
    "echo \"a;b\" 'c && d'",
    "echo hi >&2",
    "cut -c1-3 README.md",
    "seq 3",
    "expr 1 + 2",
    "echo $((3*4))",
    "touch src/new.py && ls src",
    "chmod +x src/calc.py && ls src",
    "cat < README.md",
    "cat README.md | grep TODO | wc -l",
    "echo 'x' | tee -a README.md >/dev/null; tail -1 README.md",
    "ln -s src link; cat link/calc.py | head -1",
    "test -s README.md; echo $?",
    "i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done",
    "ls | grep -v README | sort -r",
    "echo done # a comment",
    "! grep -q nothing README.md && echo absent",
    "cat src/calc.py > /dev/null && echo read",
    "{ echo a; echo b; } > both.txt; cat both.txt",
    "echo a > x 2>&1; cat x",
    "cat <<'EOF' | tee src/extra.py\nX = 1\nEOF",
    "bash -c 'cd src && ls'",
    'sh -c "cat README.md | head -1"',
    "pushd src >/dev/null; ls; popd >/dev/null; ls -d tests",
]


@pytest.mark.skipif(BASH is None, reason="needs a shell to compare with")
@pytest.mark.parametrize("line", LINES)
def test_a_line_does_what_it_does_in_a_real_shell(
    line: str, made: Callable[..., VirtualSandbox], tmp_path: Path
) -> None:
    virtual = made()
    real = tmp_path / "real" / "workspace"
    for path, data in virtual.files.items():
        (real / path).parent.mkdir(parents=True, exist_ok=True)
        (real / path).write_bytes(data)
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/home/agent"}
    ran = subprocess.run([str(BASH), "-c", line], cwd=real, capture_output=True, env=env, timeout=20)

    result = virtual.run(line, timeout=20)

    here = str(real).encode()
    assert result.stdout == ran.stdout.replace(here, b"/workspace")
    assert result.exit_code == ran.returncode
    assert bool(result.stderr) == bool(ran.stderr)
    left = {str(file.relative_to(real)): file.read_bytes() for file in real.rglob("*") if _plain(file)}
    assert {path: data for path, data in virtual.files.items() if path != "link"} == left


def _plain(file: Path) -> bool:
    return file.is_file() and not any(parent.is_symlink() for parent in (file, *file.parents))
