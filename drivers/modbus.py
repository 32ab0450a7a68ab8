"""Meters, inverters and controllers that are asked over Modbus, RTU or TCP, several on one bus.

Each device has a map of registers (torhaus.codecs.meter.modbus_map). One reading of a device is one frame: what all its
requests brought, as the row of blocks of torhaus.codecs.framing.modbus_blocks. Nothing is ever written to a device.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from torhaus.codecs.framing.modbus_blocks import MAX_BLOCKS, Block, Span, encode_blocks, merge
from torhaus.codecs.meter.modbus import MAX_MODELS, SUNS, SUNSPEC_BASES, SUNSPEC_END, decode_mapped, refusal
from torhaus.codecs.meter.modbus_map import Map
from torhaus.codecs.model import Fields, Frame
from torhaus.drivers.base import Host
from torhaus.drivers.link import Line, Link, parse_link
from torhaus.drivers.links.url import TcpSpec
from torhaus.drivers.modbus_maps import built_in, read_map
from torhaus.drivers.modbus_talk import Framing, Talk
from torhaus.drivers.polling import Asking, Bus, Interval, Jitter, NoAnswer, Rhythm
from torhaus.drivers.said import Said

_NOT_ALL: Final = frozenset({2, 3})
"""Exceptions of a device that does not have all that it was asked for, or does not give so much at once."""
ASKS: Final = True
"""It speaks only when it is asked."""
_LINE: Final = Line(baud=9600, parity="E")
"""The line of the specification (MODBUS over Serial Line V1.02, 2.5.1); the default rate of most meters."""

Timeout = Annotated[float, msgspec.Meta(ge=0.05, le=60, description="seconds from 0.05 to 60")]
Retries = Annotated[int, msgspec.Meta(ge=0, le=10, description="a number from 0 to 10")]


class BusDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver.devices]]`. `map`: one that comes with torhaus; `map_file`: one of your own.

    `timeout_s`, `retries`: where this device needs others than the driver has.
    """

    device: Annotated[str, msgspec.Meta(min_length=1)]
    unit: Annotated[int, msgspec.Meta(ge=0, le=255, description="a unit id from 0 to 255 (on a bus 1 to 247)")] = 1
    map: str = ""
    map_file: str = ""
    timeout_s: Timeout | None = None
    retries: Retries | None = None

    def __post_init__(self) -> None:
        if bool(self.map) == bool(self.map_file):
            raise ValueError("map: needs either map or map_file")
        self.load()

    def load(self) -> Map:
        """The map. ValueError says what is wrong with it."""
        try:
            return built_in(self.map) if self.map else read_map(Path(self.map_file))
        except ValueError as error:
            raise ValueError(f"{'map' if self.map else 'map_file'}: {error}") from error


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[driver]]` of this type.

    `framing`: "tcp" is Modbus/TCP, "rtu" what a serial bus speaks, also behind a converter that passes bytes through;
    "auto": "tcp" for tcp://, else "rtu". `interval_s`, `align`, `jitter_s`: as in torhaus.drivers.polling.Rhythm.
    `timeout_s`: for one answer; `retries`: how often a request is sent again. `pause_s`: silence before each request.
    """

    name: str
    type: Literal["modbus"] = "modbus"
    link: str
    devices: Annotated[tuple[BusDevice, ...], msgspec.Meta(min_length=1, max_length=247)]
    framing: Literal["auto", "rtu", "tcp"] = "auto"
    interval_s: Interval = 60
    align: bool = True
    jitter_s: Jitter = 0
    timeout_s: Timeout = 1
    retries: Retries = 2
    pause_s: Annotated[float, msgspec.Meta(ge=0.002, le=10, description="seconds from 0.002 to 10")] = 0.02

    def __post_init__(self) -> None:
        parse_link(self.link, _LINE)
        names = [d.device for d in self.devices]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f'devices: "{name}" is there twice')

    @property
    def spoken(self) -> Framing:
        """The framing, "auto" resolved by the link."""
        if self.framing != "auto":
            return self.framing
        return "tcp" if isinstance(parse_link(self.link), TcpSpec) else "rtu"

    @property
    def shares_link(self) -> bool:
        """Whether others may talk there at the same time: a Modbus/TCP server has several connections."""
        return self.spoken == "tcp"


def open(config: Config) -> "Modbus":  # noqa: A001 - the door every driver module has
    """The driver; the link is opened when it is run."""
    return Modbus(config)


class Station:
    """One device: its map, and what is read of it."""

    def __init__(self, config: BusDevice) -> None:
        self.unit = config.unit
        self.timeout_s = config.timeout_s
        self.retries = config.retries
        self.map = config.load()
        self.spans = merge(self.map.spans(), self.map.max_gap, self.map.max_registers) if self.map.register else []

    def parts(self, span: Span) -> list[Span]:
        """The single values of a request that was made of several; none where that would be too many requests."""
        single = {(s.address, s.count): s for s in self.map.spans() if _is_within(s, span)}
        parts = [single[key] for key in sorted(single)]
        return parts if len(self.spans) - 1 + len(parts) <= MAX_BLOCKS else []

    def split(self, span: Span, parts: list[Span]) -> None:
        """Ask for single values from now on: somewhere among them is an address that the device does not have."""
        at = self.spans.index(span)
        self.spans[at : at + 1] = parts


class Modbus(Asking):
    """The devices on one bus."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._framing = config.spoken
        self._stations = {d.device: Station(d) for d in config.devices}
        self.bus = Bus(
            parse_link(config.link, _LINE), self._stations, Rhythm(config.interval_s, config.align, config.jitter_s)
        )

    @property
    def decoders(self) -> Mapping[str, "partial[Fields]"]:
        """By device: what reads its frames."""
        return {name: partial(_decode, s.map) for name, s in self._stations.items()}

    async def _talk(self, host: Host, link: Link, name: str) -> None:
        config, station = self.config, self._stations[name]
        timeout_s = config.timeout_s if station.timeout_s is None else station.timeout_s
        retries = config.retries if station.retries is None else station.retries
        talk = Talk(link, self._framing, timeout_s, retries, config.pause_s)
        if not station.spans:
            station.spans = await discover(talk, station)
        at = host.stamp()
        blocks: list[Block] = []
        for span in tuple(station.spans):
            block = await talk.read(station.unit, span)
            parts = station.parts(span) if block.exception in _NOT_ALL else []
            if len(parts) > 1:
                station.split(span, parts)
                blocks += [await talk.read(station.unit, part) for part in parts]
            else:
                blocks.append(block)
        if all(block.exception for block in blocks):
            if station.map.model:
                station.spans = []  # its models may lie elsewhere by now
            raise NoAnswer(Said("unit", unit=str(station.unit), what=refusal(blocks[0])))
        host.deliver([Frame(config.name, encode_blocks(blocks), at, device=name)], [])


def _is_within(part: Span, span: Span) -> bool:
    inside = span.address <= part.address and part.address + part.count <= span.address + span.count
    return part.function == span.function and inside


def _decode(map_: Map, data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG001 - one signature for all codecs
    return decode_mapped(data, map_)


async def discover(talk: Talk, station: Station) -> list[Span]:
    """Where a SunSpec device has the models of its map: what is to be read. Raises NoAnswer when it is none."""
    wanted = {id_ for model in station.map.model for id_ in model.ids}
    for base in SUNSPEC_BASES:
        marker = await talk.read(station.unit, Span(3, base, 2))
        if marker.exception or marker.data != SUNS:
            continue
        spans: list[Span] = []
        at = base + 2
        for _ in range(MAX_MODELS):
            head = await talk.read(station.unit, Span(3, at, 2)) if at <= 0xFFFE else None
            if head is None or head.exception:
                break
            id_, length = int.from_bytes(head.data[:2], "big"), int.from_bytes(head.data[2:], "big") + 2
            if id_ == SUNSPEC_END or at + length > 0x10000:
                break
            if id_ in wanted:
                limit = station.map.max_registers
                spans += [Span(3, at + n, min(limit, length - n)) for n in range(0, length, limit)]
            at += length
        if spans:
            return spans
        raise NoAnswer(Said("unit", unit=str(station.unit), what=Said("no_model")))
    raise NoAnswer(Said("unit", unit=str(station.unit), what=Said("no_sunspec")))
