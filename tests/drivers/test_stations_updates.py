"""Updates: what a gateway has is not sent again, and firmware only when signed, by a key that it knows."""

import os
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.drivers.fakes import run
from tests.drivers.station_fakes import EUI, OTHER, Host, config, raw, running, station
from tests.pki import Authority
from torhaus.codecs.framing.basics_station.cups import Update, UpdateInfo, credentials
from torhaus.drivers.stations import updates
from torhaus.drivers.stations.updates import Updates

TOKEN = "NXVE.4711-secret"
LINE = f"Authorization: Bearer {TOKEN}"
NOTHING = bytes(14)
EMPTY_CRC = 0x7BD5C66F


class Folder:
    """The folder of updates, and who signs firmware."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.own = path / EUI
        self.default = path / "default"
        self.own.mkdir()
        self.default.mkdir()
        self.signer = ec.generate_private_key(ec.SECP256R1())
        public = self.signer.public_key()
        (path / "signer.pem").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        self.key_crc = crc32(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[-64:])
        self.authority = Authority("Delbrueck")

    def give_credentials(self) -> bytes:
        """LNS credentials; returned as they go over the wire."""
        certificate, key = self.authority.issue(EUI)
        (self.default / "tc.trust").write_bytes(self.authority.pem)
        (self.own / "tc.crt").write_bytes(certificate)
        (self.own / "tc.key").write_bytes(key)
        return credentials(self.authority.pem, certificate, key)

    def give_firmware(self, version: str = "2.0.0", data: bytes = b"#!/bin/sh\nexit 0\n" * 9000) -> tuple[bytes, bytes]:
        (self.default / "version.txt").write_text(version + "\n")
        (self.default / "update.bin").write_bytes(data)
        signature = self.signer.sign(data, ec.ECDSA(SHA512()))
        (self.default / "update.sig").write_bytes(signature)
        return data, signature

    def config(self, **more: Any) -> dict[str, Any]:
        gateways = [{"eui": eui, "token_sha256": sha256(TOKEN.encode()).hexdigest()} for eui in (EUI, OTHER)]
        signer = str(self.path / "signer.pem")
        return {"gateway": gateways, "updates_dir": str(self.path), "firmware_signer_file": signer} | more

    def ask(self, *, eui: str = EUI, signed: bool = True, **asked: Any) -> tuple[updates.Found, list[str]]:
        made = Updates(config(**self.config(**({} if signed else {"firmware_signer_file": ""}))))
        given: dict[str, Any] = {"cups_cred_crc": EMPTY_CRC, "tc_cred_crc": EMPTY_CRC, "package": "1.0.0"}
        found = made.find(eui, UpdateInfo(router=eui, **(given | {"keys": [self.key_crc]} | asked)))
        if found.firmware is not None:
            found.firmware.close()
        return found, found.problems


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_gateway_without_files_keeps_what_it_has(folder: Folder) -> None:
    for eui in (EUI, OTHER, "0" * 16):
        found, problems = folder.ask(eui=eui, tc_uri="wss://old:1", cups_uri="https://old:2", tc_cred_crc=1)
        assert (found.update, problems) == (Update(), [])


def test_addresses_go_when_they_are_others(folder: Folder) -> None:
    (folder.default / "tc.uri").write_text("wss://gateways.delbrueck.example:3001\n")
    (folder.own / "cups.uri").write_text("https://gateways.delbrueck.example:3001")
    found, _ = folder.ask(tc_uri=None)
    assert (found.update.tc_uri, found.update.cups_uri) == (
        "wss://gateways.delbrueck.example:3001",
        "https://gateways.delbrueck.example:3001",
    )
    found, _ = folder.ask(tc_uri=found.update.tc_uri, cups_uri=found.update.cups_uri)
    assert found.update == Update()
    (folder.own / "tc.uri").write_text("wss://dach:3001")  # a gateway's own goes before the default
    assert folder.ask()[0].update.tc_uri == "wss://dach:3001"
    assert folder.ask(eui=OTHER)[0].update.tc_uri == "wss://gateways.delbrueck.example:3001"


def test_credentials_go_once(folder: Folder) -> None:
    made = folder.give_credentials()
    found, _ = folder.ask()
    assert found.update.tc_credentials == made
    assert folder.ask(tc_cred_crc=crc32(made))[0].update == Update()
    files = [folder.default / "tc.trust", folder.own / "tc.crt", folder.own / "tc.key"]
    copied = crc32(b"".join(f.read_bytes() for f in files))
    assert folder.ask(tc_cred_crc=copied)[0].update == Update()  # copied onto the gateway by hand
    assert folder.ask(eui=OTHER)[0].update.tc_credentials == credentials(folder.authority.pem, b"", b"")


def test_a_fault_in_one_part_costs_that_part_alone(folder: Folder) -> None:
    folder.give_credentials()
    (folder.own / "cups.trust").write_text("nonsense")
    (folder.own / "cups.uri").write_text("https://b:1")
    found, problems = folder.ask()
    assert found.update.tc_credentials
    assert (found.update.cups_uri, found.update.cups_credentials) == ("", b"")
    assert len(problems) == 1
    assert problems[0].startswith("cups: .trust is no certificate")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("tc.uri", b"wss://\xff", "tc: tc.uri is not plain text"),
        ("tc.uri", b"wss://" + b"x" * 200, "tc: a URI must have at most 127"),
        ("tc.uri", b"x" * 40_000, "tc: tc.uri is longer than 32768 bytes"),
        ("tc.key", b"x", "tc: the authority that the station is to trust is missing"),
    ],
)
def test_files_that_cannot_be_used(folder: Folder, name: str, content: bytes, words: str) -> None:
    (folder.own / name).write_bytes(content)
    found, problems = folder.ask()
    assert found.update == Update()
    assert [p for p in problems if p.startswith(words)]


def test_firmware_with_its_signature(folder: Folder) -> None:
    data, signature = folder.give_firmware()
    found, problems = folder.ask()
    assert problems == []
    assert (found.update.key_crc, found.update.signature) == (folder.key_crc, signature)
    assert found.update.firmware_bytes == len(data)
    assert folder.ask(package="2.0.0")[0].update == Update()


def test_firmware_is_withheld_with_a_reason(folder: Folder) -> None:
    data, _ = folder.give_firmware()

    def why(**asked: Any) -> str:
        found, problems = folder.ask(**asked)
        assert found.update == Update()
        assert found.firmware is None
        (problem,) = problems
        assert problem.startswith("firmware is not offered: ")
        return problem.removeprefix("firmware is not offered: ")

    assert why(keys=[]) == f"the station has no key {folder.key_crc:08X} to check it (sig-0.key)"
    assert "to check it" in why(keys=[1, 2])
    assert why(signed=False) == "firmware_signer_file is not set"
    (folder.default / "update.bin").write_bytes(data + b"x")
    assert why() == "update.sig is no signature of update.bin by this key"
    (folder.default / "update.bin").write_bytes(data)
    other = ec.generate_private_key(ec.SECP256R1())
    (folder.default / "update.sig").write_bytes(other.sign(data, ec.ECDSA(SHA512())))
    assert "no signature" in why()
    (folder.default / "update.sig").unlink()
    assert "no signature" in why()
    (folder.default / "version.txt").write_text("two\nlines")
    assert why() == "version.txt must have one line"
    folder.give_firmware()
    (folder.path / "signer.pem").write_text("nonsense")
    assert why().startswith("not a public key")
    (folder.path / "signer.pem").unlink()
    assert why() == "signer.pem: No such file or directory"
    (folder.default / "update.bin").unlink()
    assert folder.ask()[0].update == Update()


def test_firmware_that_is_too_big(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates, "MAX_FIRMWARE_BYTES", 1 << 20)
    folder.give_firmware(data=bytes((1 << 20) + 1))
    assert folder.ask()[1] == ["firmware is not offered: update.bin is longer than 1 MiB"]


def test_all_of_it_over_the_wire(folder: Folder) -> None:
    made = folder.give_credentials()
    data, signature = folder.give_firmware()
    (folder.own / "tc.uri").write_text("wss://a:1")

    async def main() -> None:
        host = Host()
        async with running(host, **folder.config()) as server, station(server, token=LINE) as gateway:
            status, body = await gateway.update_info(keys=[folder.key_crc])
            assert status == 200
            want = b"\0\x09wss://a:1\0\0" + len(made).to_bytes(2, "little") + made
            want += (len(signature) + 4).to_bytes(4, "little") + folder.key_crc.to_bytes(4, "little") + signature
            assert body == want + len(data).to_bytes(4, "little") + data
            has = {"tcUri": "wss://a:1", "tcCredCrc": crc32(made), "package": "2.0.0", "keys": [folder.key_crc]}
            assert await gateway.update_info(**has) == (200, NOTHING)
            assert host.refused() == []

    run(main())


def test_the_addresses_come_with_the_head(folder: Folder) -> None:
    """A station looks for both in the bytes that it reads first."""
    folder.give_firmware()
    (folder.own / "tc.uri").write_text("wss://a:1")
    asked = f'{{"router":"{EUI}","keys":[{folder.key_crc}]}}'
    request = f"POST /update-info HTTP/1.1\r\nHost: x\r\n{LINE}\r\nContent-Length: {len(asked)}\r\n\r\n{asked}"

    async def main() -> None:
        host = Host()
        async with running(host, **folder.config()) as server, raw(server.port) as (reader, writer):
            writer.write(request.encode())
            first = await reader.read(65_536)
            head, _, body = first.partition(b"\r\n\r\n")
            assert b"Content-Length: " in head
            assert body.startswith(b"\0\x09wss://a:1")

    run(main())


def test_only_who_shows_who_it_is(folder: Folder) -> None:
    folder.give_credentials()

    async def main() -> None:
        host = Host()
        async with running(host, **folder.config()) as server:
            for token in (None, "Authorization: Bearer wrong"):
                async with station(server, token=token) as stranger:
                    status, body = await stranger.update_info()
                    assert status == 403
                    assert b"token" in body
            async with station(server, "0" * 15 + "1", token=LINE) as unlisted:
                assert (await unlisted.update_info())[0] == 403
            assert len(host.refused()) == 3

    run(main())


@pytest.mark.parametrize("asked", [{"keys": "x"}, {"router": None}, {"router": "../../etc"}, {"router": -1}])
def test_questions_that_are_none(folder: Folder, asked: dict[str, Any]) -> None:
    async def main() -> None:
        host = Host()
        async with running(host, **folder.config()) as server, station(server, token=LINE) as gateway:
            assert (await gateway.update_info(**asked))[0] == 400
            assert (await gateway.update_info(more="x" * 9000))[0] == 413
            assert len(host.refused()) == 1

    run(main())


def test_problems_are_told_and_the_rest_goes_on(folder: Folder) -> None:
    folder.give_firmware()
    (folder.own / "tc.uri").write_text("wss://a:1")

    async def main() -> None:
        host = Host()
        async with running(host, **folder.config()) as server, station(server, token=LINE) as gateway:
            assert await gateway.update_info() == (200, b"\0\x09wss://a:1" + bytes(12))
            (told,) = host.refused()
            assert told.gateway == EUI
            assert told.detail.startswith("updates: firmware is not offered: the station has no key")

    run(main())


def test_what_was_checked_is_what_is_sent(folder: Folder) -> None:
    """Another file put in its place while it is on its way changes nothing."""
    data, _ = folder.give_firmware(data=os.urandom(1 << 20))

    async def main() -> None:
        async with running(Host(), **folder.config()) as server, station(server, token=LINE) as gateway:
            real = updates._send

            async def send(*given: Any) -> Any:
                (folder.default / "new").write_bytes(b"something else")
                (folder.default / "new").rename(folder.default / "update.bin")
                return await real(*given)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(updates, "_send", send)
                status, body = await gateway.update_info(keys=[folder.key_crc])
            assert (folder.default / "update.bin").read_bytes() == b"something else"
            assert (status, body[-len(data) :]) == (200, data)

    run(main())
