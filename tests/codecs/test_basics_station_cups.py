"""Questions and answers about updates, credentials in the form for the wire, signatures."""

import json
import random
from hashlib import sha512
from zlib import crc32

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from tests.pki import Authority, pem_key
from torhaus.codecs.framing.basics_station.cups import (
    ABSENT,
    MAX_BYTES,
    FirmwareKey,
    Update,
    crcs,
    credentials,
    head,
    parse_update_info,
)
from torhaus.codecs.model import DecodeError, RejectReason

ASKED = {
    "router": "::1",
    "cupsUri": "https://localhost:6040",
    "tcUri": "",
    "cupsCredCrc": 2948861651,
    "tcCredCrc": 2077607535,
    "station": "Emulated Station",
    "model": "linux",
    "package": "1.0.0",
    "keys": [4047409090],
}
"""The example of the documentation ("Request 1", lorabasics/basicstation at ba4f85d, examples/cups/README.md)."""


def test_the_documentations_question() -> None:
    asked = parse_update_info(json.dumps(ASKED).encode())
    assert (asked.eui, asked.cups_uri, asked.cups_cred_crc) == (
        "0000000000000001",
        "https://localhost:6040",
        2948861651,
    )
    assert (asked.tc_cred_crc, asked.package, asked.keys) == (2077607535, "1.0.0", [4047409090])


def test_an_empty_set_of_credentials_has_the_documented_crc() -> None:
    assert crc32(3 * ABSENT) == 0x7BD5C66F
    assert crcs(b"", b"", b"") >= {0x7BD5C66F}


def test_what_a_station_does_not_know_is_null() -> None:
    asked = parse_update_info(json.dumps({**ASKED, "package": None, "cupsUri": None, "station": None}).encode())
    assert (asked.package, asked.cups_uri) == (None, None)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"router": None}, RejectReason.SYNTAX),
        ({"cupsCredCrc": -1}, RejectReason.SYNTAX),
        ({"cupsCredCrc": 1 << 32}, RejectReason.SYNTAX),
        ({"keys": [1] * 33}, RejectReason.SYNTAX),
        ({"keys": "x"}, RejectReason.SYNTAX),
        ({"tcUri": "x" * 257}, RejectReason.SYNTAX),
        ({"more": "x" * MAX_BYTES}, RejectReason.LONG),
    ],
)
def test_wrong_questions(change: dict[str, object], reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as refused:
        parse_update_info(json.dumps(ASKED | change).encode())
    assert refused.value.reason is reason


def test_every_cut_and_changed_bytes() -> None:
    text = json.dumps(ASKED).encode()
    for end in range(len(text)):
        with pytest.raises(DecodeError):
            parse_update_info(text[:end])
    rand = random.Random(20_261_128)
    for _ in range(2000):
        changed = bytearray(text)
        for _ in range(rand.randint(1, 5)):
            changed[rand.randrange(len(changed))] = rand.randrange(256)
        try:
            assert len(parse_update_info(bytes(changed)).eui) == 16
        except DecodeError:
            continue


def test_no_change_is_fourteen_zeros() -> None:
    assert head(Update()) == bytes(14)


def test_an_answer_with_everything() -> None:
    update = Update("https://b:1", "wss://c:2", b"CUPS", b"LNS", 0xF13E8FC2, b"sig", 0x01020304)
    want = b"\x0bhttps://b:1\x09wss://c:2\x04\0CUPS\x03\0LNS\x07\0\0\0\xc2\x8f\x3e\xf1sig\x04\x03\x02\x01"
    assert head(update) == want


@pytest.mark.parametrize(
    "update",
    [
        Update(cups_uri="x" * 128),
        Update(tc_uri="ü"),
        Update(tc_credentials=bytes(65_536)),
        Update(signature=bytes(129)),
        Update(firmware_bytes=1 << 31),
        Update(firmware_bytes=-1),
    ],
)
def test_answers_that_do_not_fit(update: Update) -> None:
    with pytest.raises(DecodeError) as refused:
        head(update)
    assert refused.value.reason is RejectReason.LONG


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority("Delbrueck gateways")


def split(data: bytes) -> list[bytes]:
    """The parts as a station finds them (sys_credComplete): it reads the length from byte 1, or from bytes 2 and 3."""
    parts = []
    for _ in range(2):
        if data[:1] == b"\0":
            parts.append(b"")
            data = data[4:]
        else:
            assert data[0] == 0x30
            size = int.from_bytes(data[2:4], "big") + 4 if data[1] & 0x80 else data[1] + 2
            parts.append(data[:size])
            data = data[size:]
    return [*parts, b"" if data == ABSENT else data]


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_credentials_can_be_taken_apart_by_a_station(authority: Authority, kind: str) -> None:
    """Also elliptic keys from PKCS #8, whose length a station would misread as they are."""
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65_537, 2048)
    certificate = authority.issue("aa555a0000000101", key=key)[0]
    made = credentials(authority.pem, certificate, pem_key(key))
    trust, cert, secret = split(made)
    assert (trust, cert) == (der(authority.pem), der(certificate))
    found = load_der_private_key(secret, password=None)
    assert found.private_bytes(*PLAIN) == key.private_bytes(*PLAIN)
    assert credentials(trust, cert, secret) == made  # DER is taken as it is
    assert crcs(authority.pem, certificate, pem_key(key)) == {
        crc32(made),
        crc32(authority.pem + certificate + pem_key(key)),
    }


