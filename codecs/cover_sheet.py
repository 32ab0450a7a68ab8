"""The text in the QR codes of a cover sheet: what the pages behind it are, and that it is one of ours.

`TH1;d=bauamt;c=rechnung;n=12;s=4KQ7VZ2MXPHB;k=3ZK5Q2W7M4XB6T2A`: d department, c class, n pages behind it, b batch, s
the sheet's own number, k the check value. Department and sheet are always there, the rest may be left out; the order is
this one. The check value is HMAC-SHA-256 (RFC 2104) over all before `;k=`, its first 80 bits in base 32: no letter that
somebody sends in can send itself to another department, and no other code is taken for a sheet.
"""

import hmac
import re
from base64 import b32encode
from collections.abc import Sequence
from typing import Final

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason

PREFIX: Final = "TH1;"
MAX_TEXT: Final = 200
MAX_PAGES: Final = 9999
MIN_KEY_BYTES: Final = 16
WORD: Final = r"[a-z0-9][a-z0-9._-]{0,31}"
"""A department, class or batch: what can be a folder's name and a topic everywhere."""
SHEET: Final = r"[A-Z2-7]{12}"
"""A sheet's number: 60 bits in base 32."""
_TEXT: Final = re.compile(
    rf"(?P<said>TH1;d=(?P<department>{WORD})(?:;c=(?P<class_>{WORD}))?(?:;n=(?P<pages>[1-9][0-9]{{0,3}}))?"
    rf"(?:;b=(?P<batch>{WORD}))?;s=(?P<sheet>{SHEET}));k=(?P<check>[A-Z2-7]{{16}})"
)
_CHECK_BYTES: Final = 10


class CoverSheet(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What a sheet says. `pages`: how many lie behind it, the sheet itself not counted; None: it does not say."""

    department: str
    sheet: str
    class_: str | None = msgspec.field(default=None, name="class")
    pages: int | None = None
    batch: str | None = None

    def __post_init__(self) -> None:
        for name, value, pattern in (
            ("department", self.department, WORD),
            ("sheet", self.sheet, SHEET),
            ("class", self.class_, WORD),
            ("batch", self.batch, WORD),
        ):
            if value is not None and re.fullmatch(pattern, value) is None:
                raise ValueError(f"{name}: {_SAYS[pattern]}")
        if self.pages is not None and not 1 <= self.pages <= MAX_PAGES:
            raise ValueError(f"pages: 1 to {MAX_PAGES}")


_SAYS: Final = {
    WORD: "1 to 32 of a-z, 0-9, dot, dash and underscore, a letter or digit first",
    SHEET: "12 of A-Z and 2-7",
}


def build(sheet: CoverSheet, key: bytes) -> str:
    """The text for its codes. ValueError for a key that is too short."""
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(f"the key of cover sheets has {MIN_KEY_BYTES} bytes at least")
    parts = (("c", sheet.class_), ("n", sheet.pages), ("b", sheet.batch), ("s", sheet.sheet))
    said = f"TH1;d={sheet.department}" + "".join(f";{name}={value}" for name, value in parts if value is not None)
    return f"{said};k={_check(said, key)}"


def is_meant(text: str) -> bool:
    """Whether a code claims to be a cover sheet's: what then cannot be read or proved is a person's business."""
    return text.startswith(PREFIX)


def parse(text: str, keys: Sequence[bytes]) -> CoverSheet:
    """What a code says, by any of these keys. DecodeError: UNKNOWN_TYPE for any other code, LONG, SYNTAX, MIC."""
    found = _match(text)
    if not any(hmac.compare_digest(found["check"], _check(found["said"], key)) for key in keys):
        raise DecodeError(RejectReason.MIC, "the check value of this cover sheet is not one of ours")
    return _sheet(found)


def read(text: str) -> CoverSheet:
    """What a text says that one has had built just now: nothing is proved. DecodeError as above, without MIC."""
    return _sheet(_match(text))


def _match(text: str) -> re.Match[str]:
    if not is_meant(text):
        raise DecodeError(RejectReason.UNKNOWN_TYPE, "no code of a cover sheet")
    if len(text) > MAX_TEXT:
        raise DecodeError(RejectReason.LONG, f"a cover sheet's code has at most {MAX_TEXT} characters")
    found = _TEXT.fullmatch(text)
    if found is None:
        raise DecodeError(RejectReason.SYNTAX, "begins like a cover sheet's code and does not go on like one")
    return found


def _sheet(found: re.Match[str]) -> CoverSheet:
    pages = int(found["pages"]) if found["pages"] is not None else None
    return CoverSheet(found["department"], found["sheet"], found["class_"], pages, found["batch"])


def _check(said: str, key: bytes) -> str:
    return b32encode(hmac.digest(key, said.encode("ascii"), "sha256")[:_CHECK_BYTES]).decode()
