"""Reading script files."""

from pathlib import Path

import pytest

from torhaus.daemon.scripts.protocol import MAX_SOURCE_BYTES
from torhaus.daemon.scripts.source import MAX_SCRIPTS, Package, Sources, read_source


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"var a = 1;", "var a = 1;"),
        ("// °C".encode(), "// °C"),
        (b"\xef\xbb\xbfvar a;", "var a;"),
        (b"// \xb0C \x80", "// °C €"),
        (b"// \x81", "// \ufffd"),
        (b"", ""),
    ],
)
def test_encodings(tmp_path: Path, data: bytes, text: str) -> None:
    path = tmp_path / "script.js"
    path.write_bytes(data)
    assert read_source(path) == text


def test_size(tmp_path: Path) -> None:
    path = tmp_path / "script.js"
    path.write_bytes(b"x" * MAX_SOURCE_BYTES)
    assert len(read_source(path)) == MAX_SOURCE_BYTES
    path.write_bytes(b"x" * (MAX_SOURCE_BYTES + 1))
    with pytest.raises(ValueError, match="larger"):
        read_source(path)
    with pytest.raises(FileNotFoundError):
        read_source(tmp_path / "none.js")


def test_forgotten_scripts_make_room() -> None:
    sources = Sources()
    name = sources.add(Package("// one"))
    assert (sources.add(Package("// one")), sources[name].text, len(sources)) == (name, "// one", 1)
    sources.forget(name)
    sources.forget(name)
    assert not sources
    for number in range(MAX_SCRIPTS):
        sources.add(Package(f"// {number}"))
    with pytest.raises(ValueError, match="more than 512 scripts"):
        sources.add(Package("// one more"))