PLAIN = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def der(pem: bytes) -> bytes:
    from cryptography import x509

    return x509.load_pem_x509_certificate(pem).public_bytes(Encoding.DER)


def test_a_token_instead_of_a_certificate(authority: Authority) -> None:
    made = credentials(authority.pem, b"", b"Authorization: Bearer NXVE.secret\n")
    assert split(made) == [der(authority.pem), b"", b"Authorization: Bearer NXVE.secret\r\n"]
    assert split(credentials(authority.pem, b"", b"")) == [der(authority.pem), b"", b""]
    assert credentials(b"", b"", b"") == b""


def test_credentials_that_stations_could_not_use(authority: Authority) -> None:
    certificate, key = authority.issue("aa555a0000000101")
    private = ec.generate_private_key(ec.SECP256R1())
    locked = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    pkcs8 = private.private_bytes(*PLAIN)
    edwards = ed25519.Ed25519PrivateKey.generate()
    for parts, words in (
        ((b"", certificate, key), "trust"),
        ((authority.pem, certificate, b""), "no key"),
        ((b"nonsense", certificate, key), "trust is no certificate"),
        ((b"\x30nonsense", certificate, key), "trust is no certificate"),
        ((authority.pem + certificate, certificate, key), "2 certificates"),
        ((authority.pem, certificate + certificate, key), "2 certificates"),
        ((authority.pem, certificate, b"nonsense"), "no private key"),
        ((authority.pem, certificate, locked), "no private key"),
        ((authority.pem, certificate, pem_key(edwards)), "no private key"),
        ((authority.pem, certificate, pkcs8), "misread: 138"),
        ((authority.pem, certificate, b"\x30"), "misread"),
        ((authority.pem, b"", b"NXVE.secret"), "Authorization"),
        ((authority.pem, b"", b"A: b\nC: d"), "Authorization"),
        ((authority.pem, b"", b"Authorization: \xff"), "Authorization"),
    ):
        with pytest.raises(DecodeError, match=words):
            credentials(*parts)


def test_firmware_is_signed_as_the_documentation_says() -> None:
    """openssl dgst -sha512 -sign key.pem; the key's name is the CRC-32 of X and Y."""
    private = ec.generate_private_key(ec.SECP256R1())
    public = private.public_key()
    key = FirmwareKey(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    raw = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)[-64:]
    assert key.crc == crc32(raw)
    firmware = b"#!/bin/sh\n" * 100
    signature = private.sign(firmware, ec.ECDSA(SHA512()))
    assert key.is_signed(sha512(firmware).digest(), signature)
    assert not key.is_signed(sha512(firmware + b"x").digest(), signature)
    assert not key.is_signed(sha512(firmware).digest(), private.sign(firmware, ec.ECDSA(SHA256())))
    other = ec.generate_private_key(ec.SECP256R1())
    assert not key.is_signed(sha512(firmware).digest(), other.sign(firmware, ec.ECDSA(SHA512())))
    for junk in (b"", b"x", signature[:-1], signature + b"x", b"\x30" * 72):
        assert not key.is_signed(sha512(firmware).digest(), junk)


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP256K1()])
def test_keys_that_stations_cannot_check_with(curve: ec.EllipticCurve) -> None:
    public = ec.generate_private_key(curve).public_key()
    for pem in (public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), b"", b"nonsense"):
        with pytest.raises(DecodeError):
            FirmwareKey(pem)
