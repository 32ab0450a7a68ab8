"""Fax pictures (ITU-T T.4, T.6) inside PDFs, where they have no frame: ISO 32000-1 §7.4.6, CCITTFaxDecode.

The decoder fills up what is missing and says nothing. But behind a whole picture anything may be written, and the
picture does not change: what does change was cut off.
"""

import io
import struct
from typing import Final

import msgspec
from PIL import Image, TiffImagePlugin  # noqa: F401 - loads it

_END: Final = "000000000001" * 2
"""EOFB, T.6 §2.4.1.1: two end-of-line codes."""
_BLACK: Final = "001" + "00110101" + "11"
"""Two black pixels, T.6 table 4 and T.4 tables 2/T.4: horizontal mode, no white, a black run of two."""
_WHITE: Final = "0001"
"""Nothing but white below a black row: pass mode."""
_LINE: Final = "000000000001"
_JOINTS: Final = ("", "1", "11", "011", "0011", "00011", "1011", "10011")
"""Bits between the two: with one of these a code that was cut through becomes one that exists."""
_TAIL_BYTES: Final = 16


class Fax(msgspec.Struct, frozen=True):
    """How a picture is coded: the entries of DecodeParms with their defaults. `rows`: the picture's height."""

    rows: int
    columns: int = 1728
    k: int = 0
    has_line_ends: bool = False
    is_aligned: bool = False

    @property
    def is_known(self) -> bool:
        """Whether a TIFF can say the same, and so the decoder be asked."""
        return not self.is_aligned and (self.k < 0 or self.has_line_ends)


def is_whole(data: bytes, fax: Fax) -> bool:
    """Whether all rows are there. Raises OSError and what else the decoder raises."""
    row_bytes = (fax.columns + 7) // 8
    behind = _decode(_and_two_rows(data, fax), fax, fax.rows + 2)[-2 * row_bytes :]
    whole_bytes = row_bytes - 1  # the last one may be filled up
    black, white = behind[:whole_bytes], behind[row_bytes : row_bytes + whole_bytes]
    if whole_bytes and not any(black) and white == b"\xff" * whole_bytes:
        return True  # what was written behind it came out behind it
    picture = _decode(data, fax, fax.rows)
    return all(_decode(_and_two_rows(data, fax, joint), fax, fax.rows) == picture for joint in _JOINTS)


def _and_two_rows(data: bytes, fax: Fax, joint: str = "") -> bytes:
    """The picture with a black row behind its last one, and a white one behind that."""
    head, tail = data[:-_TAIL_BYTES], data[-_TAIL_BYTES:]
    bits = "".join(f"{byte:08b}" for byte in tail)
    if fax.k < 0:
        ended = bits.rstrip("0")
        if not ended.endswith(_END):  # a writer may count the line end before `endstream` in
            ended = "".join(f"{byte:08b}" for byte in tail.rstrip(b"\r\n")).rstrip("0")
        bits = ended.removesuffix(_END) if ended.endswith(_END) else bits
        bits += joint + _BLACK * ((fax.columns + 1) // 2) + _WHITE
    else:
        bits += joint + (_LINE + ("1" if fax.k > 0 else "") + _BLACK[3:]) * 4
    bits += "0" * (-len(bits) % 8)
    return head + int(bits, 2).to_bytes(len(bits) // 8, "big")


def _decode(data: bytes, fax: Fax, rows: int) -> bytes:
    """Its rows, a bit a pixel, black is 0; of what is missing something comes back, too."""
    with Image.open(io.BytesIO(_tiff(data, fax, rows)), formats=["TIFF"]) as image:
        return image.tobytes()


def _tiff(data: bytes, fax: Fax, rows: int) -> bytes:
    """The same picture as a file that the decoder takes: one strip. TIFF 6.0 §2, §11."""
    options = (293, 0) if fax.k < 0 else (292, 1 if fax.k > 0 else 0)
    entries = (
        (256, fax.columns), (257, rows), (258, 1), (259, 4 if fax.k < 0 else 3), (262, 0), (266, 1), (273, 8),
        (277, 1), (278, rows), (279, len(data)), options,
    )  # fmt: skip
    table = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(entries))
    at = 8 + len(data) + len(data) % 2
    head, frame = b"II*\0" + struct.pack("<I", at), struct.pack("<H", len(entries)) + table + bytes(4)
    return head + data.ljust(at - 8, b"\0") + frame
