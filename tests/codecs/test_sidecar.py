"""Sidecars in every format, and all the ways in which one cannot be believed."""

import random
from typing import Any

import msgspec
import pytest

from torhaus.codecs.model import DecodeError
from torhaus.codecs.sidecar import MAX_BYTES, MAX_RECORDS, SidecarLayout, Told, read

INI = b"""; made by a scan program
[Batch]
Path = C:\\Scan\\0042
Count: 2
[Index]
Department="Bauamt"
Pages=12
"""
INDEX = b"0042;bauamt;3;C:\\BATCH\\0042\\0001\\0001.TIF\r\n0042;sozialamt;1;C:\\BATCH\\0042\\0002\\0001.TIF\r\n\x1a"
XML = b"""<Batch Id="0042" Count="2"><Document File="1.tif"><Dept>bauamt</Dept><Pages>3</Pages></Document>
<Document File="2.tif"><Dept>sozialamt</Dept><Pages>1</Pages></Document></Batch>"""
JSON = b"""{"batch": 42, "docs": [{"name": "1.tif", "n": 3, "d": "Bauamt", "by": "op-7"}, {"name": "2.tif", "n": 1}]}"""

COLUMNS = SidecarLayout("columns", {"batch": "1", "department": "2", "pages": "3", "document": "4"})
XML_LAYOUT = SidecarLayout(
    "xml",
    {"document": "@File", "department": "Dept", "pages": "Pages", "batch": "Batch/@Id", "documents": "Batch/@Count"},
    records="Batch/Document",
)


def test_lines_with_sections() -> None:
    layout = SidecarLayout(
        "ini",
        {"documents": "batch/count", "department": "Index/department", "pages": "INDEX/PAGES", "path": "Batch/Path"},
    )
    assert read(INI, layout) == (
        Told(department="bauamt", pages=12, documents=2, more={"path": "C:\\Scan\\0042"}),
    )  # fmt: skip


def test_plain_lines_of_a_windows_program() -> None:
    layout = SidecarLayout("plain", {"pages": "Seiten", "by": "Bediener"})
    for encoding in ("cp1252", "utf-8", "utf-8-sig", "utf-16"):
        data = "Seiten=3\r\nBediener: Müller\r\n".encode(encoding)
        assert read(data, layout) == (Told(pages=3, more={"by": "Müller"}),)


def test_columns_one_line_for_each_document() -> None:
    first, second = read(INDEX, COLUMNS)
    assert first == Told(document="C:\\BATCH\\0042\\0001\\0001.TIF", department="bauamt", pages=3, batch="0042")
    assert (second.department, second.pages) == ("sozialamt", 1)


def test_xml_with_a_record_for_each_document() -> None:
    assert read(XML, XML_LAYOUT) == (
        Told(document="1.tif", department="bauamt", pages=3, batch="0042", documents=2),
        Told(document="2.tif", department="sozialamt", pages=1, batch="0042", documents=2),
    )


def test_json_and_fields_that_may_be_missing() -> None:
    layout = SidecarLayout(
        "json", {"document": "name", "pages": "n", "department": "d?", "by": "by?", "batch": "batch"}, records="docs"
    )
    assert read(JSON, layout) == (
        Told(document="1.tif", department="bauamt", pages=3, batch="42", more={"by": "op-7"}),
        Told(document="2.tif", pages=1, batch="42"),
    )


@pytest.mark.parametrize(
    ("data", "layout"),
    [
        (b"", COLUMNS),
        (b" \r\n\x00", COLUMNS),
        (b"0042;bauamt;3\n", COLUMNS),  # no fourth column
        (b"0042;bauamt;three;a\n", COLUMNS),
        (b"0042;bauamt;0;a\n", COLUMNS),
        (b"0042;bau amt;3;a\n", COLUMNS),
        (b"0042;../etc;3;a\n", COLUMNS),
        (b"a;b;1;" + b"x" * 2000, COLUMNS),
        (b"a;b;1;d\n" * (MAX_RECORDS + 1), COLUMNS),
        (b" " * (MAX_BYTES + 1), COLUMNS),
        (b"<Batch/>", XML_LAYOUT),
        (b"no xml", XML_LAYOUT),
        (b"{}", SidecarLayout("json", {"pages": "n"})),
        (b"[" * 100_000, SidecarLayout("json", {"pages": "n"})),
        (b"[" * 100 + b"]" * 100, SidecarLayout("json", {"pages": "n"})),
        (b"no line", SidecarLayout("plain", {"pages": "n"})),
        (b"n=1\nN=2\n", SidecarLayout("plain", {"pages": "n"})),
        (b"n=1\n[n]\nx=2\n", SidecarLayout("ini", {"pages": "n"})),
    ],
)
def test_what_is_not_believed(data: bytes, layout: SidecarLayout) -> None:
    with pytest.raises(DecodeError):
        read(data, layout)


@pytest.mark.parametrize(
    "broken",
    [
        {"format": "columns", "fields": {"pages": "a"}},
        {"format": "xml", "fields": {}},
        {"format": "xml", "fields": {"Pages": "a"}},
        {"format": "xml", "fields": {"pages": "/?"}},
        {"format": "ini", "fields": {"pages": "a"}, "records": "b"},
        {"format": "columns", "fields": {"pages": "1"}, "separator": ";;"},
        {"format": "yaml", "fields": {"pages": "a"}},
    ],
)
def test_layouts_that_cannot_be(broken: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(broken, SidecarLayout)


def test_nothing_but_a_refusal_leaves_it_whatever_the_bytes_are() -> None:
    rng = random.Random(9)
    layouts = [
        COLUMNS, XML_LAYOUT, SidecarLayout("json", {"pages": "docs/0/n", "x": "batch?"}),
        SidecarLayout("ini", {"pages": "index/pages"}),
    ]  # fmt: skip
    taken = 0
    for seed, layout in zip((INDEX, XML, JSON, INI), layouts, strict=True):
        for cut in range(len(seed)):
            taken += _reads(seed[:cut], layout)
        for _ in range(400):
            data = bytearray(seed)
            for _ in range(rng.randrange(1, 6)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            taken += _reads(bytes(data), layout)
    assert taken


def _reads(data: bytes, layout: SidecarLayout) -> bool:
    try:
        told = read(data, layout)
    except DecodeError:
        return False
    msgspec.json.encode(told)
    return True
