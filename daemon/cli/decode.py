"""`torhaus decode`: one payload to JSON, with the very codecs the daemon uses."""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.codecs.model import DecodeError, Fields
from torhaus.daemon.cli.meter_key import key_of
from torhaus.daemon.cli.number import whole
from torhaus.daemon.config.document import ConfigFaults

EX_DATAERR: Final = 65
EX_NOINPUT: Final = 66
EX_USAGE: Final = 64
MAX_TEXT: Final = 1 << 20
MAX_EXPLAINED: Final = 256
KEYED: Final = ("wmbus",)
"""Codecs whose payloads may be encrypted for one meter."""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("decode", help="one payload to JSON")
    command.add_argument(
        "--codec",
        required=True,
        metavar="NAME|FILE",
        help="a codec, a vendor's decoder (FILE.js) or a layout (FILE.toml)",
    )
    command.add_argument("--fport", type=whole(0, 255), metavar="N", help="FPort of the uplink")
    keys = command.add_mutually_exclusive_group()
    keys.add_argument("--key", metavar="HEX", help="a meter's key (codec wmbus): others on the machine may see it here")
    keys.add_argument("--key-file", type=Path, metavar="FILE", help="the file with the meter's key: 32 hex digits")
    command.add_argument("--explain", action="store_true", help="show which bytes each field comes from")
    command.add_argument("hex", metavar="HEX", help="the payload in hexadecimal; - reads it from standard input")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the fields as one JSON object. 65 when the payload is refused, with the reason on standard error."""
    text = sys.stdin.read(MAX_TEXT + 1) if args.hex == "-" else args.hex
    if len(text) > MAX_TEXT:
        print(f"more than {MAX_TEXT} characters", file=sys.stderr)
        return EX_USAGE
    try:
        payload = bytes.fromhex("".join(text.split()).removeprefix("0x"))
    except ValueError:
        print("not hexadecimal: two digits from 0 to f for each byte, such as 0100e2 or 01 00 e2", file=sys.stderr)
        return EX_USAGE
    try:
        key = key_of(args)
    except OSError as e:
        print(f"{e.filename}: {e.strerror}", file=sys.stderr)
        return EX_NOINPUT
    except ValueError as e:
        print(e, file=sys.stderr)
        return EX_USAGE
    if key is not None and (args.codec not in KEYED or args.explain):
        what = "--explain needs payloads in clear" if args.explain else f"{args.codec} takes no key, {KEYED[0]} does"
        print(f"{what}; whole LoRaWAN frames are for `torhaus lora decode`", file=sys.stderr)
        return EX_USAGE
    try:
        fields = decode_payload(args.codec, payload, args.fport, key)
        explained = explain(args.codec, payload, args.fport, fields) if args.explain else ""
    except KeyError:
        print(no_codec(args.codec), file=sys.stderr)
        return EX_USAGE
    except ConfigFaults as e:
        print(*e.faults, sep="\n", file=sys.stderr)
        return EX_NOINPUT
    except OSError as e:
        print(f"{args.codec}: {e.strerror}", file=sys.stderr)
        return EX_NOINPUT
    except ValueError as e:  # a script that is too large to be one
        print(e, file=sys.stderr)
        return EX_NOINPUT
    except DecodeError as e:
        print(f"refused: {e}", file=sys.stderr)
        return EX_DATAERR
    if args.explain:
        print(explained)
        return 0
    print(msgspec.json.format(msgspec.json.encode(fields), indent=2).decode())
    return 0


def no_codec(name: str) -> str:
    """What to say about a name that no codec has."""
    from difflib import get_close_matches

    from torhaus.codecs.registry import names

    known = list(names())
    near = [each for each in known if name and name in each][:5] or get_close_matches(name, known, 5)
    like = f", but {', '.join(near)}" if near else ""
    return f"no codec {name!r}{like}; `torhaus codecs list` has all of them; a file ends in .js or .toml"


def decode_payload(codec: str, payload: bytes, fport: int | None, key: bytes | None = None) -> Fields:
    """The fields, by a registered codec, a script or a layout; `key` is for one of KEYED.

    Raises DecodeError, KeyError, OSError, ValueError, ConfigFaults.
    """
    if codec.endswith(".js"):
        from torhaus.daemon.scripts.once import decode_once

        return decode_once(Path(codec), payload, fport)
    if key is not None:
        from torhaus.codecs.meter.wmbus.telegram import decode

        return decode(payload, key=key)
    from torhaus.daemon.config.layouts import Codecs

    return Codecs(Path())(codec)(payload, fport)


def explain(codec: str, payload: bytes, fport: int | None, fields: Fields) -> str:
    """The payload as a table: offset, bytes, and what comes of them. Raises as decode_payload."""
    from torhaus.codecs.influence import stretches, variants

    if len(payload) > MAX_EXPLAINED:
        raise ValueError(f"{len(payload)} bytes are too many to be explained: at most {MAX_EXPLAINED}")
    found = stretches(payload, fields, decode_each_payload(codec, variants(payload), fport))
    lines = []
    for s in found:
        values = [f"{n} = {fields[n].value}{f' {fields[n].unit}' if fields[n].unit else ''}" for n in s.fields]
        what = ", ".join(values) or ("decides what follows" if s.is_structure else "not used here")
        lines.append(f"{s.start:4}  {payload[s.start : s.end].hex(' '):24} {what}")
    apart = [name for name in fields if not any(name in s.fields for s in found)]
    lines += [f"      {'':24} {name} = {fields[name].value} (of no single byte)" for name in apart]
    return "\n".join(lines)


def decode_each_payload(codec: str, payloads: list[bytes], fport: int | None) -> list[Fields | DecodeError]:
    """As decode_payload, many at once: the fields or the refusal of each."""
    if codec.endswith(".js"):
        from torhaus.daemon.scripts.once import decode_each

        return decode_each(Path(codec), payloads, fport)
    from torhaus.daemon.config.layouts import Codecs

    decode = Codecs(Path())(codec)
    found: list[Fields | DecodeError] = []
    for payload in payloads:
        try:
            found.append(decode(payload, fport))
        except DecodeError as e:
            found.append(e)
    return found
