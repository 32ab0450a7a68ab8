"""A PDF whose picture was cut off inside its stream does not pass; what is not decoded is flagged."""

import io
import random
import warnings
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name

from tests.daemon.pictures import fax_data, page, pdf_of, saved, segment
from tests.daemon.pixel_limit import pixel_limit  # noqa: F401 - used for each test
from torhaus.daemon.scans.checker import UNCHECKED, Limits, Verdict, examine
from torhaus.daemon.scans.pictures.pdf import SYMBOLS
from torhaus.daemon.scans.states import Reason

SIZE = (400, 300)
JPEG = saved(page(), "JPEG")
PROGRESSIVE = saved(page(mode="RGB"), "JPEG", progressive=True)
CMYK = saved(page(mode="CMYK"), "JPEG")
JPEG2000 = saved(page(), "JPEG2000", quality_mode="rates", quality_layers=[10])
COLOURS = saved(page(mode="RGB"), "JPEG2000")
BLACK_AND_WHITE = page().convert("1")
FAX = fax_data(BLACK_AND_WHITE)
FAX_PARMS = Dictionary(K=-1, Columns=SIZE[0])
ROWS = page().tobytes()
PNG_ROWS = b"".join(b"\0" + ROWS[i : i + SIZE[0]] for i in range(0, len(ROWS), SIZE[0]))
LOSSLESS = segment(0, 48, bytes(19)) + segment(1, 38, bytes(18) + bytes(range(200)))
FILTERS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "jpeg": (JPEG, {"Filter": Name.DCTDecode}),
    "progressive": (PROGRESSIVE, {"Filter": Name.DCTDecode, "ColorSpace": Name.DeviceRGB}),
    "cmyk": (CMYK, {"Filter": Array([Name.DCTDecode]), "ColorSpace": Name.DeviceCMYK}),
    "jpeg 2000": (JPEG2000, {"Filter": Name.JPXDecode}),
    "jpeg 2000 in colours": (COLOURS, {"Filter": Name.JPXDecode, "ColorSpace": Name.DeviceRGB}),
    "fax": (FAX, {"Filter": Name.CCITTFaxDecode, "DecodeParms": FAX_PARMS, "BitsPerComponent": 1}),
    "jbig2": (LOSSLESS, {"Filter": Name.JBIG2Decode, "BitsPerComponent": 1}),
    "as it is": (ROWS, {}),
}


def judge(data: bytes, limits: Limits = Limits()) -> Verdict:  # noqa: B008 - frozen
    warnings.simplefilter("ignore")  # as in the checker's process
    return examine(io.BytesIO(data), limits)


