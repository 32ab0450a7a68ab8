"""The kinds of scan stations, and what is wrong with one that is put together badly.

A folder that others write to (config.py), a network scanner that is asked for its pages (eSCL), a scanner at this
machine (SANE). What is pulled comes into a folder of our own, and from there like everything else.
"""

from typing import Annotated, Final, Literal

import msgspec

from torhaus.codecs.sidecar import SidecarLayout

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}\Z")]
AbsPath = Annotated[str, msgspec.Meta(pattern=r"^/[^\x00]*\Z", max_length=4096)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=31_536_000)]
Window = Annotated[float, msgspec.Meta(ge=0, le=3_200_000_000)]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[^/\x00]+\Z", max_length=200)]
Resolution = Annotated[int, msgspec.Meta(ge=50, le=1200)]
CoverSheetRule = Literal["off", "optional", "required", "split"]
_PLACES: Final = ("{name}", "{stem}", "{batch}")


class Sidecar(SidecarLayout, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a scan program writes beside its documents, and where in it the values of interest stand.

    `name`: `{stem}.xml` lies beside each document, `{batch}.xml` beside a batch folder, `INDEX.DAT` in it.
    """

    name: FileName


class _Pulled(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type"):
    """What all scanners have that are asked for their pages, when somebody says so or a code is read.

    `start_driver`: the barcode reader ([[driver]] of type barcode or line), `start_code`: what it has to read.
    """

    name: Name
    target: Name | None = None  # or a [[scan.route]]
    resolution_dpi: Resolution = 300
    max_pages: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000  # of one job
    max_bytes: Annotated[int, msgspec.Meta(gt=0)] = 2 << 30  # of one file
    page_s: Seconds = 120.0  # for so long a page may take
    start_driver: Annotated[str, msgspec.Meta(min_length=1)] | None = None
    start_code: Annotated[str, msgspec.Meta(min_length=1, max_length=512)] | None = None  # without: any code
    duplicates: Literal["mark", "hold"] = "mark"
    duplicates_window_s: Window = 0  # 0: however long ago
    cover_sheets: CoverSheetRule = "off"


class EsclStation(_Pulled, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type", tag="escl"):
    """A network scanner that speaks eSCL (AirScan, Mopria): its pages are fetched."""

    url: Annotated[str, msgspec.Meta(max_length=2048)]  # as the scanner announces it: http://scanner.local/eSCL
    insecure: bool = False  # http:// to another machine: pages can be read and changed on the way
    ca_file: AbsPath | None = None  # that signed the scanner's certificate; it may be that certificate itself
    source: Literal["feeder", "platen"] = "feeder"
    duplex: bool = False
    color: Literal["color", "grey", "black_and_white"] = "color"
    format: Literal["pdf", "jpeg"] = "pdf"
    ready_s: Seconds = 60.0  # for so long a scanner may be busy before the job


class SaneStation(_Pulled, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type", tag="sane"):
    """A scanner at this machine, by `scanimage` (Debian package sane-utils)."""

    device: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-]([^\x00]*)\Z", max_length=255)]  # as `scanimage -L` names it
    source: Annotated[str, msgspec.Meta(pattern=r"^[^\x00]+\Z", max_length=100)] | None = None  # a feeder's name
    duplex: bool | None = None  # whether that source scans both sides: a cover sheet's blank back is no page then
    mode: Annotated[str, msgspec.Meta(pattern=r"^[^\x00]+\Z", max_length=100)] | None = None  # Color, Gray, Lineart
    format: Literal["tiff", "png", "jpeg", "pdf"] = "tiff"
    program: AbsPath = "/usr/bin/scanimage"


PulledStation = EsclStation | SaneStation


def is_placed(pattern: str) -> bool:
    """Whether a name says for which document or batch it is."""
    return any(place in pattern for place in _PLACES)


def as_glob(pattern: str) -> str:
    """All the names that it can mean, shell style, for files in one folder."""
    text = "".join(f"[{c}]" if c in "*?[" else c for c in pattern)
    for place in _PLACES:
        text = text.replace(place, "*")
    return text
