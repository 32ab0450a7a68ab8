"""The keys of `torhaus lora decode`: from options, the environment, a file, or the devices of the configuration."""

import argparse
import os
import stat
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.eui import format_dev_addr, format_eui64
from torhaus.codecs.lorawan.explain import Root
from torhaus.codecs.lorawan.keys import keys_1_0, keys_1_1
from torhaus.codecs.lorawan.phy import DataFrame, JoinRequest, Phy, RejoinRequest

if TYPE_CHECKING:
    from torhaus.daemon.config.devices import DeviceConfig
    from torhaus.daemon.config.load import Loaded

NAMES: Final = {
    "nwk_s_key": "--nwk-skey",
    "app_s_key": "--app-skey",
    "app_key": "--app-key",
    "nwk_key": "--nwk-key",
    "f_nwk_s_int_key": "--f-nwk-s-int-key",
    "s_nwk_s_int_key": "--s-nwk-s-int-key",
    "nwk_s_enc_key": "--nwk-s-enc-key",
}
"""Each key's name in files, and its option; in the environment it is TORHAUS_ and the name in capitals."""

MAX_FILE_BYTES: Final = 64 << 10
IN_SIGHT: Final = (
    "note: everybody on this machine can see keys on a command line; --keys-file FILE or the environment hides them"
)


_GROUP: Final = (
    "32 hex digits each. Those on the command line can be seen by everybody on the machine; those in the environment "
    "(TORHAUS_NWK_S_KEY and so on) and in files cannot. Without any, the devices of the configuration are looked at."
)
SESSION_1_1: Final = ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key")


class BadKeys(Exception):  # noqa: N818 - a fact
    """A key or a file of keys is none; the text never shows one."""


class Found(NamedTuple):
    """What a frame can be opened with.

    `notes` are for the user; `device` is set where the configuration has one for it; `is_blind` where AppSKey is not
    known.
    """

    session: SessionKeys | None = None
    root: Root | None = None
    device: "DeviceConfig | None" = None
    notes: tuple[str, ...] = ()
    is_blind: bool = False


def add_options(command: argparse.ArgumentParser) -> None:
    """The options that give keys."""
    given = command.add_argument_group("keys", _GROUP)
    for name, option in NAMES.items():
        given.add_argument(option, dest=name, metavar="KEY", help=_HELP[name])
    given.add_argument("--keys-file", type=Path, metavar="FILE", help="lines as in a table of devices.keys.toml")


_HELP: Final = {
    "nwk_s_key": "NwkSKey (LoRaWAN 1.0)",
    "app_s_key": "AppSKey",
    "app_key": "AppKey: joins",
    "nwk_key": "NwkKey: joins of LoRaWAN 1.1",
    "f_nwk_s_int_key": "FNwkSIntKey (1.1)",
    "s_nwk_s_int_key": "SNwkSIntKey (1.1)",
    "nwk_s_enc_key": "NwkSEncKey (1.1)",
}


def given_keys(args: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> dict[str, bytes]:
    """Keys by name: of an option, else the environment, else the file. Raises BadKeys."""
    texts: dict[str, object] = {}
    if args.keys_file is not None:
        texts = _read(args.keys_file)
    for name in NAMES:
        if (text := environment.get(f"TORHAUS_{name.upper()}")) is not None:
            texts[name] = text
        if (text := getattr(args, name)) is not None:
            texts[name] = text
        if name in texts and not isinstance(texts[name], str):
            raise BadKeys(f"{name}: must be text of 32 hex digits")
    return {name: _key(name, str(text)) for name, text in texts.items()}


def on_command_line(args: argparse.Namespace) -> bool:
    """Whether a key was given where everybody can see it."""
    return any(getattr(args, name) is not None for name in NAMES)


def from_given(
    keys: Mapping[str, bytes], phy: Phy, *, dev_nonce: int | None, dev_eui: int | None, join_eui: int | None
) -> Found:
    """Session and root of the keys. NwkSKey alone is enough for what it opens. Raises BadKeys."""
    session = None
    notes: list[str] = []
    is_blind = False
    if any(name in keys for name in SESSION_1_1[:3]):
        missing = [name for name in SESSION_1_1 if name not in keys]
        if missing:
            raise BadKeys(f"a session of LoRaWAN 1.1 also needs {', '.join(missing)}")
        session = SessionKeys(keys_1_1(*(keys[name] for name in SESSION_1_1)))
    elif "nwk_s_key" in keys:
        is_blind = "app_s_key" not in keys and isinstance(phy, DataFrame) and bool(phy.fport)
        if is_blind:
            notes.append("note: without AppSKey the payload stays encrypted")
        session = SessionKeys(keys_1_0(keys["nwk_s_key"], keys.get("app_s_key", bytes(16))))
    elif "app_s_key" in keys:
        raise BadKeys("AppSKey alone cannot tell which counter is the right one: give NwkSKey, too")
    root = None
    if "app_key" in keys or "nwk_key" in keys:
        root = Root(keys.get("app_key"), keys.get("nwk_key"), dev_eui, join_eui, dev_nonce)
    return Found(session, root, notes=tuple(notes), is_blind=is_blind)


def from_config(loaded: "Loaded", phy: Phy, trial: Callable[[SessionKeys], bool]) -> Found:
    """The device of the configuration whose frame it is: by DevEUI, or the one of this DevAddr whose key fits."""
    notes = tuple(
        "note: only the service can read the devices' keys, so none is tried (be root or the user torhaus)"
        for note in loaded.notes
        if "only the service can read it" in note
    )
    if isinstance(phy, JoinRequest | RejoinRequest):
        eui = format_eui64(phy.dev_eui)
        device = next((d for d in loaded.devices if d.dev_eui == eui), None)
        keys = loaded.keys.get(device.name) if device else None
        root = Root(keys.app_key, keys.nwk_key, phy.dev_eui) if keys and (keys.app_key or keys.nwk_key) else None
        return Found(None, root, device, notes)
    if not isinstance(phy, DataFrame):
        return Found(notes=notes)
    candidates = [d for d in loaded.devices if d.dev_addr == format_dev_addr(phy.dev_addr)]
    for device in candidates:
        keys = loaded.keys.get(device.name)
        if keys is not None and keys.session is not None and trial(session := SessionKeys(keys.session)):
            return Found(session, None, device, notes)
    if candidates and not notes:
        names = ", ".join(d.name for d in candidates)
        notes = (f"note: the address is that of {names}, but the frame does not fit its keys",)
    return Found(notes=notes)


def _read(path: Path) -> dict[str, object]:
    from torhaus.drivers.secret import SecretError, read_bounded

    try:
        data = read_bounded(path, str(path), forbidden=stat.S_IRWXG | stat.S_IRWXO, limit=MAX_FILE_BYTES)
        table = tomllib.loads(data.decode("utf-8-sig"))
    except SecretError as e:
        raise BadKeys(str(e)) from None
    except ValueError:
        raise BadKeys(f'{path}: must have lines like nwk_s_key = "…"') from None
    unknown = [name for name in table if name not in NAMES]
    if unknown:
        raise BadKeys(f"{path}: has {unknown[0][:40]!r}, must have some of {', '.join(NAMES)}")
    return table


def _key(name: str, text: str) -> bytes:
    from torhaus.daemon.config.device_keys import parse_key

    key = parse_key(text)
    if key is None:
        raise BadKeys(f"{name}: must be 32 hex digits")
    return key
