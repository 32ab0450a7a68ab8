"""Pictures inside a PDF: each is decoded to its end, so that one that was cut off inside its stream does not pass.

A JPEG and a JPEG 2000 are decoded at the smallest size that their coding offers: every coefficient is read, and only
the arithmetic that makes pixels of them is left out. A picture without a coding of its own has as many bytes as its
size and colours say. Of JBIG2 every segment is found whole; pixels are not made.

ISO 32000-1 §7.4 (filters), §8.6 (colour spaces), §8.9.5 (images).
"""

import io
import time
from typing import Any, Final

import pikepdf
from PIL import Image, Jpeg2KImagePlugin, JpegImagePlugin, UnidentifiedImageError  # noqa: F401 - loads them

from torhaus.daemon.scans.checker import UNCHECKED
from torhaus.daemon.scans.pictures import fax, jbig2

SYMBOLS: Final = "jbig2_symbols"
"""Forbidden for replacement scanning (BSI TR-03138 V1.5, A.SC.12), hence flagged."""
_PLAIN: Final = frozenset({
    "/FlateDecode", "/LZWDecode", "/ASCII85Decode", "/ASCIIHexDecode", "/RunLengthDecode", "/Crypt",
})  # fmt: skip
_COLOURS: Final = {
    "/DeviceGray": 1, "/CalGray": 1, "/Indexed": 1, "/Separation": 1, "/DeviceRGB": 3, "/CalRGB": 3, "/Lab": 3,
    "/DeviceCMYK": 4,
}  # fmt: skip
_END: Final = b"\xff\xd9"
"""Of a JPEG (EOI, T.81 table B.1) and of a JPEG 2000 (EOC, T.800 table A.2)."""
_CODING_STYLE: Final = b"\xff\x52"
_TAIL_BYTES: Final = 1024
_SMALLEST: Final = (1, 1)
_MAX_HALVED: Final = 4


class Damaged(Exception):  # noqa: N818 - a fact
    """A picture is not whole."""


class Pictures:
    """Those of one document. `cpu_s`: what all of them together may take; what is left then is flagged."""

    def __init__(self, cpu_s: float, flags: set[str]) -> None:
        self._until_s = time.process_time() + cpu_s
        self._flags = flags

    def read(self, stream: pikepdf.Stream) -> None:
        """Any stream of the document, to its end. Raises Damaged, pikepdf.PdfError and what decoders raise."""
        filters = _list(stream.get("/Filter"))
        coding = str(filters[-1]) if filters else ""
        if all(str(name) in _PLAIN for name in filters):
            self._plain(stream)
            return
        raw = stream.read_raw_bytes()
        if len(filters) > 1:
            raw = _unpacked(raw, stream, filters)
        decode = {
            "/DCTDecode": self._jpeg, "/JPXDecode": self._jpeg2000, "/CCITTFaxDecode": self._fax,
            "/JBIG2Decode": self._jbig2,
        }.get(coding)  # fmt: skip
        if decode is None:
            self._flags.add(UNCHECKED)
        else:
            decode(raw, stream)

    def _plain(self, stream: pikepdf.Stream) -> None:
        try:
            data = stream.read_bytes(decode_level=pikepdf.StreamDecodeLevel.specialized)
        except pikepdf.DataDecodingError:
            raise Damaged from None
        except pikepdf.PdfError:  # parameters that the library does not know
            stream.read_raw_bytes()
            self._flags.add(UNCHECKED)
            return
        if stream.get("/Subtype") == "/Image":
            self._measure(stream, len(data))

    def _has_time(self) -> bool:
        """Whether another picture may be decoded. Flags the document where not."""
        if time.process_time() < self._until_s:
            return True
        self._flags.add(UNCHECKED)
        return False

    def _measure(self, stream: pikepdf.Stream, size: int) -> None:
        width, height = int(stream.Width), int(stream.Height)
        bits = 1 if stream.get("/ImageMask", False) else int(stream.get("/BitsPerComponent", 0))
        colours = 1 if stream.get("/ImageMask", False) else _components(stream.get("/ColorSpace"))
        if not (bits and colours):
            self._flags.add(UNCHECKED)
        elif size < (width * bits * colours + 7) // 8 * height:
            raise Damaged

    def _jpeg(self, data: bytes, _: pikepdf.Stream) -> None:
        self._decode(data, "JPEG")

    def _jpeg2000(self, data: bytes, _: pikepdf.Stream) -> None:
        self._decode(data, "JPEG2000")

    def _decode(self, data: bytes, kind: str) -> None:
        """Raises Damaged, OSError where it is cut off."""
        if _END not in data[-_TAIL_BYTES:]:
            raise Damaged
        if not self._has_time():
            return
        try:
            with Image.open(io.BytesIO(data), formats=[kind]) as image:
                if kind == "JPEG2000":
                    setattr(image, "reduce", _levels(data))  # noqa: B010 - a method of other pictures
                else:
                    image.draft("L", _SMALLEST)
                image.load()
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            self._flags.add(UNCHECKED)
        except UnidentifiedImageError:
            if not data.startswith((b"\xff\xd8", b"\x00\x00\x00\x0cjP", b"\xff\x4f\xff\x51")):
                raise Damaged from None
            self._flags.add(UNCHECKED)

    def _fax(self, data: bytes, stream: pikepdf.Stream) -> None:
        said = _last_parameters(stream)
        picture = fax.Fax(
            rows=int(stream.Height), columns=int(said.get("/Columns", 1728)), k=int(said.get("/K", 0)),
            has_line_ends=bool(said.get("/EndOfLine", False)), is_aligned=bool(said.get("/EncodedByteAlign", False)),
        )  # fmt: skip
        is_big = picture.rows * picture.columns > (Image.MAX_IMAGE_PIXELS or 0)
        if is_big or not picture.is_known:
            self._flags.add(UNCHECKED)
        elif self._has_time() and not fax.is_whole(data, picture):
            raise Damaged

    def _jbig2(self, data: bytes, stream: pikepdf.Stream) -> None:
        try:
            if jbig2.is_symbol_coded(data) or "/JBIG2Globals" in _last_parameters(stream):
                self._flags.add(SYMBOLS)
        except jbig2.Cut:
            raise Damaged from None


