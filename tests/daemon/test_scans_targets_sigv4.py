"""Against the examples of AWS's own documentation ("Examples: Signature Calculations", S3 API Reference)."""

from torhaus.daemon.scans.targets.sigv4 import EMPTY_SHA256, Signer

SIGNER = Signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
HOST = "https://examplebucket.s3.amazonaws.com"
AT = "20130524T000000Z"


def signature(method: str, url: str, headers: dict[str, str], body_sha256: str = EMPTY_SHA256) -> str:
    return SIGNER.sign(method, url, headers, AT, body_sha256)["Authorization"].rpartition("Signature=")[2]


def test_get_an_object() -> None:
    signed = SIGNER.sign("GET", f"{HOST}/test.txt", {"Range": "bytes=0-9"}, AT)
    assert signed["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
    assert signed["x-amz-date"] == AT
    assert signed["x-amz-content-sha256"] == EMPTY_SHA256


def test_put_an_object() -> None:
    headers = {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"}
    body = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
    found = signature("PUT", f"{HOST}/test%24file.text", headers, body)
    assert found == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"


def test_queries() -> None:
    found = signature("GET", f"{HOST}?lifecycle", {})
    assert found == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
    found = signature("GET", f"{HOST}?prefix=J&max-keys=2", {})
    assert found == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"


def test_the_secret_is_not_shown() -> None:
    assert "wJalr" not in repr(SIGNER)
    assert "wJalr" not in str(SIGNER)
