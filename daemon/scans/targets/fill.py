"""Texts of a target's fields, with what is known of the document: `{id}`, `{name}`, `{station}`, `{sha256}`. Pure."""

import re
from typing import Final

from torhaus.daemon.scans.targets.base import Parcel

KNOWN: Final = ("id", "name", "station", "sha256")
_PLACE: Final = re.compile(r"\{([^{}]*)\}")


def placeholder_fault(text: str) -> str | None:
    """What is wrong with a text, in words; None when nothing is."""
    wrong = next((name for name in _PLACE.findall(text) if name not in KNOWN), None)
    if wrong is None:
        return None
    return f'"{text}" has {{{wrong}}}, must be one of {", ".join(f"{{{name}}}" for name in KNOWN)}'


def fill(text: str, parcel: Parcel) -> str:
    """The text for this document."""
    return _PLACE.sub(lambda match: str(getattr(parcel, match[1])), text)
