import os
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.daemon.scans.names import MAX_SAFE_BYTES, display_name, natural, safe_name


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"Bu\xdfgeld.pdf", "Bußgeld.pdf"),  # an FTP device that sends Latin-1
        ("Bußgeld.pdf".encode(), "Bußgeld.pdf"),
        (unicodedata.normalize("NFD", "Müller.pdf").encode(), "Müller.pdf"),  # macOS
        (b"a\nb\x1b[31m.pdf", "a\ufffdb\ufffd[31m.pdf"),
        ("x\u202efdp.exe".encode(), "x\ufffdfdp.exe"),
    ],
)
def test_display_name(raw: bytes, shown: str) -> None:
    assert display_name(raw) == shown


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Rechnung 4711.pdf", "Rechnung 4711.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("CON", "_CON"), ("nul.pdf", "_nul.pdf"), ("com1.tif", "_com1.tif"), ("con.", "_con"),
        ("a:b*c?.pdf", "a_b_c_.pdf"),
        ("Straße.pdf", "Straße.pdf"),
        (" .hidden. ", "hidden"),
        ("...", "scan"), ("", "scan"), (".pdf", "pdf"),
    ],
)  # fmt: skip
def test_safe_name(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_keeps_its_extension() -> None:
    assert safe_name("ä" * 300 + ".pdf") == "ä" * 58 + ".pdf"


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=255))
def test_any_name_becomes_safe_and_stays_so(raw: bytes) -> None:
    name = safe_name(display_name(raw))
    assert 0 < len(name.encode()) <= MAX_SAFE_BYTES
    assert not set(name) & set('<>:"/\\|?*\0\n')
    assert name not in {".", ".."}
    assert name[-1] not in " ."
    assert safe_name(name) == name
    os.fsencode(name)


def test_sorted_as_people_count() -> None:
    names = [b"p10.tif", b"P2.tif", b"p2b.tif", b"b/1.tif", b"1.tif", b"\xdf.tif", b"p.tif"]
    assert sorted(names, key=natural) == [
        b"1.tif",
        b"b/1.tif",
        b"P2.tif",
        b"p2b.tif",
        b"p10.tif",
        b"p.tif",
        b"\xdf.tif",
    ]
