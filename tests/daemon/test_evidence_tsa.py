import hashlib
import random
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.daemon.tsa import Authority, needs_openssl
from torhaus.daemon.evidence.config import is_installed
from torhaus.daemon.evidence.tsa import MAX_BYTES, NoStamp, Why, ask, judge, judge_by, read_roots

pytestmark = needs_openssl
ABOUT = b'{"root":1}'
IMPRINT = hashlib.sha256(ABOUT).hexdigest()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "good")


def why(response: bytes, good: Authority, imprint: str = IMPRINT, nonce: int | None = None) -> Why:
    with pytest.raises(NoStamp) as caught:
        judge(response, imprint, read_roots(good.ca), nonce)
    return caught.value.why


def test_question_and_answer(good: Authority) -> None:
    assert is_installed()
    question = ask(ABOUT)
    assert question.imprint == IMPRINT
    assert ask(ABOUT).nonce != question.nonce
    response = good.answer(question.request)
    roots = read_roots(good.ca)
    said = judge(response, IMPRINT, roots, question.nonce)
    assert said.imprint == IMPRINT
    assert judge(response, IMPRINT, roots, question.nonce, said.at + 299 * 10**9) == said
    with pytest.raises(NoStamp, match="time: -301 s"):
        judge(response, IMPRINT, roots, question.nonce, said.at + 301 * 10**9)
    assert why(response, good, nonce=question.nonce + 1) is Why.NONCE
    assert why(response, good, "00" * 32) is Why.IMPRINT
    assert why(response + b"\0", good) is Why.UNREADABLE
    assert why(bytes(MAX_BYTES + 1), good) is Why.TOO_LARGE
    assert judge_by(good.ca)(response, IMPRINT) is None
    assert judge_by(good.ca)(response, "00" * 32) == "imprint"


@pytest.mark.parametrize("use", ["soft", "web"])
def test_certificates_that_are_for_something_else(good: Authority, use: str) -> None:
    """OpenSSL refuses to sign with them: such a one is put into a good answer in place of the real one."""
    response = good.answer(ask(ABOUT).request)
    real = x509.load_pem_x509_certificate((good.folder / "tsa.pem").read_bytes())
    assert real.extensions.get_extension_for_class(x509.ExtendedKeyUsage).critical
    fake = x509.load_pem_x509_certificate((good.folder / f"{use}.pem").read_bytes())
    assert fake.serial_number == real.serial_number
    der, other = (cert.public_bytes(Encoding.DER) for cert in (real, fake))
    assert der in response
    assert why(response.replace(der, other), good) in {Why.UNTRUSTED, Why.UNREADABLE}


def test_certificates_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nonsense")
    for name in ("x.pem", "none.pem"):
        with pytest.raises(NoStamp, match="no_ca"):
            read_roots(tmp_path / name)


def test_whatever_comes_nothing_else_is_raised(good: Authority) -> None:
    response, roots, rng = good.answer(ask(ABOUT).request), read_roots(good.ca), random.Random(9)
    for end in range(0, len(response), 7):
        assert why(response[:end], good) is Why.UNREADABLE
    for _ in range(400):
        data = bytearray(response)
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            judge(bytes(data), IMPRINT, roots)
        except NoStamp:
            continue