def _levels(data: bytes) -> int:
    """How often a JPEG 2000 may be halved and something is still to be decoded (T.800 tables A.15, A.20)."""
    at = data.find(_CODING_STYLE)
    return max(0, min(data[at + 9] - 1, _MAX_HALVED)) if 0 <= at < len(data) - 9 else 0


def _list(value: pikepdf.Object | None) -> list[pikepdf.Object]:
    """Of a value that may be one thing, or an array of them."""
    if value is None:
        return []
    return list(value) if isinstance(value, pikepdf.Array) else [value]


def _last_parameters(stream: pikepdf.Stream) -> pikepdf.Dictionary:
    """DecodeParms of the last filter."""
    found = _list(stream.get("/DecodeParms"))
    return found[-1] if found and isinstance(found[-1], pikepdf.Dictionary) else pikepdf.Dictionary()


def _unpacked(raw: bytes, stream: pikepdf.Stream, filters: list[pikepdf.Object]) -> bytes:
    """What is left when all filters but the last are undone."""
    parameters = _list(stream.get("/DecodeParms"))
    with pikepdf.new() as pdf:
        packed = pikepdf.Stream(pdf, raw)
        packed.Filter = pikepdf.Array([pikepdf.Name(str(name)) for name in filters[:-1]])
        if len(parameters) == len(filters):
            packed.DecodeParms = pikepdf.Array([_numbers(p) for p in parameters[:-1]])
        return packed.read_bytes(decode_level=pikepdf.StreamDecodeLevel.specialized)


def _numbers(parameters: pikepdf.Object) -> pikepdf.Dictionary | None:
    """Those of a filter's parameters that are numbers: all that undoing it needs."""
    if not isinstance(parameters, pikepdf.Dictionary):
        return None
    values: dict[str, Any] = dict(parameters.items())
    return pikepdf.Dictionary({key: int(value) for key, value in values.items() if isinstance(value, int)})


def _components(space: pikepdf.Object | None) -> int:
    """How many values a pixel has in this colour space; 0: unknown."""
    if not isinstance(space, pikepdf.Array):
        return _COLOURS.get(str(space), 0)
    kind = str(space[0])
    if kind == "/ICCBased":
        return int(space[1].get("/N", 0))
    if kind == "/DeviceN":
        return len(space[1])
    return _COLOURS.get(kind, 0)
