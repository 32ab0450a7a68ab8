"""ChirpStack's own definition of its messages (package chirpstack-api) as the peer, filled at random."""

import random
from typing import Any, Final

from chirpstack_api.gw import gw_pb2

from torhaus.codecs.framing.chirpstack_gw import commands, messages
from torhaus.codecs.framing.chirpstack_gw.fields import Message, by_name

TOP: Final[tuple[type[Message], ...]] = (
    messages.UplinkFrame,
    messages.DownlinkFrame,
    messages.DownlinkTxAck,
    messages.GatewayStats,
    commands.Event,
    commands.Command,
    commands.ConnState,
    commands.GatewayConfiguration,
    commands.GetGatewayIdResponse,
    commands.GetLocationResponse,
    commands.GatewayCommandExecRequest,
    commands.GatewayCommandExecResponse,
    commands.RawPacketForwarderEvent,
    commands.RawPacketForwarderCommand,
)


def theirs(of: type[Message]) -> Any:
    """The peer's class of a message."""
    return getattr(gw_pb2, of.__name__)


def filled(of: type[Message], rng: random.Random) -> Any:
    """A message of the peer with random values in the fields that torhaus describes."""
    message = theirs(of)()
    fill(of, message, rng)
    return message


def fill(of: type[Message], message: Any, rng: random.Random) -> None:
    for m in by_name(of).values():
        field = message.DESCRIPTOR.fields_by_name[m.name]
        if rng.random() < 0.25:
            continue
        if m.shape == "map":
            entries = getattr(message, m.name)
            for _ in range(rng.randint(0, 4)):
                entries[scalar(m.key, rng)] = scalar(m.kind, rng)
        elif m.shape == "list":
            entries = getattr(message, m.name)
            for _ in range(rng.randint(0, 4)):
                if m.kind == "message":
                    fill(m.type, entries.add(), rng)
                else:
                    entries.append(scalar(m.kind, rng))
        elif m.kind == "message":
            inner = getattr(message, m.name)
            inner.SetInParent()
            fill(m.type, inner, rng)
        elif m.kind in {"moment", "span"}:
            inner = getattr(message, m.name)
            inner.seconds = rng.choice([0, 1, 1_700_000_000, 315_576_000_000 if m.kind == "span" else 253_402_300_799])
            inner.nanos = rng.choice([0, 1, 500_000_000, 123_000, 999_999_999 if inner.seconds < 10**11 else 0])
        elif m.kind == "enum":
            setattr(message, m.name, rng.choice(field.enum_type.values).number)
        else:
            setattr(message, m.name, scalar(m.kind, rng))


def scalar(kind: str, rng: random.Random) -> Any:
    match kind:
        case "string":
            return rng.choice(["", "aa555a0000000101", "Rathaus Süd", '\u2028"\\\x01', "x" * 200])
        case "bytes":
            return rng.randbytes(rng.choice([0, 1, 2, 3, 23, 255]))
        case "bool":
            return rng.random() < 0.5
        case "uint32":
            return rng.choice([0, 1, 868_100_000, 0xFFFF_FFFF])
        case "int32":
            return rng.choice([0, -1, -120, 2**31 - 1, -(2**31)])
        case "float":
            return rng.choice([0.0, 7.25, -20.5, 5.099999904632568, 1e-20])
        case "double":
            return rng.choice([0.0, 51.7653, -8.5, 1e300])
    raise AssertionError(kind)
