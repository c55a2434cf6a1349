import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from vault import masked  # noqa: E402


def test_only_the_end_is_shown():
    assert masked("correct horse") == "•••••••••orse"


def test_a_short_one_is_hidden_whole():
    assert masked("12345678") == "••••••••"
