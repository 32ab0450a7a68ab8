"""A site without a network server that sends: configuration, keys, and a device that joins through a gateway."""

from pathlib import Path

from tests.daemon.home import Heard, Home, archive
from tests.daemon.lora_device import OtaaDevice
from torhaus.daemon.app import App
from torhaus.daemon.clock import SystemClock

STANDALONE = '[lorawan]\nmode = "standalone"\nnet_id = "000001"\n'
SCRIPT = """function encodeDownlink(input) {
  if (input.data.level > 9) return {errors: ["too loud"]};
  return {bytes: [1, input.data.level], fPort: 7, warnings: input.data.level > 5 ? ["loud"] : []};
}
"""


def home_of(folder: Path, it: OtaaDevice, more: str = STANDALONE, forwarders: str = "") -> Home:
    """Besides `it`: `keller`, without root keys, and `hupe`, which has a script."""
    devices = it.config() + '[[device]]\nname = "keller"\ndev_eui = "a81758fffe0312ac"\n'
    horn = OtaaDevice("hupe", dev_eui=0xA81758FFFE0312AD)
    devices += horn.config().replace('"elsys"', '"horn.js"')
    home = Home(folder, devices=devices + '[[device]]\nname = "zaehler"\ncodec = "sml"\n')
    (folder / "decoders").mkdir(exist_ok=True)
    (folder / "decoders" / "horn.js").write_text(SCRIPT)
    (folder / "devices.keys.toml").write_text(it.key_table() + horn.key_table())
    home.write(more + (forwarders or archive(folder).replace("path =", 'kinds = ["reading", "event"]\npath =')))
    return home


def real_app(home: Home) -> App:
    """With a clock by which scripts have the time that they need."""
    return App(home.load(), SystemClock(), Heard())
