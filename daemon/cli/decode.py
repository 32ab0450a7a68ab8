"""`torhaus decode`: one payload to JSON, with the very codecs the daemon uses."""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.codecs.model import DecodeError, Fields
from torhaus.daemon.config.document import ConfigFaults

EX_DATAERR: Final = 65
EX_NOINPUT: Final = 66
EX_USAGE: Final = 64
MAX_TEXT: Final = 1 << 20


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("decode", help="one payload to JSON")
    command.add_argument(
        "--codec",
        required=True,
        metavar="NAME|FILE",
        help="a codec, a vendor's decoder (FILE.js) or a layout (FILE.toml)",
    )
    command.add_argument("--fport", type=fport, metavar="N", help="FPort of the uplink")
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
    except ValueError as e:
        print(f"not hexadecimal: {e}", file=sys.stderr)
        return EX_USAGE
    try:
        fields = decode_payload(args.codec, payload, args.fport)
    except KeyError:
        from torhaus.codecs.registry import names

        print(f"no codec {args.codec!r}; there are {', '.join(names())}, FILE.js and FILE.toml", file=sys.stderr)
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
    print(msgspec.json.format(msgspec.json.encode(fields), indent=2).decode())
    return 0


def fport(text: str) -> int:
    """A port on the command line. ValueError when it is none."""
    number = int(text)
    if not 0 <= number <= 255:
        raise ValueError
    return number


def decode_payload(codec: str, payload: bytes, fport: int | None) -> Fields:
    """The fields, by a registered codec, a script or a layout.

    Raises DecodeError, KeyError, OSError, ValueError, ConfigFaults.
    """
    if codec.endswith(".js"):
        from torhaus.daemon.scripts.once import decode_once

        return decode_once(Path(codec), payload, fport)
    from torhaus.daemon.config.layouts import Codecs

    return Codecs(Path())(codec)(payload, fport)
