"""nke Watteco sensors (Vaqa'O, Tempo, Hygrotempo, Pulse Sens'O, Triphas'O, Smart Plug, TIC …): ZCL-like reports.

Sources: nke Watteco, online documentation (support.nke-watteco.com: frames, clusters, batch), and the names of the
vendor's published decoders. FPort 125.

    fctrl | command | cluster 16 | attribute 16 | [status] | type | value | [cause]        standard, fctrl is odd
    fctrl: bits 7 to 5 and 2 to 1 are the endpoint. An even first byte begins a batch: watteco_batch.py
    commands: 0x01 answer to a read, 0x07 to a configuration, 0x09 what is configured, 0x0a report, 0x8a alarm

The codec's name carries the model (`watteco:vaqao-plus`): it says what an endpoint's value is called and what batches
hold. `watteco:standard` knows neither. An attribute that is not in the tables is `cluster_<c>_attribute_<a>`, by its
type. Why an alarm was sent is `alarm_<n>_…`: criterion, mode (threshold, delta …), crossing (exceed, fall), value, gap,
occurrences.
"""

from typing import Final

from torhaus.codecs.cursor import Cursor
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value
from torhaus.codecs.payload import watteco_bob
from torhaus.codecs.payload.watteco_batch import read_batch
from torhaus.codecs.payload.watteco_clusters import ATTRIBUTES, COUNTED, LONGER, POWER, SIZES, plain
from torhaus.codecs.payload.watteco_modbus import read_answer, read_answers
from torhaus.codecs.payload.watteco_models import MODELS as DEVICES
from torhaus.codecs.payload.watteco_models import SPELLED, Device
from torhaus.codecs.payload.watteco_tic import CLUSTERS as TIC
from torhaus.codecs.payload.watteco_tic import read_tic
from torhaus.codecs.registry import Decode

MAX_PAYLOAD: Final = 255
FPORT: Final = 125
_OWN: Final = {"bob-assistant": watteco_bob.decode}
"""Models that send frames of their own."""
MODELS: Final = frozenset(DEVICES) | frozenset(_OWN)
_READ, _CONFIGURED, _CONFIGURATION, _REPORT, _ALARM = 0x01, 0x07, 0x09, 0x0A, 0x8A
_SOURCES: Final = (0x0050, 0x0006)
_SERIAL: Final = (0x8007, 0x0001)
_SERIAL_MANY: Final = (0x8009, 0x0000)
_ASKED: Final = ("status", "clust_id", "att_id")
_CAUSES: Final = ("none", "short", "long", "reserved")


def variant(model: str) -> str | None:
    """The model's name as device repositories write it, with or without the version of its decoder."""
    name = model.lower()
    if name not in SPELLED:
        name = name.rsplit("_v", 1)[0].replace("_", "-").removesuffix("-sensor").removesuffix("-zone-1")
    known = SPELLED.get(name, name)
    return known if known in MODELS else None


def variants(model: str) -> tuple[str, ...]:
    """Codecs of the same model and bytes with other names: those of the vendor's first decoder, `<model>-v1`."""
    first = f"{model}-v1"
    return (first,) if first in MODELS else ()


def decoder(model: str) -> Decode:
    """The codec of a model. KeyError when there is none of that name."""
    own = _OWN.get(model)
    return _Codec(DEVICES[model]) if own is None else own


class _Codec:
    """One model's codec."""

    __slots__ = ("_device",)

    def __init__(self, device: Device) -> None:
        self._device = device

    def __call__(self, data: bytes, fport: int | None = None) -> Fields:
        """Fields of one uplink. Raises DecodeError SHORT, LONG, RANGE, SYNTAX, UNSUPPORTED or UNKNOWN_TYPE."""
        if not 0 < len(data) <= MAX_PAYLOAD:
            raise DecodeError(RejectReason.LONG if data else RejectReason.SHORT, f"{len(data)} bytes")
        if fport not in {FPORT, None}:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"nothing is defined on FPort {fport}")
        if data[0] & 1:
            return self._standard(data)
        if self._device.batch is None:
            raise DecodeError(RejectReason.UNSUPPORTED, "a batch, and this model has none that is known")
        return read_batch(data, self._device.batch)

    def _standard(self, data: bytes) -> Fields:
        cursor = Cursor(data)
        control, command, cluster = cursor.u8(), cursor.u8(), cursor.ube(2)
        endpoint = control >> 5 | (control & 0x06) << 2
        if command in {_CONFIGURED, _CONFIGURATION}:
            return _reporting(cursor, endpoint, command, cluster)
        if command not in {_READ, _REPORT, _ALARM}:
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"command {command:#04x}")
        key = cluster, cursor.ube(2)
        if command == _READ:
            status = cursor.u8()
            if status and not cursor.left:
                said: tuple[Scalar, ...] = (status, f"0x{key[0]:04X}", f"0x{key[1]:04X}")
                return {name: Value(value) for name, value in zip(_ASKED, said, strict=True)}
        found: Fields = {}
        steps = _attribute(cursor, key, found)
        named = {self._name(name, endpoint): value for name, value in found.items()}
        named.pop("", None)
        if cursor.left:
            _causes(cursor, steps, named)
        elif command == _ALARM:
            named["alarm"] = Value("triggered")
        if not named:
            raise DecodeError(RejectReason.UNSUPPORTED, "a report without a value")
        return named

    def _name(self, quantity: str, endpoint: int) -> str:
        names = self._device.names.get(quantity)
        if not names:
            return quantity if names is None else ""
        return names[endpoint] if endpoint < len(names) else f"{quantity}_{endpoint + 1}"


