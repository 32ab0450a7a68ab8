"""The demonstration's site: a folder with a real configuration, for the real daemon."""

import socket
from pathlib import Path
from typing import Final

import msgspec

from torhaus.daemon.demo.sensors import Sensor
from torhaus.daemon.simulate.identity import identities
from torhaus.daemon.simulate.run import gateway_eui

ROOMS: Final = (
    "council-chamber", "registry-office", "library", "gym", "classroom-1", "classroom-2", "day-nursery", "attic",
)  # fmt: skip
MASTS: Final = ("market-square", "pump-house", "waterworks")
GATEWAYS: Final = ("aa555a0000000101", "aa555a0000000102")
SCRIPTED: Final = "boiler-room"
JOINING: Final = msgspec.structs.replace(identities(1, seed=1)[0], name="fountain")
"""It joins over the air; its key is known to all, and of use on loopback only."""
METER: Final = "electricity-meter"
DECODER: Final = """// A decoder as vendors publish it (LoRa Alliance TS013): runs unmodified in the script process.
function decodeUplink(input) {
  var b = input.bytes;
  return { data: {
    flow_temperature: ((b[1] << 8) | b[2]) / 10,
    return_temperature: (((b[1] << 8) | b[2]) - 180) / 10,
    valve: b[4]
  } };
}
"""


class Ports(msgspec.Struct):
    """Free ports on loopback."""

    gwmp: int
    http: int
    broker: int


def free_port(kind: socket.SocketKind, wanted: int = 0) -> int:
    """`wanted` if it is free on loopback, else another one."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            number: int = s.getsockname()[1]
            return number
    raise OSError("no free port on 127.0.0.1")


def sensors() -> list[Sensor]:
    """A dozen devices: rooms, weather masts, and one that a script decodes."""
    found = [Sensor(i, "elsys", name) for i, name in enumerate(ROOMS)]
    found += [Sensor(100 + i, "cayenne_lpp", name) for i, name in enumerate(MASTS)]
    found.append(Sensor(200, "elsys", SCRIPTED))
    return found


def build(folder: Path, ports: Ports, meter: str) -> Path:
    """Write the configuration; returns its path. A folder used before keeps its records."""
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "decoders").mkdir(exist_ok=True)
    (folder / "decoders" / "boiler.js").write_text(DECODER, encoding="utf-8")
    devices = sensors()
    again = "allow_fcnt_reset = true  # the simulated ones begin at 0 each time\n"
    text = "".join(s.config() + again for s in devices).replace(
        f'dev_addr = "{devices[-1].dev_addr:08x}"\ncodec = "elsys"',
        f'dev_addr = "{devices[-1].dev_addr:08x}"\ncodec = "boiler.js"',
    )
    text += JOINING.config()
    text += f'[[device]]\nname = "{METER}"\ncodec = "sml"\n'
    (folder / "devices.toml").write_text(text, encoding="utf-8")
    keys = folder / "devices.keys.toml"
    keys.touch(mode=0o600)
    keys.write_text("".join(s.keys() for s in devices) + JOINING.key_table(), encoding="utf-8")
    for sub in ("scan-in", "delivered"):
        (folder / sub).mkdir(exist_ok=True)
    listed = "".join(
        f'[[driver.gateway]]\neui = "{eui}"\nnetworks = ["127.0.0.0/8"]\n' for eui in (*GATEWAYS, gateway_eui(0))
    )
    config = folder / "torhaus.toml"
    config.write_text(
        f"""[site]
id = "demo"
[store]
path = "state"
[http]
listen = "127.0.0.1:{ports.http}"
[control]
socket = "torhaus.sock"
[log]
level = "warning"
format = "text"

[lorawan]
mode = "standalone"

[[driver]]
name = "radio"
type = "semtech_udp"
listen = "127.0.0.1:{ports.gwmp}"
{listed}
[[driver]]
name = "meter"
type = "sml"
link = {_quoted(f"serial://{meter}?exclusive=0")}
device = "{METER}"

[[forwarder]]
name = "broker"
type = "mqtt"
url = "mqtt://127.0.0.1:{ports.broker}"

[[scan.station]]
name = "mailroom"
type = "folder"
path = {_quoted(folder / "scan-in")}
stable_s = 1.0
scan_interval_s = 0.5
target = "archive"

[[scan.target]]
name = "archive"
type = "folder"
path = {_quoted(folder / "delivered")}
""",
        encoding="utf-8",
    )
    return config


def _quoted(text: object) -> str:
    """A TOML string: JSON's are such."""
    return msgspec.json.encode(str(text)).decode()
