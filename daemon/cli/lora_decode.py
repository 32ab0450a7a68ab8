"""`torhaus lora decode`: one PHYPayload in words."""

import argparse
import base64
import binascii
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from torhaus.codecs.lorawan.explain import Explained, Root, explain
from torhaus.codecs.lorawan.keys import derive_1_0, derive_1_1
from torhaus.codecs.lorawan.phy import JoinAccept, parse
from torhaus.codecs.lorawan.region import REGIONS, region
from torhaus.codecs.model import DecodeError
from torhaus.daemon.cli.live import Unreadable
from torhaus.daemon.cli.lora_keys import (
    IN_SIGHT,
    SESSION_1_1,
    BadKeys,
    Found,
    add_options,
    from_config,
    from_given,
    given_keys,
    on_command_line,
)
from torhaus.daemon.cli.number import whole
from torhaus.daemon.cli.reach import EX_DATAERR, EX_USAGE, configured
from torhaus.daemon.cli.show import plain
from torhaus.daemon.main import add_config

MAX_TEXT: Final = 4096
_FORM: Final = "a frame is given in hexadecimal or in base64"


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """The command's place below `lora`."""
    command = commands.add_parser("decode", help="one frame in words")
    command.add_argument("frame", metavar="HEX|BASE64", help="the PHYPayload; - reads it from standard input")
    command.add_argument(
        "--region", type=str.upper, choices=REGIONS, help="default: that of the configuration, or EU868"
    )
    command.add_argument(
        "--dev-nonce", type=whole(0, 0xFFFF), metavar="N", help="of the join that a join-accept answers"
    )
    command.add_argument("--dev-eui", metavar="EUI", help="likewise, for LoRaWAN 1.1")
    command.add_argument("--join-eui", metavar="EUI", help="likewise, for LoRaWAN 1.1")
    command.add_argument("--json", action="store_true", help="as JSON")
    command.add_argument("--show-keys", action="store_true", help="show the session keys that a join-accept brings")
    add_options(command)
    add_config(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print what is in it. 65 when it is no frame, or keys were given and its MIC is wrong."""
    from torhaus.daemon.cli.lora_report import lines, report

    text = sys.stdin.read(MAX_TEXT + 1) if args.frame == "-" else args.frame
    try:
        data = frame_of(text)
        keys, notes = _keys(args, data)
    except DecodeError as e:
        print(f"refused: {e}", file=sys.stderr)
        return EX_DATAERR
    except (ValueError, BadKeys) as e:
        print(e, file=sys.stderr)
        return EX_USAGE
    except Unreadable as e:
        print(e, file=sys.stderr)
        return e.code
    for note in notes:
        print(note, file=sys.stderr)
    found = explain(data, session=keys.session, root=keys.root)
    if keys.is_blind and found.commands is None:  # what a made-up AppSKey gives is no payload
        found = msgspec.structs.replace(found, payload=None)
    where = region(args.region)
    decoded = _fields(args, keys, found) | (_derived(keys.root, found) if args.show_keys else {})
    if args.json:
        out = report(found, data, where) | ({"device": keys.device.name} if keys.device else {}) | decoded
        print(msgspec.json.format(msgspec.json.encode(out), indent=2).decode())
    else:
        rows = lines(found, data, where)
        rows[1:1] = [("device", keys.device.name)] if keys.device else []
        rows += [(k, v if isinstance(v, str) else msgspec.json.encode(v).decode()) for k, v in decoded.items()]
        width = max(len(label) for label, _ in rows)
        print("\n".join(f"{label:{width}}  {plain(value)}" for label, value in rows))
    return EX_DATAERR if found.mic == "wrong" else 0


def frame_of(text: str) -> bytes:
    """The bytes of hexadecimal or else of base64, plain or URL-safe, padded or not. Raises ValueError."""
    joined = "".join(text.split())
    if not joined or len(text) > MAX_TEXT:
        raise ValueError(f"{_FORM}, of at most {MAX_TEXT} characters")
    data = _hex(joined)
    if data is None:
        data = _base64(joined)
    if data is None:
        raise ValueError(_FORM)
    return data


def _hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text.removeprefix("0x").replace(":", "").replace("-", ""))
    except ValueError:
        return None


def _base64(text: str) -> bytes | None:
    plain_text = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain_text + "=" * (-len(plain_text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _keys(args: argparse.Namespace, data: bytes) -> tuple[Found, list[str]]:
    """The keys to try; sets the region. Raises BadKeys, DecodeError, Unreadable."""
    phy = parse(data)
    given = given_keys(args)
    if given:
        args.region = args.region or "EU868"
        dev_eui, join_eui = (_eui(args, name) for name in ("dev_eui", "join_eui"))
        found = from_given(given, phy, dev_nonce=args.dev_nonce, dev_eui=dev_eui, join_eui=join_eui)
        notes = [IN_SIGHT] if on_command_line(args) else []
        return found, [*notes, *found.notes]
    if not _is_there(args.config):
        args.region = args.region or "EU868"
        return Found(), [f"note: no configuration {args.config}, so no devices' keys are tried"]
    loaded = configured(args.config)
    args.region = args.region or loaded.lorawan.region
    args.scripts = loaded.scripts.dir
    found = from_config(loaded, phy, lambda session: explain(data, session=session).mic in {"right", "half"})
    if isinstance(phy, JoinAccept):
        found = _whose(loaded, data, found)
    return found, list(found.notes)


def _whose(loaded: Any, data: bytes, found: Found) -> Found:  # noqa: ANN401 - Loaded, imported by who made it
    """The device whose root key opens a join-accept: it says nowhere whose it is."""
    for device in loaded.devices:
        keys = loaded.keys.get(device.name)
        if keys is None or keys.app_key is None or keys.nwk_key is not None:
            continue
        root = Root(keys.app_key)
        if explain(data, root=root).mic == "right":
            return found._replace(root=root, device=device)
    return found


def _derived(root: Root | None, found: Explained) -> dict[str, Any]:
    """The session keys of a join-accept, as far as what the root key and the options tell is enough."""
    body = found.accept
    if root is None or body is None or root.dev_nonce is None:
        return {"session_keys": "they need the join-accept, its root key and --dev-nonce"}
    if not body.opt_neg:
        assert root.join_key is not None
        keys = derive_1_0(root.join_key, body.join_nonce, body.net_id, root.dev_nonce)
        return {"nwk_s_key": keys.nwk_s_enc_key.hex(), "app_s_key": keys.app_s_key.hex()}
    if root.nwk_key is None or root.app_key is None or root.join_eui is None:
        return {"session_keys": "LoRaWAN 1.1 needs AppKey, NwkKey and --join-eui"}
    keys = derive_1_1(root.nwk_key, root.app_key, body.join_nonce, root.join_eui, root.dev_nonce)
    return {name: getattr(keys, name).hex() for name in SESSION_1_1}


def _is_there(config: Path) -> bool:
    try:
        return config.is_file()
    except OSError:
        return False


def _eui(args: argparse.Namespace, name: str) -> int | None:
    from torhaus.codecs.lorawan.eui import parse_eui64

    text = getattr(args, name)
    try:
        return None if text is None else parse_eui64(text)
    except DecodeError as e:
        raise BadKeys(f"--{name.replace('_', '-')}: {e.detail}") from None


def _fields(args: argparse.Namespace, keys: Found, found: Explained) -> dict[str, Any]:
    """What the device's codec makes of the payload, or the reason why nothing."""
    codec = keys.device.codec if keys.device else None
    if codec is None or not found.payload or found.commands is not None:
        return {}
    from torhaus.daemon.cli.decode import decode_payload

    name = str(Path(args.scripts) / codec) if codec.endswith(".js") else codec
    fport = getattr(found.phy, "fport", None)
    try:
        return {"codec": codec, "fields": decode_payload(name, found.payload, fport)}
    except DecodeError as e:
        return {"codec": codec, "refused": str(e)}
    except (OSError, ValueError) as e:
        return {"codec": codec, "refused": getattr(e, "strerror", None) or str(e)}
