"""Lists of devices as spreadsheets save them: CSV with a header row, to be imported whole or not at all.

RFC 4180, with what spreadsheets make of it: `;` or tab instead of `,`, a byte order mark, Windows code page 1252, a
first line `sep=;`. Tags are separated by `|` or `,`.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from torhaus.codecs.lorawan.keys import Version
from torhaus.daemon.config.device_keys import KEYS, SESSION_1_1, DeviceKeys
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.devices_edit import New
from torhaus.daemon.config.document import ConfigFaults, Fault
from torhaus.daemon.config.expect import did_you_mean, quote

MAX_ROWS: Final = 100_000
"""More than any site has; a spreadsheet saved down to its last empty row is to be cut first."""

_FIELDS: Final = tuple(f.encode_name for f in msgspec.structs.fields(DeviceConfig) if f.encode_name != "counters")
_COLUMNS: Final = {name.replace("_", ""): name for name in (*_FIELDS, *KEYS)} | {"appeui": "join_eui"}
_FLAGS: Final = tuple(f.encode_name for f in msgspec.structs.fields(DeviceConfig) if f.type is bool)
_TRUE: Final = {"1", "true", "wahr", "yes", "ja", "x"}
_FALSE: Final = {"0", "false", "falsch", "no", "nein"}
_NUMBER: Final = re.compile(r"[0-9]+[.,][0-9]+E\+?[0-9]+", re.IGNORECASE)
_DECIMAL: Final = re.compile(r"[0-9]{1,9}([.,][0-9]{1,9})?")
_SMALL: Final = re.compile(r"[0-9]{1,4}")
_SEPARATOR_LINE: Final = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)


def read_csv(raw: bytes, shown: str) -> list[New]:
    """The devices of the file. Raises ConfigFaults with every cell that cannot be read, by line."""
    faults: list[Fault] = []
    new: list[New] = []
    rows = _rows(_text(raw, shown), shown)
    header = next(rows, None)
    if header is None:
        raise ConfigFaults([Fault(shown, 1, "file", "is empty, must have a header row such as name,dev_eui,codec")])
    columns = _columns(*header, shown)
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(new) >= MAX_ROWS:
            raise ConfigFaults([Fault(shown, line, "file", f"has too many rows, must have at most {MAX_ROWS}")])
        if any(cell.strip() for cell in cells[len(columns) :]):
            text = f"has {len(cells)} cells, but the header has {len(columns)}"
            faults.append(Fault(shown, line, "row", text))
            continue
        new.append(_row(dict(zip(columns, cells, strict=False)), line, shown, faults))
    if faults:
        raise ConfigFaults(faults)
    return new


def _text(raw: bytes, shown: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConfigFaults([Fault(shown, 1, "file", "is UTF-16, must be saved as CSV UTF-8")])
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _rows(text: str, shown: str) -> Iterator[tuple[int, list[str]]]:
    """Line of each row (its first, where a cell has line breaks) and its cells."""
    told = _SEPARATOR_LINE.match(text)
    first = text[told.end() :] if told else text
    head = first.partition("\n")[0]
    delimiter = told[1] if told else max(";,\t", key=head.count)
    reader = csv.reader(io.StringIO(first, newline=""), delimiter=delimiter, strict=True)
    skipped, line = int(bool(told)), 1
    while True:
        line = reader.line_num + 1 + skipped
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as e:
            raise ConfigFaults([Fault(shown, line, "row", f"is no CSV: {e}")]) from None
        yield line, cells


def _columns(line: int, cells: list[str], shown: str) -> list[str]:
    """The header's names as torhaus has them: `DevEUI`, `dev eui` and `dev_eui` are one."""
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    columns, faults = [], []
    for cell in cells:
        plain = "".join(c for c in cell.lower() if c.isalnum())
        name = _COLUMNS.get(plain, "")
        if not name:
            text = f"is no column that torhaus knows{did_you_mean(plain, _COLUMNS.values())}"
            faults.append(Fault(shown, line, _short(cell), text))
        elif name in columns:
            faults.append(Fault(shown, line, name, "is there twice"))
        columns.append(name)
    if "name" not in columns:
        faults.append(Fault(shown, line, "name", f"is missing (the columns are {', '.join((*_FIELDS, *KEYS))})"))
    if faults:
        raise ConfigFaults(faults)
    return columns


