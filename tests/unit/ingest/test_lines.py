from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.ingest.errors import DamagedSourceError
from vedette.ingest.sources.lines import Lines, LongLine, split_lines


def pieces(chunks: list[bytes], limit: int = 1 << 20) -> list[tuple[int, int, bytes]]:
    found = []
    for piece in split_lines(chunks, limit):
        if isinstance(piece, LongLine):
            found.append((piece.line, piece.offset, piece.start))
        else:
            starts = piece.starts.tolist()
            for index, (start, end) in enumerate(pairwise(starts)):
                found.append((piece.first_line + index, piece.offset + start, piece.data[start:end]))
    return found


@given(st.binary(max_size=400).map(lambda data: b"x" + data), st.lists(st.integers(1, 50), max_size=20))
def test_no_byte_is_lost_however_the_input_is_cut(data: bytes, cuts: list[int]) -> None:
    data = data.replace(b"\0", b"0").replace(b"\xef", b"e").replace(b"\xff", b"f").replace(b"\xfe", b"f")
    chunks, rest = [], data
    for cut in cuts:
        chunks.append(rest[:cut])
        rest = rest[cut:]
    found = pieces([*chunks, rest])
    assert b"".join(line for _, _, line in found) == data
    assert [line for line, _, _ in found] == list(range(1, len(found) + 1))
    for _, offset, line in found:
        assert data[offset : offset + len(line)] == line
        assert b"\n" not in line[:-1]


@given(st.lists(st.integers(0, 60), min_size=1, max_size=12), st.integers(1, 30), st.integers(1, 37))
def test_long_lines_are_told_apart_and_counted(lengths: list[int], limit: int, chunk: int) -> None:
    data = b"".join(b"x" * length + b"\n" for length in lengths)
    chunks = [data[at : at + chunk] for at in range(0, len(data), chunk)]
    long_lines, lines = [], 0
    for piece in split_lines(chunks, limit):
        if isinstance(piece, LongLine):
            long_lines.append((piece.line, piece.offset))
        else:
            assert isinstance(piece, Lines)
            lines += len(piece.starts) - 1
    offsets = [sum(lengths[:index]) + index for index in range(len(lengths))]
    expected = [(index + 1, offsets[index]) for index, length in enumerate(lengths) if length + 1 > limit]
    assert long_lines == expected
    assert lines + len(long_lines) == len(lengths)


def test_byte_order_marks_and_utf16_are_decoded() -> None:
    text = '{"a":"ä"}\r\n{}\n'
    expected = [line.encode() for line in text.splitlines(keepends=True)]
    for encoded in (
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
    ):
        assert [line for _, _, line in pieces([encoded[:3], encoded[3:]])] == expected


def test_what_came_before_the_damage_is_kept() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"one\ntw"
        raise DamagedSourceError("truncated_gzip")

    found: list[Lines | LongLine] = []
    with pytest.raises(DamagedSourceError, match="truncated_gzip"):
        found.extend(split_lines(chunks(), 100))
    assert [piece.data for piece in found if isinstance(piece, Lines)] == [b"one\n", b"tw"]
