import io
import random

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.daemon.pictures import segment
from tests.daemon.pixel_limit import pixel_limit  # noqa: F401 - used for each test
from tests.daemon.scans_fakes import make_image, make_pdf
from torhaus.daemon.scans.checker import Limits, Verdict, examine, media_type_of
from torhaus.daemon.scans.states import Reason

LIMITS = Limits()
GOOD = {
    "application/pdf": (make_pdf(5), 5),
    "image/tiff": (make_image("TIFF", 3), 3),
    "image/jpeg": (make_image("JPEG"), 1),
    "image/png": (make_image("PNG"), 1),
}


def judge(data: bytes, limits: Limits = LIMITS) -> Verdict:
    return examine(io.BytesIO(data), limits)


@pytest.mark.parametrize("media_type", GOOD)
def test_good_documents_pass_with_their_pages(media_type: str) -> None:
    data, pages = GOOD[media_type]
    assert judge(data) == Verdict(media_type, None, pages)


@pytest.mark.parametrize("media_type", GOOD)
@pytest.mark.parametrize("part", [0.999, 0.98, 0.6, 0.3])
def test_truncated_documents_are_damaged(media_type: str, part: float) -> None:
    data, _pages = GOOD[media_type]
    cut = data[: min(int(len(data) * part), len(data) - 2)]
    assert judge(cut).reason is Reason.DAMAGED


@pytest.mark.parametrize("media_type", ["application/pdf", "image/jpeg", "image/png"])
def test_preallocated_zeros_are_damaged(media_type: str) -> None:
    data, _pages = GOOD[media_type]
    half = len(data) // 2
    assert judge(data[:half] + bytes(len(data) - half)).reason is Reason.DAMAGED


def test_zeros_instead_of_a_tiffs_last_frames_are_damaged() -> None:
    data, _pages = GOOD["image/tiff"]
    assert judge(data[: len(data) // 2] + bytes(len(data) - len(data) // 2)).reason is not None


def test_a_pdf_with_a_hole_is_damaged_though_it_opens_strictly() -> None:
    data = make_pdf(5, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    hole = data.index(b"/Length")
    holed = data[:hole] + bytes(20) + data[hole + 20 :]
    with pikepdf.open(io.BytesIO(holed), attempt_recovery=False, suppress_warnings=True) as pdf:
        assert len(pdf.pages) == 5
    assert judge(holed).reason is Reason.DAMAGED


def test_a_pdf_that_lost_only_its_last_line_is_damaged() -> None:
    assert judge(make_pdf().rstrip()[:-1]).reason is Reason.DAMAGED


def test_encrypted_pdfs_are_flagged() -> None:
    locked = make_pdf(2, encryption=pikepdf.Encryption(user="a", owner="b"))
    assert judge(locked) == Verdict("application/pdf", None, 0, ("encrypted",))
    open_to_read = make_pdf(2, encryption=pikepdf.Encryption(user="", owner="b"))
    assert judge(open_to_read) == Verdict("application/pdf", None, 2, ("encrypted",))
    assert judge(locked[: len(locked) * 9 // 10]).reason is Reason.DAMAGED


def test_jbig2_with_shared_symbols_is_flagged() -> None:
    pdf = pikepdf.Pdf.new()
    pdf.add_blank_page()
    shared = pdf.make_indirect(pikepdf.Stream(pdf, b"symbols"))
    image = pikepdf.Stream(pdf, segment(1, 38, bytes(99)), Filter=pikepdf.Name.JBIG2Decode)
    image.DecodeParms = pikepdf.Dictionary(JBIG2Globals=shared)
    pdf.pages[0].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=pdf.make_indirect(image)))
    out = io.BytesIO()
    pdf.save(out)
    assert judge(out.getvalue()).flags == ("jbig2_symbols",)


def test_no_pages_empty_and_unknown() -> None:
    out = io.BytesIO()
    pikepdf.Pdf.new().save(out)
    assert judge(out.getvalue()).reason is Reason.NO_PAGES
    assert judge(b"").reason is Reason.EMPTY
    assert judge(bytes(5000)).reason is Reason.UNKNOWN_TYPE  # preallocated, not begun
    assert judge(b"junk" + make_pdf()).reason is Reason.UNKNOWN_TYPE


def test_bombs_are_not_decoded() -> None:
    small = Limits(max_pixels=1000, max_frames=2)
    for kind in ("TIFF", "JPEG", "PNG"):
        assert judge(make_image(kind), small).reason is Reason.TOO_BIG_TO_CHECK
    many = make_image("TIFF", 3, (10, 10))
    assert judge(many, small).reason is Reason.TOO_BIG_TO_CHECK
    assert judge(many, Limits(max_pixels=1000, max_frames=3)).pages == 3


def test_the_type_is_what_the_first_bytes_say() -> None:
    assert media_type_of(b"MM\x00*rest") == "image/tiff"
    assert media_type_of(b"II+\x00") == "image/tiff"
    assert media_type_of(b"II") == "application/octet-stream"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(GOOD)), st.integers(0, 2**32), st.integers(1, 40))
def test_bytes_changed_at_random_never_escape(media_type: str, seed: int, changes: int) -> None:
    data, rng = bytearray(GOOD[media_type][0]), random.Random(seed)
    for _ in range(changes):
        data[rng.randrange(len(data))] = rng.randrange(256)
    assert isinstance(judge(bytes(data), Limits(max_pixels=10**6)), Verdict)
