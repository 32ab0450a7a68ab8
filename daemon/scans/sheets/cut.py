"""Takes pages out of a document as one of their own. Runs in a process like the one that examines documents.

What is on the pages is copied as it is: no picture is decoded, nothing is drawn anew. A document of which something
would be lost or changed is not taken apart. Needs the extra `scans`.
"""

import io
from typing import BinaryIO, Final

import pikepdf

from torhaus.daemon.scans.checker import Limits, Refusal, Verdict, media_type_of
from torhaus.daemon.scans.sheets.tiff_pages import tiff_of
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.tiff import Cut

_WHOLE: Final = ("/AcroForm", "/OCProperties", "/Collection", "/AF", "/Perms", "/DSS")
"""What belongs to a PDF as a whole and would be lost with a page: forms and signatures, layers, attachments (ISO
32000-1 §7.7.2; ISO 32000-2 for AF and DSS)."""
_NOT_SPLIT: Final = Reason.NOT_SPLIT


def take(file: BinaryIO, pages: range, limits: Limits) -> tuple[Verdict, bytes]:
    """The pages (from 0) and nothing else of it. Same bytes each time. Never raises for what is in the document."""
    media_type = media_type_of(file.read(16))
    file.seek(0)
    try:
        if media_type == "application/pdf":
            made = _pdf(file, pages)
        elif media_type == "image/tiff":
            made = tiff_of(file, file.seek(0, io.SEEK_END), pages, limits.max_frames)
        else:
            return Verdict(media_type, _NOT_SPLIT), b""
    except Refusal as refusal:
        return Verdict(media_type, refusal.reason), b""
    except Cut:
        return Verdict(media_type, _NOT_SPLIT), b""
    except MemoryError:
        return Verdict(media_type, Reason.TOO_BIG_TO_CHECK), b""
    except Exception:  # noqa: BLE001 - parsers raise anything for hostile bytes; all of it means "not unchanged"
        return Verdict(media_type, _NOT_SPLIT), b""
    return Verdict(media_type, None, len(pages)), made


def _pdf(file: BinaryIO, pages: range) -> bytes:
    """A new PDF with copies of the page objects. What only points to other pages (links, bookmarks) points nowhere."""
    with pikepdf.open(file, attempt_recovery=False, suppress_warnings=True) as whole, pikepdf.new() as made:
        root = whole.Root
        names = root.get("/Names")
        embedded = isinstance(names, pikepdf.Dictionary) and "/EmbeddedFiles" in names
        if whole.is_encrypted or embedded or any(key in root for key in _WHOLE):
            raise Refusal(_NOT_SPLIT)
        if not 0 <= pages.start < pages.stop <= len(whole.pages):
            raise Refusal(_NOT_SPLIT)
        for number in pages:
            made.pages.append(whole.pages[number])
        if "/OutputIntents" in root:  # what the colours mean
            made.Root.OutputIntents = made.copy_foreign(whole.make_indirect(root.OutputIntents))
        if len(made.pages) != len(pages) or whole.get_warnings():
            raise Refusal(_NOT_SPLIT)
        out = io.BytesIO()
        made.save(
            out, deterministic_id=True, compress_streams=False,
            stream_decode_level=pikepdf.StreamDecodeLevel.none,
        )  # fmt: skip
        return out.getvalue()
