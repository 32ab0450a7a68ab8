"""A transfer note as XML 1.0: the members of the JSON as elements, `_` as `-`, items of a list as `item`."""

import re
from typing import Any, Final
from xml.sax.saxutils import escape

import msgspec

from torhaus.daemon.evidence.note import BatchNote, Note

NAMESPACE: Final = "urn:torhaus:transfer-note:1"
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 §2.2 cannot hold, not even escaped."""


def note_xml(note: Note | BatchNote) -> bytes:
    """UTF-8, with the declaration. What is null is left out."""
    name = "transfer-note" if isinstance(note, Note) else "batch-note"
    inner = "".join(_element(key, value, 1) for key, value in msgspec.to_builtins(note).items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{NAMESPACE}">\n{inner}</{name}>\n'.encode()


def _element(key: str, value: Any, depth: int) -> str:  # noqa: ANN401 - what JSON can hold
    name, pad = key.replace("_", "-"), "  " * depth
    if value is None:
        return ""
    if isinstance(value, dict):
        inner = "".join(_element(k, v, depth + 1) for k, v in value.items())
        return f"{pad}<{name}>\n{inner}{pad}</{name}>\n"
    if isinstance(value, list):
        inner = "".join(_element("item", each, depth + 1) for each in value)
        return f"{pad}<{name}>\n{inner}{pad}</{name}>\n"
    text = str(value).lower() if isinstance(value, bool) else _NOT_XML.sub("\ufffd", str(value))
    return f"{pad}<{name}>{escape(text, {chr(13): '&#13;'})}</{name}>\n"