@pytest.mark.parametrize("kind", FILTERS)
def test_whole_pictures_pass_and_none_that_was_cut_off(kind: str) -> None:
    data, entries = FILTERS[kind]
    assert judge(pdf_of(data, **entries)) == Verdict("application/pdf", None, 1)
    rng = random.Random(kind)
    for end in (len(data) * 99 // 100, len(data) // 2, *(rng.randrange(len(data) - 2) for _ in range(10)), 0):
        assert judge(pdf_of(data[:end], **entries)).reason is Reason.DAMAGED, end


def test_a_picture_under_several_filters() -> None:
    for data, reason in ((JPEG, None), (JPEG[: len(JPEG) // 2], Reason.DAMAGED)):
        twice: dict[str, Any] = {
            "Filter": Array([Name.FlateDecode, Name.DCTDecode]),
            "DecodeParms": Array([None, Dictionary()]),
        }
        assert judge(pdf_of(zlib.compress(data), **twice)).reason is reason
        hexed: dict[str, Any] = {"Filter": Array([Name.ASCIIHexDecode, Name.FlateDecode, Name.DCTDecode])}
        assert judge(pdf_of(zlib.compress(data).hex().encode() + b">", **hexed)).reason is reason


def test_packed_rows_are_counted() -> None:
    flate: dict[str, Any] = {"Filter": Name.FlateDecode}
    predicted = flate | {"DecodeParms": Dictionary(Predictor=15, Columns=SIZE[0])}
    assert judge(pdf_of(zlib.compress(ROWS), **flate)).flags == ()
    assert judge(pdf_of(zlib.compress(PNG_ROWS), **predicted)).reason is None
    assert judge(pdf_of(zlib.compress(ROWS + b"\n"), **flate)).reason is None
    assert judge(pdf_of(zlib.compress(ROWS[:-1]), **flate)).reason is Reason.DAMAGED
    assert judge(pdf_of(zlib.compress(PNG_ROWS[: len(PNG_ROWS) // 2]), **predicted)).reason is Reason.DAMAGED
    assert judge(pdf_of(zlib.compress(ROWS)[:-30], **flate)).reason is Reason.DAMAGED


@pytest.mark.parametrize(
    ("entries", "size"),
    [
        ({"ColorSpace": Name.DeviceRGB}, 400 * 300 * 3),
        ({"ColorSpace": Name.DeviceCMYK, "BitsPerComponent": 16}, 400 * 300 * 8),
        ({"ColorSpace": Array([Name.Indexed, Name.DeviceRGB, 1, bytes(6)]), "BitsPerComponent": 4}, 60_000),
        ({"ColorSpace": Array([Name.DeviceN, Array([Name.A, Name.B]), Name.DeviceCMYK])}, 400 * 300 * 2),
        ({"ImageMask": True, "BitsPerComponent": 1}, 50 * 300),
    ],
)
def test_how_many_bytes_colours_want(entries: dict[str, Any], size: int) -> None:
    assert judge(pdf_of(bytes(size), **entries)) == Verdict("application/pdf", None, 1)
    assert judge(pdf_of(bytes(size - 1), **entries)).reason is Reason.DAMAGED


def test_what_is_not_decoded_is_flagged() -> None:
    flagged = Verdict("application/pdf", None, 1, (UNCHECKED,))
    jpeg = pdf_of(JPEG, Filter=Name.DCTDecode)
    assert judge(jpeg, Limits(cpu_s=0)) == flagged
    assert judge(jpeg, Limits(max_pixels=1000)) == flagged
    assert judge(pdf_of(JPEG[:-30], Filter=Name.DCTDecode), Limits(cpu_s=0)).reason is Reason.DAMAGED
    fax: dict[str, Any] = {"Filter": Name.CCITTFaxDecode}
    assert judge(pdf_of(FAX, DecodeParms=FAX_PARMS, **fax), Limits(max_pixels=1000)) == flagged
    aligned = Dictionary(K=-1, Columns=SIZE[0], EncodedByteAlign=True)
    assert judge(pdf_of(FAX, DecodeParms=aligned, **fax)) == flagged
    assert judge(pdf_of(b"?", Filter=Name("/Unheard"))) == flagged
    assert judge(pdf_of(ROWS, ColorSpace=Name.Pattern)) == flagged
    twelve_bits = JPEG.replace(b"\xff\xc0\x00\x0b\x08", b"\xff\xc0\x00\x0b\x0c")
    assert judge(pdf_of(twelve_bits, Filter=Name.DCTDecode)) == flagged


def test_symbols_are_flagged() -> None:
    jbig2: dict[str, Any] = {"Filter": Name.JBIG2Decode, "BitsPerComponent": 1}
    symbols = segment(2, 0, bytes(9)) + LOSSLESS
    assert judge(pdf_of(symbols, **jbig2)).flags == (SYMBOLS,)
    assert judge(pdf_of(LOSSLESS, DecodeParms=Dictionary(JBIG2Globals=Dictionary()), **jbig2)).flags == (SYMBOLS,)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(FILTERS)), st.integers(0, 2**32), st.integers(1, 30))
def test_bytes_changed_at_random_never_escape(kind: str, seed: int, changes: int) -> None:
    data, entries = FILTERS[kind]
    changed, rng = bytearray(data), random.Random(seed)
    for _ in range(changes):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    assert isinstance(judge(pdf_of(bytes(changed), **entries), Limits(max_pixels=10**6)), Verdict)


def test_parameters_that_are_none() -> None:
    for parameters in (Dictionary(K="x"), Array([1, 2]), Dictionary(Columns=-5), Dictionary(Columns=2**31)):
        verdict = judge(pdf_of(FAX, Filter=Name.CCITTFaxDecode, DecodeParms=parameters))
        assert verdict.reason is Reason.DAMAGED or verdict.flags == (UNCHECKED,)
    assert judge(pdf_of(b"", (-1, 300), DecodeParms=Array([]))).reason is None  # nothing is wanted of it
