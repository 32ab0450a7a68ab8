"""XML as a tree, and finding things in it."""

import pytest

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.tree import at, from_xml, value_of

XML = b"""<?xml version="1.0"?>
<k:Batch xmlns:k="urn:k" Name="B7"><k:Doc File="a.tif">one</k:Doc><k:Doc File="b.tif"> two </k:Doc><Empty/></k:Batch>"""


def test_elements_attributes_and_what_repeats() -> None:
    tree = from_xml(XML)
    assert value_of(tree, ["Batch", "@Name"]) == "B7"
    assert value_of(tree, ["Batch", "Doc"]) == "one"
    assert value_of(tree, ["Batch", "Doc", "1"]) == "two"
    assert value_of(tree, ["Batch", "Doc", "1", "@File"]) == "b.tif"
    assert at(tree, ["Batch", "Doc", "7"]) == at(tree, ["Batch", "Doc", "#", "x"]) == at(tree, ["Nothing"]) == ""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_encodings(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><a b="Müller"/>'
    assert value_of(from_xml(text.encode(encoding)), ["a", "@b"]) == "Müller"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", RejectReason.SYNTAX),
        (b"<a>", RejectReason.SYNTAX),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', RejectReason.SYNTAX),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', RejectReason.UNSUPPORTED),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', RejectReason.UNSUPPORTED),
        (b"<a>" * 50 + b"</a>" * 50, RejectReason.LONG),
    ],
)
def test_what_is_refused(data: bytes, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        from_xml(data)
    assert caught.value.reason is reason
