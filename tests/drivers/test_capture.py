from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.drivers.capture import (
    MAX_CHUNK_BYTES,
    MAX_LINE,
    MAX_SECONDS,
    CaptureWriter,
    Chunk,
    parse_line,
    read_capture,
)

SECOND_NS = 1_000_000_000


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.cap"
    with CaptureWriter(path, "optical head 3\nground floor") as capture:
        assert capture.write(b"\x1b\x00", 7 * SECOND_NS)
        assert capture.write(b"", 7 * SECOND_NS)
        assert capture.write(b"\xff", 8 * SECOND_NS + 12_345_999)
    assert path.read_text("ascii") == "# optical head 3\n# ground floor\n0.000000 1b00\n1.012345 ff\n"
    assert list(read_capture(path)) == [Chunk(0, b"\x1b\x00"), Chunk(1_012_345, b"\xff")]


def test_every_piece_is_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.cap"
    with CaptureWriter(path) as capture:
        capture.write(b"\x01", 0)
        assert path.read_text("ascii") == "0.000000 01\n"


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.cap"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        CaptureWriter(path)
    assert path.read_text() == "mine"


def test_a_full_file_stays_readable_and_takes_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "a.cap"
    with CaptureWriter(path, max_bytes=26) as capture:
        assert capture.write(b"\x01", 0)
        assert capture.write(b"\x02\x03", 0)
        assert not capture.write(b"\x04", 0)
    assert path.stat().st_size == 26 - 0
    with CaptureWriter(tmp_path / "b.cap", max_bytes=20) as capture:
        assert not capture.write(b"\x01" * 100, 0)
        assert not capture.write(b"\x01", 0)
    assert (tmp_path / "b.cap").stat().st_size == 0


def test_a_capture_ends_after_its_longest_time(tmp_path: Path) -> None:
    with CaptureWriter(tmp_path / "a.cap") as capture:
        assert capture.write(b"\x01", 0)
        assert not capture.write(b"\x02", (MAX_SECONDS + 1) * SECOND_NS)
    assert list(read_capture(tmp_path / "a.cap")) == [Chunk(0, b"\x01")]


def test_long_pieces_are_cut_and_time_never_falls(tmp_path: Path) -> None:
    path = tmp_path / "a.cap"
    data = bytes(range(256)) * 300
    with CaptureWriter(path) as capture:
        capture.write(b"\x01", 9 * SECOND_NS)
        capture.write(data, 8 * SECOND_NS)
    chunks = list(read_capture(path))
    assert [len(chunk.data) for chunk in chunks] == [1, MAX_CHUNK_BYTES, len(data) - MAX_CHUNK_BYTES]
    assert b"".join(chunk.data for chunk in chunks) == b"\x01" + data
    assert {chunk.at_us for chunk in chunks} == {0}


@pytest.mark.parametrize(
    ("line", "chunk"),
    [
        (b"", None),
        (b"\n", None),
        (b"# a comment\n", None),
        (b"  # \xff\xfe\n", None),
        (b"0 00\r\n", Chunk(0, b"\0")),
        (b"12.5 ABcd # by hand\n", Chunk(12_500_000, b"\xab\xcd")),
    ],
)
def test_lines(line: bytes, chunk: Chunk | None) -> None:
    assert parse_line(line) == chunk


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"00", "not '<seconds> <hex>'"),
        (b"0 ", "not '<seconds> <hex>'"),
        (b"0 0", "not '<seconds> <hex>'"),
        (b"0 0g", "not '<seconds> <hex>'"),
        (b"-1 00", "not '<seconds> <hex>'"),
        (b"1e3 00", "not '<seconds> <hex>'"),
        (b"0.1234567 00", "not '<seconds> <hex>'"),
        (b"0  00", "not '<seconds> <hex>'"),
        (b"999999999 00", "later than a capture may be"),
        (b"0 " + b"00" * (MAX_CHUNK_BYTES + 1), "more than 65536 bytes at once"),
        (b"#" * (MAX_LINE + 1), "longer than"),
    ],
)
def test_lines_that_are_refused(line: bytes, why: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_line(line)
    assert why in str(caught.value)


def test_errors_name_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "a.cap"
    path.write_bytes(b"# made by hand\n1 00\n0.5 00\n")
    chunks = read_capture(path)
    assert next(chunks) == Chunk(1_000_000, b"\0")
    with pytest.raises(ValueError, match=r"a\.cap:3: earlier than the line before"):
        next(chunks)


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.cap"
    path.write_bytes(b"0 " + b"00" * (4 * MAX_CHUNK_BYTES))
    with pytest.raises(ValueError, match="longer than"):
        list(read_capture(path))


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_capture(tmp_path / "none.cap"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text("0123456789.abf #\n", max_size=60).map(str.encode))
def test_only_value_error_escapes(line: bytes) -> None:
    try:
        chunk = parse_line(line)
    except ValueError:
        return
    assert chunk is None or chunk.data
