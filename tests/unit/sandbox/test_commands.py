"""The middle of a flood is left out, whatever it looks like."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.inside.commands import Stream


@given(st.lists(st.binary(max_size=40)), st.integers(1, 20))
def test_a_stream_counts_everything_and_keeps_both_ends(chunks: list[bytes], half: int) -> None:
    stream = Stream(cap=2 * half)
    for chunk in chunks:
        stream.add(chunk)
    whole = b"".join(chunks)
    assert stream.size == len(whole)
    if len(whole) <= 2 * half:
        assert stream.kept == whole
    else:
        note = f"\n[... {len(whole) - 2 * half} bytes left out ...]\n".encode()
        assert stream.kept == whole[:half] + note + whole[-half:]
    assert len(stream._tail) <= 2 * half
