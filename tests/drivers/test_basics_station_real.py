"""A real station of release 2.0.6 against this server: TORHAUS_STATION names its program, built with variant=testsim.

It is not in Debian. From lorabasics/basicstation: `make platform=linux variant=testsim`.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.drivers.station_fakes import EUI, Host, running
from tests.drivers.station_radio import SimulatedRadio
from tests.pki import Authority
from torhaus.codecs.lorawan.downlink import After, Downlink, Immediately, TxItem, TxStatus
from torhaus.codecs.lorawan.region import datarate, region, rx1, rx2
from torhaus.drivers.stations.server import StationServer

PROGRAM = os.environ.get("TORHAUS_STATION", "")
pytestmark = pytest.mark.skipif(not PROGRAM, reason="TORHAUS_STATION names no station built with variant=testsim")

TOKEN = "Authorization: Bearer NXVE.4711-secret"
DATA = bytes.fromhex("40fbffffff0007000168656c6c6ff7ffffff")
JOIN = bytes.fromhex("00040302010403020105040302050403022d106a990e12")
OWN = b"\xe0somebody's own"
DOWN = b"\x60" + bytes(range(20))
CONFIG = {
    "SX1301_conf": {
        "lorawan_public": True,
        "clksrc": 1,
        "device": "spidev",
        "radio_0": {"type": "SX1257", "rssi_offset": -166.0, "tx_enable": True, "antenna_gain": 0},
        "radio_1": {"type": "SX1257", "rssi_offset": -166.0, "tx_enable": False},
    },
    "station_conf": {"routerid": EUI, "log_file": "stderr", "log_level": "VERBOSE", "RADIO_INIT_WAIT": "200ms"},
}


async def soon(condition: Callable[[], Any], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.01)


@asynccontextmanager
async def real_station(folder: Path) -> AsyncIterator[SimulatedRadio]:
    (folder / "station.conf").write_text(json.dumps(CONFIG))
    (folder / "version.txt").write_text("1.0.0\n")
    radio = SimulatedRadio()
    await radio.open(folder)
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            PROGRAM, "--home", ".", "--temp", ".", cwd=folder, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL
        )
        try:
            yield radio
        finally:
            process.kill()
            await process.wait()
            await radio.close()


def windows(where: str, freq_hz: int, context: bytes) -> tuple[TxItem, TxItem]:
    table = region(where)
    (first, dr1), (second, dr2) = rx1(table, freq_hz, 5 if where != "US915" else 3), rx2(table)
    rates = datarate(table, dr1).datarate, datarate(table, dr2).datarate
    return (
        TxItem(DOWN, first, "LORA", rates[0], After(1_000_000, context)),
        TxItem(DOWN, second, "LORA", rates[1], After(2_000_000, context)),
    )


async def there_and_back(server: StationServer, host: Host, radio: SimulatedRadio, where: str, freq_hz: int) -> None:
    """Three frames up, and an answer in the first window, a second after the uplink to the microsecond."""
    await soon(lambda: EUI in server.sessions and server.sessions[EUI].can_send and radio.connected.is_set())
    await asyncio.sleep(2.5)  # it converts times only after it has looked at its radio's clock
    heard_us = radio.receive(freq_hz, DATA)
    radio.receive(freq_hz, JOIN)
    radio.receive(freq_hz, OWN)
    await soon(lambda: len(host.frames) == 3)
    assert [f.data for f in host.frames] == [DATA, JOIN, OWN]
    up = host.frames[0].radio
    assert up is not None
    assert (up.freq_hz, up.datarate, up.rx[0].rssi_dbm, up.rx[0].snr_db) == (freq_hz, "SF7BW125", -50, 9)
    context = up.rx[0].context
    assert context is not None
    answers = await server.transmit(Downlink(EUI, windows(where, freq_hz, context), dev_eui=EUI))
    assert [a.status for a in answers] == [TxStatus.OK, TxStatus.IGNORED]
    (sent,) = radio.on_air
    assert (sent.data, sent.count_us - heard_us) == (DOWN, 1_000_000)
    assert sent.freq_hz == windows(where, freq_hz, context)[0].freq_hz
    assert host.rejects == []


@pytest.mark.parametrize(
    ("where", "freq_hz", "more"),
    [
        ("EU868", 868_100_000, {}),
        ("US915", 903_900_000, {"sub_band": 2}),
        ("IN865", 865_062_500, {}),
        ("AS923-3", 916_600_000, {}),
    ],
)
def test_frames_and_downlinks(tmp_path: Path, where: str, freq_hz: int, more: dict[str, Any]) -> None:
    async def main() -> None:
        host = Host()
        async with running(host, region=where, **more) as server:
            (tmp_path / "tc.uri").write_text(f"ws://127.0.0.1:{server.port}")
            async with real_station(tmp_path) as radio:
                await there_and_back(server, host, radio, where, freq_hz)
                rate = datarate(region(where), rx2(region(where))[1] + 3).datarate
                at_once = TxItem(DOWN, rx2(region(where))[0], "LORA", rate, Immediately())
                (answer,) = await server.transmit(Downlink(EUI, (at_once,)))
                assert answer.status is TxStatus.OK
                assert radio.on_air[1].freq_hz == at_once.freq_hz

    asyncio.run(main())


class Site:
    """A server's certificate, and what a gateway has and is to get."""

    def __init__(self, tmp_path: Path) -> None:
        self.home, self.folder, self.authority = tmp_path / "home", tmp_path / "updates", Authority("Delbrueck")
        self.home.mkdir()
        (self.folder / EUI).mkdir(parents=True)
        certificate, key = self.authority.issue("localhost", x509.DNSName("localhost"))
        self.files = {
            f"{name}_file": str(tmp_path / f"{name}.pem") for name in ("cert", "key", "client_ca", "firmware_signer")
        }
        for name, data in (("cert", certificate), ("key", key), ("client_ca", self.authority.pem)):
            (tmp_path / f"{name}.pem").write_bytes(data)
        for place in self.places():
            place.with_suffix(".trust").write_bytes(self.authority.pem)

    def places(self) -> tuple[Path, Path]:
        """How it gets in to its update server, and how it is to get in to its network server."""
        return self.home / "cups", self.folder / EUI / "tc"

    def keys(self, *names: str) -> dict[str, str]:
        return {f"{name}_file": self.files[f"{name}_file"] for name in names}

    async def run(self, host: Host, **values: Any) -> None:
        """The station knows its update server only, and gets from it where its network server is."""
        async with running(host, updates_dir=str(self.folder), **values) as server:
            (self.home / "cups.uri").write_text(f"https://localhost:{server.port}")
            (self.folder / EUI / "tc.uri").write_text(f"wss://localhost:{server.port}")
            async with real_station(self.home) as radio:
                await there_and_back(server, host, radio, "EU868", 868_100_000)
        assert host.refused() == []


