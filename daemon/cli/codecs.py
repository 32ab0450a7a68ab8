"""`torhaus codecs`: which codecs there are, whether they do what a file says, and downlinks encoded by hand."""

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.codecs.encoders import ENCODERS, Encode, encoder
from torhaus.codecs.model import DecodeError
from torhaus.codecs.registry import CODECS, FAMILIES, names
from torhaus.daemon.cli import codecs_import, codecs_new
from torhaus.daemon.cli.number import whole
from torhaus.daemon.main import add_config

EX_DATAERR: Final = 65
EX_NOINPUT: Final = 66
EX_USAGE: Final = 64
MAX_LINE: Final = 1 << 20
QUIET_S: Final = 1.0
"""After so long progress is shown."""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place in the command line."""
    command = commands.add_parser("codecs", help="list the codecs, test them against a file, encode a downlink")
    actions = command.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the codecs there are, or the profiles of models")
    listing.add_argument("--profiles", action="store_true", help="those that ship with torhaus, and the site's own")
    add_config(listing)
    listing.set_defaults(run=run_list)
    test = actions.add_parser(
        "test",
        help="compare with the expected values of a file",
        description="Compare with the expected values of a file. Lines that name vendor and model only pass when the "
        "model's native codec gives all they expect, or another of that model with the names of an earlier published "
        "decoder (such as milesight:em300-mcs-v1).",
    )
    test.add_argument("file", type=Path, metavar="FILE.jsonl")
    test.add_argument("--codec", help="for lines that name none")
    test.add_argument("--base", type=Path, default=Path(), metavar="DIR", help="where scripts (FILE.js) are looked for")
    test.set_defaults(run=run_test)
    encode = actions.add_parser("encode", help="a downlink's bytes of what it should say")
    what = (
        f"a vendor's decoder, a codec of {', '.join(ENCODERS)} (such as milesight:em300-th), or a profile that has one"
    )
    encode.add_argument("--codec", required=True, metavar="FILE.js|NAME|VENDOR/MODEL", help=what)
    add_config(encode)
    encode.add_argument(
        "--fport", type=whole(0, 255), metavar="N", help="FPort, where the script does not name it itself"
    )
    encode.add_argument("data", metavar="JSON", help="what the downlink should say; - reads it from standard input")
    encode.set_defaults(run=run_encode)
    codecs_import.add(actions)
    codecs_new.add(actions)


def scripts_folder(config: Path) -> Path:
    """The folder of decoders of a configuration; where there is none, `decoders` beside it. Raises ConfigFaults."""
    from torhaus.daemon.config.document import ConfigFaults
    from torhaus.daemon.config.load import device_files, read_files

    if not config.exists():
        return config.absolute().parent / "decoders"
    _, tree, faults = read_files(config)
    if faults:
        raise ConfigFaults(faults)
    return device_files(config, tree).scripts


def run_list(args: argparse.Namespace) -> int:
    """One codec a line, with the first line of what it says of itself."""
    if args.profiles:
        return _list_profiles(args.config)
    from importlib import import_module

    for name in names():
        family = name.partition(":")[0]
        doc = (import_module(CODECS.get(family) or FAMILIES[family]).__doc__ or "").strip().splitlines()
        print(f"{name:24} {doc[0] if doc else ''}")
    return 0


def _list_profiles(config: Path) -> int:
    from torhaus.daemon.config.document import ConfigFaults
    from torhaus.daemon.config.profiles import NoProfile, every, find

    try:
        scripts = scripts_folder(config)
    except ConfigFaults as e:
        print(*e.faults, sep="\n")
        return os.EX_CONFIG
    for name, path in every(scripts):
        try:
            profile = find(name, scripts)
        except (ConfigFaults, NoProfile) as e:
            print(f"{name:32} unusable: {e} ({path})")
            continue
        print(f"{name:32} {profile.codec or '':28} {' / '.join(n for n in (profile.name.de, profile.name.en) if n)}")
    return 0


def run_encode(args: argparse.Namespace) -> int:
    """Print `{"fport", "hex", "warnings"}` as JSON. 65 when the script refuses, with the reason on standard error."""
    from torhaus.daemon.scripts.once import encode_once
    from torhaus.daemon.scripts.protocol import Encoded

    text = sys.stdin.read(MAX_LINE) if args.data == "-" else args.data
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as e:
        print(f"not JSON: {e}", file=sys.stderr)
        return EX_USAGE
    try:
        script = _encoder(args.codec, args.config)
    except ValueError as e:
        print(e, file=sys.stderr)
        return EX_USAGE
    try:
        if isinstance(script, Path):
            made = encode_once(script, data, args.fport)
        else:
            own = script(data)
            made = Encoded(own.payload, args.fport or own.fport)
    except DecodeError as e:
        print(f"refused: {e}", file=sys.stderr)
        return EX_DATAERR
    except OSError as e:
        print(f"{script}: {e.strerror}", file=sys.stderr)
        return EX_NOINPUT
    except ValueError as e:
        print(e, file=sys.stderr)
        return EX_NOINPUT
    port = args.fport if made.fport is None else made.fport
    answer = {"fport": port, "hex": made.payload.hex(), "warnings": made.warnings}
    print(msgspec.json.encode(answer).decode())
    return 0


def _encoder(codec: str, config: Path) -> Path | Encode:
    """The script or native encoder that `codec` means, itself or as a profile. ValueError when it means none."""
    from torhaus.daemon.config.document import ConfigFaults
    from torhaus.daemon.config.profiles import find, is_name

    if codec.endswith(".js"):
        return Path(codec)
    name = codec
    if is_name(codec):
        try:
            scripts = scripts_folder(config)
            profile = find(codec, scripts)  # NoProfile is a ValueError
        except ConfigFaults as e:
            raise ValueError("\n".join(map(str, e.faults))) from None
        name = profile.encoder or profile.codec or codec
        if name.endswith(".js"):
            return scripts / name
    own = encoder(name)
    if own is None:
        families = ", ".join(sorted(ENCODERS))
        raise ValueError(f"{name} cannot encode downlinks: scripts (FILE.js) can, and codecs of {families}")
    return own


def run_test(args: argparse.Namespace) -> int:
    """Print every failure, how many passed with other names only, and `N passed, N failed` last; 1 when any failed."""
    try:
        lines = args.file.read_bytes().splitlines()
    except OSError as e:
        print(f"{args.file}: {e.strerror}", file=sys.stderr)
        return EX_NOINPUT
    passed, failed, other_names = asyncio.run(_test(args.file, lines, args.codec, args.base))
    if other_names:
        print(f"{other_names} of those passed have the names of another published decoder of their model")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


async def _test(file: Path, lines: list[bytes], codec: str | None, base: Path) -> tuple[int, int, int]:
    from torhaus.daemon.vectors.base import Scripts, Tools
    from torhaus.daemon.vectors.forms import check_of

    decode = msgspec.json.Decoder(dict[str, Any]).decode
    passed = failed = 0
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        tools = Tools(base, codec, Scripts(base, group), file.parent)
        for number, text in enumerate(lines, 1):
            if not text.strip():
                continue
            line: dict[str, Any] = {}
            try:
                line = decode(text[:MAX_LINE])
                fault = await check_of(line)(line, tools)
            except (msgspec.DecodeError, ValueError, OSError) as e:
                fault = f"unusable line: {e}"
            if fault is None:
                passed += 1
            else:
                failed += 1
                id_ = f" {line['id']}:" if isinstance(line.get("id"), str) else ""
                print(f"{file}:{number}:{id_} {fault}")
            if sys.stderr.isatty() and time.monotonic() - began > QUIET_S:
                print(f"\r{number}/{len(lines)}", end="\n" if number == len(lines) else "", file=sys.stderr, flush=True)
        tools.scripts.close()
    return passed, failed, tools.other_names
