"""File names from outside: kept as bytes, shown as NFC text, made harmless before they become a name elsewhere."""

import re
import unicodedata
from typing import Final

MAX_SAFE_BYTES: Final = 120
"""UTF-8 bytes of a safe name: with the sequence number, store and a temporary suffix it stays under NAME_MAX (255)."""

_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*]')
_RESERVED: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")


_EXTENSIONS: Final = {"application/pdf": ".pdf", "image/tiff": ".tif", "image/jpeg": ".jpg", "image/png": ".png"}


def extension_of(media_type: str) -> str:
    """With its dot; `.bin` for what is none of the types that the check knows."""
    return _EXTENSIONS.get(media_type, ".bin")


def display_name(raw: bytes) -> str:
    """NFC text for people. Bytes that are not UTF-8 are read as Latin-1 (old FTP devices); controls become U+FFFD."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return "".join("\ufffd" if _is_control(c) else c for c in unicodedata.normalize("NFC", text))


def natural(raw: bytes) -> tuple[tuple[int, str], ...]:
    """A key that sorts names as people count: p2 before p10."""
    parts = re.split(r"([0-9]{1,18})", display_name(raw).casefold())
    return tuple((int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in parts)


def safe_name(text: str) -> str:
    """A name that is good on Linux, Windows and SMB: never empty, no separators, at most MAX_SAFE_BYTES of UTF-8.

    The extension survives shortening. The result is not unique: callers put the sequence number in front.
    """
    text = _FORBIDDEN.sub("_", text.replace("\ufffd", "_"))
    text = "".join("_" if _is_control(c) else c for c in unicodedata.normalize("NFC", text)).strip(" .")
    if _RESERVED.fullmatch(text):
        text = f"_{text}"
    stem, dot, extension = text.rpartition(".")
    if not dot or len(extension.encode()) > 10:
        stem, extension = text, ""
    tail = f".{extension}" if extension else ""
    stem = _shorten(stem, MAX_SAFE_BYTES - len(tail.encode())).rstrip(" .")
    return f"{stem or 'scan'}{tail}"


def _is_control(char: str) -> bool:
    """Controls, surrogates, line separators and the marks that turn text around (a name must look like what it is)."""
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _shorten(text: str, limit: int) -> str:
    return text.encode()[:limit].decode(errors="ignore")
