"""Opens one document strictly, in a process of its own that `nursery.py` makes for it.

What parsers do with hostile bytes stays in there: limits on memory, CPU time, files and processes are set before the
first byte is read. pikepdf and Pillow (the extra `scans`) are imported in there only; exit code 69 (EX_UNAVAILABLE)
says that they are missing.

PDF: ISO 32000-1 §7.5 (header, cross-reference, %%EOF). TIFF 6.0 §2. PNG: W3C REC-png-3 §5. JPEG: ITU-T T.81 annex B.
"""

import ctypes
import io
import resource
import signal
import time
import warnings
from typing import BinaryIO, Final

import msgspec

from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.tiff import directories

EX_UNAVAILABLE: Final = 69
MAX_VERDICT_BYTES: Final = 48 << 10
"""A verdict is some 150 bytes, and as many more for each cover sheet. It fits into a pipe."""
MAX_CODES: Final = 200
"""Codes of cover sheets in one document; where there are more, none is believed."""
MAX_CODES_BYTES: Final = MAX_VERDICT_BYTES - 1024
"""As they are written down, where a character may become six: a verdict that does not fit into the pipe hangs there."""
CODES_TIME: Final = 10
"""So many times longer a document may take whose pages are searched for codes: a tenth of a second each."""
PICTURES_TIME: Final = 0.5
"""The part of a check's CPU time in which pictures of a PDF are decoded. What is left then is flagged."""
UNREAD: Final = "codes_unread"
UNCHECKED: Final = "images_unchecked"
"""The flag of a document in which a picture was not decoded: too large, no time left, or a coding that nobody knows."""

_PR_SET_PDEATHSIG: Final = 1
_TAIL_BYTES: Final = 1024
"""Where a reader looks for the end mark (PDF: ISO 32000-1 annex H.3 implementation note 18)."""

_WHITE: Final = b"\0\t\n\f\r "
"""White space of PDF (ISO 32000-1 table 1). Anything else behind the last end mark is an update that lacks its end."""

_MAGIC: Final = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),  # BigTIFF
    (b"MM\x00+", "image/tiff"),
)

_END_MARKS: Final = {"image/png": b"IEND\xaeB`\x82", "image/jpeg": b"\xff\xd9"}
"""Every complete file has these near its end. A TIFF has no end mark: its directories say where everything lies."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one check may use; for all of these the document is to blame when they do not suffice."""

    memory_bytes: int = 1 << 30
    cpu_s: int = 60
    wall_s: float = 120.0
    max_pixels: int = 200_000_000  # one A0 sheet at 300 dpi has 139 million
    max_frames: int = 5000


class Code(msgspec.Struct, frozen=True, array_like=True):
    """A code that claims to be a cover sheet's: on which page, from 0, its text; whether the page behind is blank."""

    page: int
    text: str
    blank_behind: bool = False


def codes_json(codes: tuple[Code, ...]) -> str:
    """As the store has them."""
    return msgspec.json.encode(codes).decode()


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the check found. `reason` None: good. pages 0: unknown.

    `flags`: encrypted, jbig2_symbols, unchecked; images_unchecked where not every picture was decoded; codes_unread
    where codes were looked for and there may be some.
    """

    media_type: str
    reason: Reason | None = None
    pages: int = 0
    flags: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()


class Refusal(Exception):  # noqa: N818 - a verdict, raised from inside a walk
    """The document is not good."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(reason.value)


def media_type_of(head: bytes) -> str:
    """Type by the first bytes; application/octet-stream when they say nothing."""
    return next((name for magic, name in _MAGIC if head.startswith(magic)), "application/octet-stream")


def examine(file: BinaryIO, limits: Limits, *, codes: bool = False) -> Verdict:
    """Open strictly, decode to the end, count the pages; find cover sheets' `codes` if asked to.

    Never raises for what is in the document.
    """
    media_type = media_type_of(file.read(16))
    size = file.seek(0, io.SEEK_END)
    if size == 0:
        return Verdict(media_type, Reason.EMPTY)
    if media_type == "application/octet-stream":
        return Verdict(media_type, Reason.UNKNOWN_TYPE)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    file.seek(0)
    flags: set[str] = set()
    try:
        is_pdf = media_type == "application/pdf"
        _bound_pixels(limits)
        pages = _pdf(file, tail, limits, flags) if is_pdf else _image(file, tail, media_type, limits, flags)
    except Refusal as refusal:
        return Verdict(media_type, refusal.reason, flags=tuple(sorted(flags)))
    except MemoryError:
        return Verdict(media_type, Reason.TOO_BIG_TO_CHECK)
    except ImportError:
        raise
    except Exception:  # noqa: BLE001 - parsers raise anything for hostile bytes; all of it means "does not open"
        return Verdict(media_type, Reason.DAMAGED, flags=tuple(sorted(flags)))
    found = _codes(file, media_type, limits, flags) if codes else ()
    return Verdict(media_type, None, pages, tuple(sorted(flags)), found)


