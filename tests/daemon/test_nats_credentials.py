import base64
import binascii
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.daemon.nats_fakes import CONTEXT, build
from tests.peers import nats_server, run
from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.nats.credentials import Credentials, CredentialsError, Nkey, parse_creds


def text_of(prefix: bytes, body: bytes) -> str:
    data = prefix + body
    return base64.b32encode(data + binascii.crc_hqx(data, 0).to_bytes(2, "little")).decode().rstrip("=")


def seed(kind: int = 20 << 3, body: bytes = bytes(range(32))) -> str:
    return text_of(bytes((18 << 3 | kind >> 5, (kind & 31) << 3)), body)


SEED = seed()
JWT = "eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJ0b3JoYXVzIn0.c2ln-_"
CREDS = f"""-----BEGIN NATS USER JWT-----
{JWT}
------END NATS USER JWT------

************************* IMPORTANT *************************
-----BEGIN USER NKEY SEED-----
{SEED}
------END USER NKEY SEED------
"""


def test_a_seed_gives_its_key_and_signs() -> None:
    nkey = Nkey(f" {SEED}\n")
    public = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()
    assert SEED.startswith("SU")
    assert nkey.public == text_of(bytes((20 << 3,)), public.public_bytes_raw())
    assert nkey.public.startswith("U")
    signature = base64.urlsafe_b64decode(nkey.sign("nonce") + "==")
    Ed25519PublicKey.from_public_bytes(public.public_bytes_raw()).verify(signature, b"nonce")
    assert SEED not in repr(nkey)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "check sum"),
        ("x", "no nkey seed"),
        ("SUÄ", "no nkey seed"),
        (SEED[:-1] + ("A" if SEED[-1] != "A" else "B"), "no nkey seed|check sum"),
        (SEED[:-8], "length or check sum|no nkey seed"),
        (seed(0), "no seed of a user"),
        (text_of(bytes((20 << 3, 0)), bytes(32)), "no seed of a user"),
    ],
)
def test_what_is_no_seed(text: str, says: str) -> None:
    with pytest.raises(CredentialsError, match=says) as caught:
        Nkey(text)
    assert len(text) < 4 or text not in str(caught.value)


def test_a_credentials_file() -> None:
    found = parse_creds(CREDS.replace("\n", "\r\n"))
    assert found.jwt == JWT
    answer = found.answer("abc")
    assert set(answer) == {"jwt", "sig"}
    assert JWT not in repr(found)
    for wrong in ("", SEED, CREDS.replace("NKEY", "KEY"), CREDS.replace("JWT", "X")):
        with pytest.raises(CredentialsError, match="no credentials file"):
            parse_creds(wrong)


def test_what_is_told_to_the_server() -> None:
    assert Credentials().answer("") == {}
    assert Credentials(username="a", password="b").answer("n") == {"user": "a", "pass": "b"}
    assert Credentials(token="t").answer("n") == {"auth_token": "t"}
    assert set(Credentials(nkey=Nkey(SEED)).answer("n")) == {"nkey", "sig"}
    with pytest.raises(CredentialsError, match="sent no nonce"):
        Credentials(nkey=Nkey(SEED)).answer("")


@pytest.mark.parametrize("way", ["nkey", "token"])
def test_a_real_server_lets_in_whom_it_knows(tmp_path: Path, way: str) -> None:
    known = Nkey(SEED).public
    lines = {"nkey": f"authorization {{ users: [ {{ nkey: {known} }} ] }}", "token": "authorization { token: geheim }"}
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)

    async def main(port: int) -> None:
        made = build(port, CONTEXT, **{f"{way}_file": str(secret)})
        for content, lets_in in ((SEED if way == "nkey" else "geheim", True), (seed(body=bytes(32)), False)):
            secret.write_text(content)
            if lets_in:
                await made.open()
            else:
                with pytest.raises(Unavailable, match="Authorization Violation; check user"):
                    await made.open()
        secret.chmod(0o644)
        with pytest.raises(Unavailable, match=rf"{way}_file cannot be used: .* can be read by others"):
            await made.open()

    with nats_server(tmp_path, lines[way]) as port:
        run(main(port))
