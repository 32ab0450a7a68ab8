"""Devices as the configuration has them, made into what the pipeline needs."""

from pathlib import Path

from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.eui import parse_dev_addr
from torhaus.codecs.lorawan.session import Session
from torhaus.daemon.config.device_keys import DeviceKeys
from torhaus.daemon.config.devices import DeviceConfig
from torhaus.daemon.config.load import Loaded
from torhaus.daemon.lora.network import Device, Network


def known_devices(loaded: Loaded, scripts: Path) -> tuple[list[Device], Network]:
    """All devices of the configuration, and the network that knows them. `scripts`: the folder of vendors' decoders."""
    devices = [device_of(d, loaded.keys.get(d.name), scripts) for d in loaded.devices]
    return devices, Network(devices, loaded.lorawan.region)


def device_of(config: DeviceConfig, keys: DeviceKeys | None, scripts: Path) -> Device:
    """A configured device as the pipeline needs it; without session keys its frames cannot be decoded."""
    session = None
    if config.dev_addr is not None and keys is not None and keys.session is not None:
        session = Session(
            SessionKeys(keys.session),
            parse_dev_addr(config.dev_addr),
            allow_reset=config.allow_fcnt_reset,
            allow_half_mic=config.allow_half_mic,
        )
    is_script = config.codec is not None and config.codec.endswith(".js")
    script = str(scripts / config.codec) if is_script and config.codec else None
    return Device(
        name=config.name,
        dev_eui=config.dev_eui,
        codec=None if is_script else config.codec,
        script=script,
        session=session,
        fports=config.fports,
        encoder=script if config.encoder is None else str(scripts / config.encoder),
    )