def _attribute(cursor: Cursor, key: tuple[int, int], out: Fields) -> tuple[Step, ...]:
    """The attribute's values; returns the steps of its fields, by whose number an alarm names one."""
    kind = cursor.u8()
    if key == _SERIAL_MANY:  # the length before it is not that of what follows
        cursor.u8()
        read_answers(cursor.rest(), out)
        return ()
    size = cursor.ube(COUNTED[kind]) if kind in COUNTED else SIZES.get(kind)
    if size is None:
        raise DecodeError(RejectReason.UNKNOWN_TYPE, f"attribute type {kind:#04x} of cluster {key[0]:#06x}")
    raw = cursor.take(size)
    if key == _SERIAL:
        read_answer(Cursor(raw), "", out)
        return ()
    if key == _SOURCES:
        return _power(raw, out)
    if key[0] in TIC:
        read_tic(*key, raw, out)
        return ()
    steps = ATTRIBUTES.get(key)
    if steps is None:
        out[f"cluster_{key[0]:04x}_attribute_{key[1]:04x}"] = Value(plain(kind, raw))
        return ()
    longer = LONGER.get(key)
    run(longer[1] if longer is not None and size >= longer[0] else steps, raw, 0, out)
    return steps


def _power(raw: bytes, out: Fields) -> tuple[Step, ...]:
    """Voltages of the sources that there are."""
    if len(raw) < 2:
        raise DecodeError(RejectReason.SHORT, "sources of power that are cut off")
    pos = 2
    for bit, steps in enumerate(POWER):
        if raw[1] >> bit & 1:
            pos = run(steps, raw, pos, out)
    return (POWER[0][0], POWER[0][0], *(steps[0] for steps in POWER))


_MODES: Final = ("none", "delta", "threshold", "threshold_with_actions")
_THRESHOLD: Final = 2
"""From this mode on a criterion has a side, a gap and occurrences."""


def _causes(cursor: Cursor, steps: tuple[Step, ...], out: Fields) -> None:
    """Which criteria made the device send: short only their numbers, long with value, gap and occurrences."""
    cause = cursor.u8() >> 4 & 3
    if cause == 0:
        out["alarm"] = Value("triggered")
        return
    n = 0
    while cursor.left:
        criterion = cursor.u8()
        mode = criterion >> 3 & 3
        out[f"alarm_{n}_criterion"] = Value(criterion & 7)
        out[f"alarm_{n}_mode"] = Value(_MODES[mode])
        if mode >= _THRESHOLD:
            out[f"alarm_{n}_crossing"] = Value("exceed" if criterion & 0x40 else "fall")
        if cause == 2:
            _details(cursor, steps, n, mode >= _THRESHOLD, out)
        n += 1


def _details(cursor: Cursor, steps: tuple[Step, ...], n: int, is_threshold: bool, out: Fields) -> None:
    if not steps:
        out[f"alarm_{n}_details"] = Value(cursor.rest().hex())
        return
    index = 0
    if len(steps) > 1:
        index = cursor.u8()
        if index >= len(steps):
            raise DecodeError(RejectReason.UNKNOWN_TYPE, f"field {index} of an alarm")
        out[f"alarm_{n}_field"] = Value(steps[index].name)
    step = steps[index]
    out[f"alarm_{n}_value"] = _reading(cursor, step)
    if not is_threshold:
        return
    out[f"alarm_{n}_gap"] = _reading(cursor, step)
    count = cursor.u8()
    if count & 0x80:
        out[f"alarm_{n}_occurrences_up"] = Value(cursor.ube(2))
        out[f"alarm_{n}_occurrences_down"] = Value(cursor.ube(2))
    else:
        out[f"alarm_{n}_occurrences"] = Value(count)


def _reading(cursor: Cursor, step: Step) -> Value:
    """A value as the attribute itself has it."""
    if step.size is None or step.read is None:
        raise DecodeError(RejectReason.UNSUPPORTED, f"an alarm about {step.name}")
    raw: float | bytes = step.read(cursor.take(step.size), 0)
    value: Scalar
    if step.convert is not None and step.makes is None:
        value = step.convert(raw)
    else:
        value = raw.hex() if isinstance(raw, bytes) else raw
    return Value(value, None if isinstance(value, str) else step.unit)


def _reporting(cursor: Cursor, endpoint: int, command: int, cluster: int) -> Fields:
    """Answers about how reports are configured."""
    status, bits, attribute = cursor.u8(), cursor.u8(), cursor.ube(2)
    of = "report_parameters_"
    out: Fields = {
        "report": Value("standard"),
        "endpoint": Value(endpoint),
        "cmd_id": Value(f"{command:#04x}"),
        "clust_id": Value(f"0x{cluster:04X}"),
        "att_id": Value(f"0x{attribute:04X}"),
        "status": Value(status),
        f"{of}new_mode_configuration": Value(bits >> 7),
        f"{of}cause_request": Value(_CAUSES[bits >> 4 & 3]),
        f"{of}secured_if_alarm": Value(bits >> 3 & 1),
        f"{of}secured": Value(bits >> 2 & 1),
        f"{of}no_hearde_port": Value(bits >> 1 & 1),
        f"{of}batch": Value(bits & 1),
    }
    if command == _CONFIGURATION and cursor.left:
        out["attribut_type"] = Value(cursor.u8())
        for name in ("min", "max"):
            raw = cursor.ube(2)
            out[name] = Value(raw & 0x7FFF, "min" if raw & 0x8000 else "s")
        if cursor.left:
            out["reportable_change"] = Value(cursor.rest().hex())
    return out
