"""Pages taken out of documents: the same content, and nothing of the other pages."""

import io
import random

import pikepdf
import pytest

from tests.daemon.pixel_limit import pixel_limit  # noqa: F401 - used for each test
from tests.daemon.scans_fakes import make_image, make_pdf
from torhaus.daemon.scans.checker import Limits, Verdict, examine
from torhaus.daemon.scans.sheets.cut import take
from torhaus.daemon.scans.states import Reason


def cut(data: bytes, first: int, count: int) -> tuple[Verdict, bytes]:
    return take(io.BytesIO(data), range(first, first + count), Limits())


def contents(data: bytes) -> list[bytes]:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return [page.Contents.read_raw_bytes() for page in pdf.pages]


def changed(data: bytes, change: object) -> bytes:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        change(pdf)  # type: ignore[operator]
        out = io.BytesIO()
        pdf.save(out)
        return out.getvalue()


def test_pages_of_a_pdf_are_copied_as_they_are() -> None:
    whole = make_pdf(5)
    verdict, made = cut(whole, 1, 3)
    assert verdict == Verdict("application/pdf", None, 3)
    assert contents(made) == contents(whole)[1:4]
    assert examine(io.BytesIO(made), Limits()) == Verdict("application/pdf", None, 3)
    assert cut(whole, 1, 3)[1] == made


def test_what_pages_inherit_comes_along() -> None:
    def inherit(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Pages.Rotate = 90
        pdf.Root.Pages.MediaBox = pikepdf.Array([0, 0, 200, 300])
        for page in pdf.pages:
            del page.obj["/MediaBox"]

    _, made = cut(changed(make_pdf(3), inherit), 2, 1)
    with pikepdf.open(io.BytesIO(made)) as pdf:
        (page,) = pdf.pages
        assert (int(page.Rotate), [int(x) for x in page.MediaBox]) == (90, [0, 0, 200, 300])


def test_nothing_of_other_pages_is_left_in_it() -> None:
    secret = b"SOZIALAMT 4711"

    def link(pdf: pikepdf.Pdf) -> None:
        pdf.pages[1].Contents = pdf.make_stream(secret)
        there = pikepdf.Array([pdf.pages[1].obj, pikepdf.Name.Fit])
        note = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9], Dest=there)
        pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([pdf.make_indirect(note)]))
        with pdf.open_outline() as outline:
            outline.root.append(pikepdf.OutlineItem("Akte 4711", 1))

    whole = changed(make_pdf(2), link)
    verdict, made = cut(whole, 0, 1)
    assert verdict.reason is None
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert all(secret not in o.read_bytes() for o in pdf.objects if isinstance(o, pikepdf.Stream))
        assert "/Outlines" not in pdf.Root
        assert sum(isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/Page" for o in pdf.objects) == 1
    assert examine(io.BytesIO(made), Limits()).reason is None


@pytest.mark.parametrize("key", ["AcroForm", "OCProperties", "Perms"])
def test_what_would_lose_something_stays_whole(key: str) -> None:
    data = changed(make_pdf(2), lambda pdf: setattr(pdf.Root, key, pikepdf.Dictionary()))
    assert cut(data, 0, 1) == (Verdict("application/pdf", Reason.NOT_SPLIT), b"")


def test_attachments_stay_whole() -> None:
    def attach(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["x.txt"] = b"x"

    assert cut(changed(make_pdf(2), attach), 0, 1)[0].reason is Reason.NOT_SPLIT


@pytest.mark.parametrize(("first", "count"), [(0, 4), (3, 1), (4000, 1), (0, 2**32 - 1)])
@pytest.mark.parametrize("data", [make_pdf(3), make_image("TIFF", 3)], ids=["pdf", "tiff"])
def test_pages_that_are_not_there(data: bytes, first: int, count: int) -> None:
    assert cut(data, first, count)[0].reason is Reason.NOT_SPLIT


def test_pages_of_a_tiff() -> None:
    verdict, made = cut(make_image("TIFF", 4), 1, 2)
    assert verdict == Verdict("image/tiff", None, 2)
    assert examine(io.BytesIO(made), Limits()) == Verdict("image/tiff", None, 2)


def test_single_pages_and_other_types_are_not_taken_apart() -> None:
    for kind in ("PNG", "JPEG"):
        assert cut(make_image(kind), 0, 1)[0].reason is Reason.NOT_SPLIT
    assert cut(b"", 0, 1)[0].reason is Reason.NOT_SPLIT


@pytest.mark.parametrize("data", [make_pdf(3), make_image("TIFF", 3, (12, 9))], ids=["pdf", "tiff"])
def test_damaged_documents_never_raise(data: bytes) -> None:
    rng = random.Random(4)
    for _ in range(150):
        bad = bytearray(data[: rng.choice((len(data), rng.randrange(len(data))))])
        for _ in range(rng.randrange(4)):
            if bad:
                bad[rng.randrange(len(bad))] = rng.randrange(256)
        verdict, made = cut(bytes(bad), 1, 1)
        assert (verdict.reason is None) == bool(made)
