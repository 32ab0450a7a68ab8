"""`torhaus codecs new VENDOR/MODEL`: the beginnings of a decoder of one's own, with examples and a profile."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any, Final

from torhaus.daemon.main import add_config

LAYOUT: Final = """\
# Payload of {name}: see `torhaus sample layouts/pegel` for everything that can be said here.

description = "{name}"
endian = "big"

[[message]]
fport = 2

[[message.field]]
name = "battery_voltage"
type = "u16"
divide = 1000
unit = "V"

[[message.field]]
name = "temperature"
type = "i16"
divide = 10
unit = "Cel"
"""
SCRIPT: Final = """\
// Payload of {name}: two bytes of battery voltage in mV, two of temperature in tenths of a degree, high byte first.
// The function is the LoRa Alliance's (TS013): input.bytes, input.fPort, input.recvTime; data, warnings, errors.

function decodeUplink(input) {{
  var bytes = input.bytes;
  if (input.fPort !== 2) return {{ errors: ["unknown FPort " + input.fPort] }};
  if (bytes.length !== 4) return {{ errors: ["4 bytes are expected, not " + bytes.length] }};
  var tenths = (bytes[2] << 24 >> 16) | bytes[3];
  return {{ data: {{ battery_voltage: ((bytes[0] << 8) | bytes[1]) / 1000, temperature: tenths / 10 }} }};
}}
"""
EXAMPLES: Final = (
    '{{"id": "warm", "codec": "{codec}", "fport": 2, "hex": "0d2c00d6", '
    '"expect": {{"battery_voltage": 3.372, "temperature": 21.4}}}}\n'
    '{{"id": "frost", "codec": "{codec}", "fport": 2, "hex": "0d2cffd6", '
    '"expect": {{"battery_voltage": 3.372, "temperature": -4.2}}}}\n'
    '{{"id": "cut off", "codec": "{codec}", "fport": 2, "hex": "0d2c", "reject": "{reject}"}}\n'
)
PROFILE: Final = """\
# profile = "{name}" at a device stands for this.

codec = "{codec}"
name = {{ de = "", en = "" }}
# fports = [2]                  # payloads on others are not decoded
# interval_s = 600              # how often it sends: `torhaus status` names who is overdue
battery = {{ field = "battery_voltage", low = 3.0 }}
"""


def add(actions: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = actions.add_parser("new", help="begin a decoder of one's own: layout or script, examples, profile")
    command.add_argument("name", metavar="VENDOR/MODEL", help="in lower case, such as stadtwerke/pegel-2")
    command.add_argument("--script", action="store_true", help="a JavaScript decoder instead of a layout in TOML")
    command.add_argument("--to", type=Path, metavar="DIR", help="instead of the configuration's folder of decoders")
    add_config(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0; 64 for a name that is none, 73 when a file is there already or cannot be written, 78 for the configuration."""
    from torhaus.daemon.cli.codecs import scripts_folder
    from torhaus.daemon.config.document import ConfigFaults
    from torhaus.daemon.config.profiles import FOLDER, is_name

    if not is_name(args.name):
        print(f"{args.name}: must be vendor/model in lower case letters, digits and '-'", file=sys.stderr)
        return os.EX_USAGE
    try:
        scripts = args.to or scripts_folder(args.config)
    except ConfigFaults as e:
        print(*e.faults, sep="\n")
        return os.EX_CONFIG
    codec = f"{args.name}.{'js' if args.script else 'toml'}"
    words = {"name": args.name, "codec": codec, "reject": "script_error" if args.script else "short"}
    examples = scripts / f"{args.name}.examples.jsonl"
    files = {
        scripts / codec: (SCRIPT if args.script else LAYOUT).format(**words),
        examples: EXAMPLES.format(**words),
        scripts / FOLDER / f"{args.name}.toml": PROFILE.format(**words),
    }
    try:
        there = next((path for path in files if path.exists()), None)
        if there is not None:
            print(f"{there} is there already", file=sys.stderr)
            return os.EX_CANTCREAT
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as e:
        print(f"{e.filename}: {e.strerror}", file=sys.stderr)
        return os.EX_CANTCREAT
    print(*files, sep="\n")
    print(f"edit them, then: torhaus codecs test {examples} --base {scripts}")
    return 0
