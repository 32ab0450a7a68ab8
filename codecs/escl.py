"""eSCL, what network scanners speak (AirScan; Mopria Alliance eSCL Technical Specification 2.x): the messages.

XML over HTTP below `/eSCL`: ScannerCapabilities, ScannerStatus with the jobs it knows, ScanSettings to start one.
Lengths are in 1/300 inch. The scanner's word on a job is its JobState and how many images it has completed.
"""

from typing import Final, Literal
from xml.sax.saxutils import escape

import msgspec

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.codecs.tree import Tree, at, from_xml, value_of

MAX_BYTES: Final = 1 << 20
Source = Literal["feeder", "platen"]
_SOURCES: Final = {"feeder": "Feeder", "platen": "Platen"}
_COLORS: Final = {"color": "RGB24", "grey": "Grayscale8", "black_and_white": "BlackAndWhite1"}
_INPUTS: Final = {
    ("feeder", False): ("Adf", "AdfSimplexInputCaps"),
    ("feeder", True): ("Adf", "AdfDuplexInputCaps"),
    ("platen", False): ("Platen", "PlatenInputCaps"),
}


class Capabilities(msgspec.Struct, frozen=True):
    """What one source can do. `formats`: media types; `width`, `height`: the largest area, None where not told."""

    formats: frozenset[str]
    colors: frozenset[str]
    resolutions: frozenset[int]
    width: int | None
    height: int | None


class Job(msgspec.Struct, frozen=True):
    """A job as the scanner tells of it. Counters are None where it does not count."""

    state: str
    reasons: tuple[str, ...]
    images_completed: int | None
    images_to_transfer: int | None


class Status(msgspec.Struct, frozen=True):
    """State: Idle, Processing, Testing, Stopped, Down. `adf`: ScannerAdfLoaded, …Empty, …Jam; None without a feeder."""

    state: str
    adf: str | None
    jobs: dict[str, Job]  # by the path of the job


def parse_capabilities(data: bytes, source: Source, *, duplex: bool) -> Capabilities:
    """Of this source. Raises DecodeError: UNSUPPORTED where the scanner has no such source."""
    whole = _root(data, "ScannerCapabilities")
    caps = at(whole, list(_INPUTS[source, duplex and source == "feeder"]))
    if not isinstance(caps, dict):
        raise DecodeError(RejectReason.UNSUPPORTED, f"the scanner has no {source}{' for both sides' * duplex}")
    profiles = [
        *_many(at(caps, ["SettingProfiles", "SettingProfile"])),
        *_many(at(whole, ["SettingProfiles", "SettingProfile"])),
    ]
    formats, colors, resolutions = set[str](), set[str](), set[int]()
    for profile in profiles:
        for name in ("DocumentFormat", "DocumentFormatExt"):
            formats |= set(_texts(at(profile, ["DocumentFormats", name])))
        colors |= set(_texts(at(profile, ["ColorModes", "ColorMode"])))
        found = at(profile, ["SupportedResolutions", "DiscreteResolutions", "DiscreteResolution"])
        resolutions |= {x for r in _many(found) if (x := _number(r, "XResolution")) is not None}
    size = _number(caps, "MaxWidth"), _number(caps, "MaxHeight")
    return Capabilities(frozenset(formats), frozenset(colors), frozenset(resolutions), *size)


def parse_status(data: bytes) -> Status:
    """Raises DecodeError."""
    whole = _root(data, "ScannerStatus")
    jobs = {}
    for info in _many(at(whole, ["Jobs", "JobInfo"])):
        uri = value_of(info, ["JobUri"])
        if uri:
            jobs[path_of(uri)] = Job(
                value_of(info, ["JobState"]),
                tuple(_texts(at(info, ["JobStateReasons", "JobStateReason"]))),
                _number(info, "ImagesCompleted"),
                _number(info, "ImagesToTransfer"),
            )
    return Status(value_of(whole, ["State"]), value_of(whole, ["AdfState"]) or None, jobs)


def path_of(uri: str) -> str:
    """The path of a job's address. Scanners are known to give hosts that cannot be reached: it is all that counts.

    Raises DecodeError.
    """
    rest = uri.strip()
    if "://" in rest:
        rest = "/" + rest.partition("://")[2].partition("/")[2]
    if not rest.startswith("/") or len(rest) > 500 or not rest.isascii() or not rest.isprintable() or " " in rest:
        raise DecodeError(RejectReason.SYNTAX, "the scanner gives no address of its job")
    if any(part == ".." for part in rest.split("/")) or "?" in rest or "#" in rest:
        raise DecodeError(RejectReason.SYNTAX, "the scanner gives no address of its job")
    return rest.rstrip("/")


def scan_settings(
    source: Source, color: str, media_type: str, resolution_dpi: int, *, duplex: bool, caps: Capabilities
) -> bytes:
    """What a job is ordered with: the whole area of the source."""
    region = ""
    if caps.width is not None and caps.height is not None:
        region = (
            "<pwg:ScanRegions><pwg:ScanRegion><pwg:ContentRegionUnits>escl:ThreeHundredthsOfInches"
            f"</pwg:ContentRegionUnits><pwg:XOffset>0</pwg:XOffset><pwg:YOffset>0</pwg:YOffset>"
            f"<pwg:Width>{caps.width}</pwg:Width><pwg:Height>{caps.height}</pwg:Height>"
            "</pwg:ScanRegion></pwg:ScanRegions>"
        )
    sides = f"<scan:Duplex>{str(duplex).lower()}</scan:Duplex>" if source == "feeder" else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<scan:ScanSettings xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03"'
        ' xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm">'
        f"<pwg:Version>2.0</pwg:Version><scan:Intent>Document</scan:Intent>{region}"
        f"<pwg:InputSource>{_SOURCES[source]}</pwg:InputSource>{sides}"
        f"<scan:ColorMode>{_COLORS[color]}</scan:ColorMode>"
        f"<scan:XResolution>{resolution_dpi}</scan:XResolution><scan:YResolution>{resolution_dpi}</scan:YResolution>"
        f"<pwg:DocumentFormat>{escape(media_type)}</pwg:DocumentFormat>"
        f"<scan:DocumentFormatExt>{escape(media_type)}</scan:DocumentFormatExt></scan:ScanSettings>"
    ).encode()


def color_mode(color: str) -> str:
    """As scanners name it."""
    return _COLORS[color]


def _root(data: bytes, name: str) -> Tree:
    if len(data) > MAX_BYTES:
        raise DecodeError(RejectReason.LONG, "more than 1 MiB")
    whole = from_xml(data)
    if name not in whole:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"no {name}")
    return whole[name]


def _many(found: Tree) -> list[Tree]:
    return found if isinstance(found, list) else [found] if found else []


def _texts(found: Tree) -> list[str]:
    return [text for each in _many(found) if (text := value_of(each, []))]


def _number(tree: Tree, name: str) -> int | None:
    text = value_of(tree, [name])
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
