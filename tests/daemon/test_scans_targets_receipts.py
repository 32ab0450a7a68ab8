import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from torhaus.daemon.scans.targets.receipts import is_signed_for, signed_text

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
ID, SHA = "rathaus/3f2a91c0/7", "ab" * 32
GOOD = f"{ID} {SHA} {base64.b64encode(KEY.sign(signed_text(ID, SHA))).decode()}"


def test_a_receipt_is_for_one_document_by_one_receiver() -> None:
    assert is_signed_for(GOOD, PUBLIC, ID, SHA)
    assert not is_signed_for(GOOD, "00" * 32, ID, SHA)
    assert not is_signed_for(GOOD, PUBLIC, ID + "0", SHA)
    assert not is_signed_for(GOOD.replace(ID, ID + "0"), PUBLIC, ID + "0", SHA)
    assert not is_signed_for(GOOD.replace(SHA, "cd" * 32), PUBLIC, ID, "cd" * 32)


@pytest.mark.parametrize("field", [*(GOOD[:n] for n in range(len(GOOD))), GOOD + " ", GOOD + "A", "ü" * 99, " " * 9999])
def test_anything_else_is_none(field: str) -> None:
    assert not is_signed_for(field, PUBLIC, ID, SHA)