def test_from_updates_to_data_by_token(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for place in site.places():
        place.with_suffix(".key").write_text(TOKEN + "\n")
    gateway = [{"eui": EUI, "token_sha256": sha256(TOKEN.rsplit(maxsplit=1)[-1].encode()).hexdigest()}]
    asyncio.run(site.run(Host(), gateway=gateway, **site.keys("cert", "key")))
    assert (site.home / "tc.key").read_bytes() == TOKEN.encode() + b"\r\n"


def test_from_updates_to_data_by_certificate_and_signed_firmware(tmp_path: Path) -> None:
    site = Site(tmp_path)
    for place in site.places():
        certificate, key = site.authority.issue(EUI)
        place.with_suffix(".crt").write_bytes(certificate)
        place.with_suffix(".key").write_bytes(key)
    signer = ec.generate_private_key(ec.SECP256R1())
    public = signer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    (site.home / "sig-0.key").write_bytes(public[-64:])
    pem = signer.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    Path(site.files["firmware_signer_file"]).write_bytes(pem)
    firmware = b"#!/bin/sh\necho 2.0.0 > version.txt\n" + b"#" * 300_000
    own = site.folder / EUI
    (own / "update.bin").write_bytes(firmware)
    (own / "update.sig").write_bytes(signer.sign(firmware, ec.ECDSA(SHA512())))
    (own / "version.txt").write_text("2.0.0\n")
    asyncio.run(site.run(Host(), **site.keys("cert", "key", "client_ca", "firmware_signer")))
    assert (site.home / "version.txt").read_text() == "2.0.0\n"
    Path("/tmp/update.bin").unlink()  # where the station has put it
