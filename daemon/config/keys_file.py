"""`devices.keys.toml` on the disk: its owner's alone, and sealed where the site wants it."""

import stat
from pathlib import Path

from torhaus.daemon.config.document import MAX_FILE_BYTES, ConfigFaults, Document, Fault, parse
from torhaus.daemon.config.sealed import SealError, is_sealed, unseal
from torhaus.drivers.secret import SecretError, read_bounded, read_secret


def read_keys_file(path: Path, shown: str, passphrase: Path | None = None) -> Document:
    """The parsed file. Raises ConfigFaults: not there, readable by others, not TOML, sealed otherwise."""
    return parse(keys_text(path, shown, passphrase), shown, secret=True)


def keys_text(path: Path, shown: str, passphrase: Path | None) -> str:
    """The file's text, unsealed where it is sealed. Raises ConfigFaults."""
    try:
        raw = read_bounded(path, shown, forbidden=stat.S_IRWXG | stat.S_IRWXO, limit=MAX_FILE_BYTES)
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigFaults([Fault(shown, 1, "file", "is not UTF-8 text, must be saved as UTF-8")]) from None
    except SecretError as e:
        raise ConfigFaults([Fault(shown, 1, "file", str(e).removeprefix(f"{shown} "))]) from None
    if not is_sealed(text):
        return text
    if passphrase is None:
        raise ConfigFaults([Fault(shown, 1, "file", "is sealed: say keys_passphrase_file in [devices]")])
    try:
        return unseal(text, read_secret(str(passphrase)))
    except (SecretError, SealError) as e:
        raise ConfigFaults([Fault(shown, 1, "file", f"is sealed, and {e}")]) from None


def is_in_clear(path: Path) -> bool:
    """Whether a keys file that was read is not sealed. Raises OSError."""
    with path.open("rb") as file:
        return not is_sealed(file.read(64).decode("utf-8-sig", "replace"))
