"""The nouns of the house: what drivers yield, what codecs return, what they refuse.

Units are UCUM codes (https://ucum.org) as SenML uses them; times are nanoseconds; radio figures carry their unit in the
name.
"""

from enum import StrEnum
from typing import Final

import msgspec

MAX_DETAIL: Final = 200
"""Characters of a refusal's explanation that are kept: enough for a technician, too little to fill a disk."""


class RejectReason(StrEnum):
    """Why bytes were refused. These are metric labels: few, fixed, and frozen by a test."""

    SHORT = "short"  # ends before the format says it may
    LONG = "long"  # longer than the format or a stated bound allows
    SYNTAX = "syntax"  # bytes that the format does not allow here
    CRC = "crc"  # a checksum does not match
    UNKNOWN_TYPE = "unknown_type"  # a type, channel or message this codec does not know
    UNSUPPORTED = "unsupported"  # known, but not handled
    RANGE = "range"  # a value outside what the field can mean
    KEY = "key"  # no key, or the wrong one
    MIC = "mic"  # message integrity code does not match
    REPLAY = "replay"  # a frame counter that was used before
    DUPLICATE = "duplicate"  # the frame before once more: repeated by the device, or heard by a second gateway
    UNKNOWN_DEVICE = "unknown_device"  # nobody in the registry has this address
    UNKNOWN_GATEWAY = "unknown_gateway"  # not on the allow-list
    RADIO_CRC = "radio_crc"  # the concentrator says the radio CRC was bad
    SCRIPT_ERROR = "script_error"  # a vendor's script threw or returned errors
    SCRIPT_TIME = "script_time"  # a vendor's script ran out of time
    SCRIPT_MEMORY = "script_memory"  # a vendor's script ran out of memory
    SCRIPT_RESULT = "script_result"  # a vendor's script returned something that is no result
    SCRIPT_CRASH = "script_crash"  # the script process died on it
    SCRIPT_ASIDE = "script_aside"  # a vendor's script that kept breaking its limits is not tried for a while
    DEFECT = "defect"  # a native codec failed in a way it must not: to be reported, the bytes are kept


class DecodeError(Exception):
    """The one exception that may leave a codec: these bytes mean nothing to it, and why.

    `reason` is the metric label, `detail` a short English sentence for a technician (never content of documents).
    """

    def __init__(self, reason: RejectReason, detail: str = "") -> None:
        self.reason = reason
        self.detail = detail[:MAX_DETAIL]
        super().__init__(f"{reason.value}: {self.detail}" if detail else reason.value)


Scalar = float | int | str | bool | None


class Value(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One decoded quantity. `unit` is a UCUM code; None where the quantity has none (text, flags).

    `derived`: the device did not say it, torhaus worked it out of what it said.
    """

    value: Scalar
    unit: str | None = None
    derived: bool = False


Fields = dict[str, Value]
"""Decoded values by name: lower_snake_case, or an OBIS code where the protocol has one."""


class Reject(msgspec.Struct, frozen=True, gc=False):
    """Bytes that were refused: kept, counted, never decoded. `source` names who sent them, where that is known."""

    data: bytes
    reason: RejectReason
    detail: str = ""
    source: str | None = None


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """When something happened: wall clock (Unix epoch), time since boot, whether the wall clock was synchronised."""

    wall_ns: int
    boot_ns: int
    synced: bool


class Reception(msgspec.Struct, omit_defaults=True, gc=False):
    """How one gateway heard one LoRaWAN frame. Only what was reported is set. Times as the gateway gave them."""

    gateway: str  # EUI-64, 16 lower-case hex digits
    rssi_dbm: float | None = None
    snr_db: float | None = None
    signal_rssi_dbm: float | None = None
    channel: int | None = None
    rf_chain: int | None = None
    modem: int | None = None
    board: int | None = None
    antenna: int | None = None
    tmst_us: int | None = None  # concentrator counter, wraps at 2^32
    time: str | None = None  # RFC 3339, as sent
    gps_time_ms: int | None = None  # since 1980-01-06, without leap seconds
    fine_time_ns: int | None = None  # since the last pulse per second
    encrypted_fine_time: str | None = None  # base64, with `fine_time_key`
    fine_time_key: int | None = None
    frequency_offset_hz: int | None = None
    rssi_deviation_db: float | None = None
    grid_steps: int | None = None  # LR-FHSS
    crc: int | None = None  # 1 good, 0 none, -1 bad
    meta: dict[str, str] | None = None
    context: bytes | None = None  # what the gateway needs to answer this one in time; its own business


class Radio(msgspec.Struct, omit_defaults=True, gc=False):
    """The radio side of one LoRaWAN frame."""

    freq_hz: int
    modulation: str  # LORA, FSK, LR-FHSS
    datarate: str  # "SF7BW125", "50000", "M0CW137"
    coderate: str | None = None
    rx: list[Reception] = []


class Served(msgspec.Struct, gc=False):
    """What a network server elsewhere says of one device: an uplink that it checked and decrypted, or an event.

    `key` names this message: a repeat has the same. `at_ns` is when it was received, by the server's clock (Unix
    epoch). `event`: flat values of something that is no uplink, such as a join or a device's status.
    """

    dev_eui: str  # 16 lower-case hex digits
    key: str
    at_ns: int | None = None
    radio: Radio | None = None
    fport: int | None = None
    fcnt: int | None = None
    confirmed: bool = False
    payload: bytes | None = None  # None: MAC commands only
    event: dict[str, float | int | str] | None = None


class Frame(msgspec.Struct, gc=False):
    """Raw bytes as received: with time, source and radio data. Never changed afterwards.

    `driver` is the configured name; `device` is set where the driver's configuration says which device is at its end;
    `stranger` marks frames of a source that is not on an allow-list. `served`: it came by way of a network server, and
    has no `radio` of its own; `data` is the decrypted payload. `derived`: values of telegrams that were
    not handed over, to stand beside those of this one.
    """

    driver: str
    data: bytes
    at: Stamp
    radio: Radio | None = None
    device: str | None = None
    stranger: RejectReason | None = None
    served: Served | None = None
    derived: Fields | None = None