def _short(cell: str) -> str:
    """A header for a message: a file without one has keys in its first row."""
    hidden = sum(c in "0123456789abcdefABCDEF" for c in cell) >= 16
    return "column" if hidden else quote(cell)


def _row(cells: dict[str, str], line: int, shown: str, faults: list[Fault]) -> New:
    table: dict[str, Any] = {}
    keys: dict[str, str] = {}
    for column, cell in cells.items():
        text = cell.strip()
        if not text:
            continue
        if column in KEYS:
            keys[column] = text
        elif column == "tags":
            table[column] = [tag.strip() for tag in re.split("[|,]", text) if tag.strip()]
        elif column == "fports":
            ports = (port.strip() for port in re.split("[|,]", text))
            table[column] = [int(port) if _SMALL.fullmatch(port) else port for port in ports]
        elif column == "interval_s":
            table[column] = float(text.replace(",", ".")) if _DECIMAL.fullmatch(text) else text
        elif column in _FLAGS:
            if text.lower() not in _TRUE | _FALSE:
                faults.append(Fault(shown, line, column, f"is {quote(text)}, must be true or false"))
            table[column] = text.lower() in _TRUE
        elif column in {"dev_eui", "dev_addr", "join_eui"} and _NUMBER.fullmatch(text):
            told = f"is {quote(text)}: a spreadsheet made a number of it; format the column as text and enter it again"
            faults.append(Fault(shown, line, column, told))
        else:
            table[column] = text
    if keys and not {"dev_eui", "dev_addr"} & cells.keys() - {c for c, v in cells.items() if not v.strip()}:
        faults.append(Fault(shown, line, "dev_eui", "is missing: the row has keys"))
    return New(table, keys, line)


def write_csv(devices: Sequence[DeviceConfig], keys: Mapping[str, DeviceKeys] | None = None) -> str:
    """The devices as `read_csv` takes them, with `keys` (by name) those as well; without columns that nobody has."""
    rows = [_cells(device, keys.get(device.name) if keys is not None else None) for device in devices]
    columns = [name for name in (*_FIELDS, *KEYS) if name == "name" or any(name in row for row in rows)]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def has_no_cell(devices: Iterable[msgspec.Struct]) -> list[str]:
    """The settings, as "device: key", that are tables of their own: no cell of a CSV can hold them."""
    whole = [msgspec.to_builtins(device) for device in devices]
    return [f"{one['name']}: {key}" for one in whole for key, value in one.items() if value and isinstance(value, dict)]


def _cells(device: DeviceConfig, keys: DeviceKeys | None) -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, value in msgspec.to_builtins(device).items():
        if value is True:
            cells[name] = "true"
        elif isinstance(value, dict):
            continue  # `has_no_cell` tells
        elif isinstance(value, list | tuple):
            if value:
                cells[name] = "|".join(map(str, value))
        elif value is not False and value is not None and value != "":
            cells[name] = str(value)
    return cells | ({} if keys is None else {name: key.hex() for name, key in named_keys(keys).items()})


def named_keys(keys: DeviceKeys) -> dict[str, bytes]:
    """A device's keys by their names in devices.keys.toml."""
    found = {"app_key": keys.app_key, "nwk_key": keys.nwk_key}
    session = keys.session
    if session is not None and session.version is Version.V1_0:
        found |= {"nwk_s_key": session.f_nwk_s_int_key, "app_s_key": session.app_s_key}
    elif session is not None:
        found |= {name: getattr(session, name) for name in SESSION_1_1}
    return {name: key for name, key in found.items() if key is not None}


def read_keys_text(text: str, shown: str) -> dict[str, str]:
    """Lines `nwk_s_key = 0011…`, quoted or not, `#` starts a comment. Raises ConfigFaults; no text holds a key."""
    keys: dict[str, str] = {}
    faults: list[Fault] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].strip()
        if not words:
            continue
        name, mark, value = words.partition("=")
        plain = "".join(c for c in name.lower() if c.isalnum())
        key = _COLUMNS.get(plain, "")
        if not mark or key not in KEYS:
            faults.append(
                Fault(shown, number, "keys", f"must be a line such as nwk_s_key = …; known are {', '.join(KEYS)}")
            )
        elif key in keys:
            faults.append(Fault(shown, number, key, "is there twice"))
        else:
            keys[key] = value.strip().strip("\"'")
    if faults or not keys:
        raise ConfigFaults(faults or [Fault(shown, 1, "keys", "has no keys")])
    return keys
