from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from torhaus.daemon.scans import evidence
from torhaus.daemon.scans.disk import Disk


def test_the_head_is_signed_with_a_key_of_our_own(tmp_path: Path) -> None:
    signer = evidence.Signer(tmp_path, Disk())
    assert (tmp_path / "evidence.key").stat().st_mode & 0o777 == 0o600
    assert signer.recorded() is None
    signer.record(evidence.Head("3f2a91c0", 9, "ab" * 32, 5))
    again = evidence.Signer(tmp_path, Disk())
    head = again.recorded()
    assert head is not None
    assert (head.seq, head.key) == (9, again.public)
    assert evidence.signature_good(head)
    assert not evidence.signature_good(msgspec.structs.replace(head, seq=8))
    assert not evidence.signature_good(head, "00" * 32)
    assert not evidence.signature_good(msgspec.structs.replace(head, signature="zz"))
    assert {path.name for path in tmp_path.iterdir()} == {"evidence.key", "evidence.head"}


def pem(key: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def test_a_key_of_ones_own(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    for n, content in enumerate((pem(key), key.private_bytes_raw().hex().encode() + b"\n")):
        path = tmp_path / str(n)
        path.touch(0o600)
        path.write_bytes(content)
        assert evidence.Signer(tmp_path, Disk(), str(path)).public == key.public_key().public_bytes_raw().hex()
    assert not (tmp_path / "evidence.key").exists()


@pytest.mark.parametrize("content", [b"", b"abc", b"0" * 63, pem(X25519PrivateKey.generate()), b"\xff" * 64])
def test_what_is_no_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(evidence.KeyUnusable, match="key_file"):
        evidence.Signer(tmp_path, Disk(), str(path))
    (tmp_path / "evidence.key").write_bytes(b"short")
    with pytest.raises(evidence.KeyUnusable, match="is no key"):
        evidence.Signer(tmp_path, Disk())


def test_a_key_that_everybody_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("00" * 32)
    path.chmod(0o644)
    with pytest.raises(evidence.KeyUnusable):
        evidence.Signer(tmp_path, Disk(), str(path))