def _codes(file: BinaryIO, media_type: str, limits: Limits, flags: set[str]) -> tuple[Code, ...]:
    """What cover sheets say. A document in which they cannot be looked for is good, and flagged."""
    if "encrypted" not in flags:
        try:
            from torhaus.daemon.scans.sheets.codes import find

            found = find(file, media_type, limits)
        except ImportError:
            raise
        except Exception:  # noqa: BLE001 - parsers raise anything for hostile bytes, MemoryError and Refusal among it
            flags.add(UNREAD)
            return ()
        if len(found) <= MAX_CODES and len(msgspec.json.encode(found)) <= MAX_CODES_BYTES:
            return found
    flags.add(UNREAD)
    return ()


def _pdf(file: BinaryIO, tail: bytes, limits: Limits, flags: set[str]) -> int:
    """Strict open, every object read, every picture decoded. A password keeps us out, not the document."""
    import pikepdf

    from torhaus.daemon.scans.pictures.pdf import Pictures

    _before, mark, behind = tail.rpartition(b"%%EOF")
    if not mark or behind.strip(_WHITE):  # qpdf reads a file whose last line is cut off, and one that was appended to
        raise Refusal(Reason.DAMAGED)
    try:
        pdf = pikepdf.open(file, attempt_recovery=False, suppress_warnings=True)
    except pikepdf.PasswordError:  # the cross-reference table was read by then: not cut off
        flags.add("encrypted")
        return 0
    with pdf:
        if pdf.is_encrypted:
            flags.add("encrypted")
        pictures = Pictures(limits.cpu_s * PICTURES_TIME, flags)
        for thing in pdf.objects:
            if isinstance(thing, pikepdf.Stream):
                pictures.read(thing)
        pages = len(pdf.pages)
        if pdf.get_warnings():  # something had to be guessed on the way
            raise Refusal(Reason.DAMAGED)
    if pages < 1:
        raise Refusal(Reason.NO_PAGES)
    return pages


def _bound_pixels(limits: Limits) -> None:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    warnings.simplefilter("error", Image.DecompressionBombWarning)


def _image(file: BinaryIO, tail: bytes, media_type: str, limits: Limits, flags: set[str]) -> int:
    """Every frame decoded to its last row. Zeros in an uncompressed TIFF are pixels: no decoder can tell."""
    from PIL import Image

    from torhaus.daemon.scans.pictures import strips

    if _END_MARKS.get(media_type, b"") not in tail:  # decoders stop at the last image row, and fill up what is missing
        raise Refusal(Reason.DAMAGED)
    named = directories(file, file.seek(0, io.SEEK_END), limits.max_frames) if media_type == "image/tiff" else None
    file.seek(0)
    frames, laxly_read = 0, []
    try:
        with Image.open(file, formats=[media_type.removeprefix("image/").upper()]) as image:
            while True:
                if image.width * image.height > limits.max_pixels or frames >= limits.max_frames:
                    raise Refusal(Reason.TOO_BIG_TO_CHECK)
                if media_type == "image/jpeg":
                    image.draft("L", (1, 1))  # all is read; only the arithmetic that makes pixels of it is left out
                if named is not None and (found := strips.strips_of(image.tag_v2)) is not None:  # type: ignore[attr-defined]
                    laxly_read.append(found)
                image.load()
                frames += 1
                try:
                    image.seek(frames)
                except EOFError:
                    break
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refusal(Reason.TOO_BIG_TO_CHECK) from None
    if named not in {None, frames}:
        raise Refusal(Reason.DAMAGED)
    until_s = time.process_time() + limits.cpu_s * PICTURES_TIME
    for page in laxly_read:
        if time.process_time() > until_s:
            flags.add(UNCHECKED)
            break
        if not strips.are_whole(file, page):
            raise Refusal(Reason.DAMAGED)
    return frames


def die_with_parent() -> None:
    """Be killed when the process that made this one ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def bound(limits: Limits) -> None:
    """Take away what a parser has no need of. Dies with its parent."""
    die_with_parent()
    for what, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_NPROC, 0),
    ):
        _soft, hard = resource.getrlimit(what)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))  # SIGXCPU first: tells time from a crash
