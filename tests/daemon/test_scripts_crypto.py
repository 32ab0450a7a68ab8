"""`require("crypto")`: AES against the standards' own examples, and against Node.js where it is installed."""

import json
import shutil
import subprocess

import pytest

from tests.daemon.scripts_fakes import Bench
from torhaus.daemon.scripts.protocol import Limits

KEY = "2b7e151628aed2a6abf7158809cf4f3c"
BLOCK = "6bc1bee22e409f96e93d7e117393172a"
IV = "000102030405060708090a0b0c0d0e0f"
KEY_256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"

MANY = """
const c = require("crypto"); const out = [];
const bytes = (n, of) => Buffer.from(Array.from({ length: n }, (_, i) => of(i) & 255));
for (const bits of [128, 192, 256]) for (const mode of ["ecb", "cbc", "ctr"])
  for (const n of [0, 1, 15, 16, 17, 40]) for (const pad of [true, false]) {
    const key = bytes(bits / 8, (i) => i * 7), iv = mode === "ecb" ? null : bytes(16, (i) => (i < 3 ? 1 : 255));
    const data = bytes(n, (i) => i);
    try {
      const x = c.createCipheriv(`aes-${bits}-${mode}`, key, iv); x.setAutoPadding(pad);
      const made = Buffer.concat([x.update(data.subarray(0, 7)), x.update(data.subarray(7)), x.final()]);
      const y = c.createDecipheriv(`aes-${bits}-${mode}`, key, iv); y.setAutoPadding(pad);
      out.push(made.toString("hex"), y.update(made, undefined, "hex") + y.final("hex"));
    } catch (e) { out.push(e.name + e.code); }
  }
for (const tag of [4, 8, 16]) for (const nonce of [7, 13]) for (const aad of [0, 5, 20]) for (const n of [1, 5, 33]) {
  const key = bytes(16, (i) => i), iv = bytes(nonce, () => 3);
  const data = bytes(n, (i) => i * 3), more = bytes(aad, () => 1);
  const x = c.createCipheriv("aes-128-ccm", key, iv, { authTagLength: tag }); x.setAAD(more, { plaintextLength: n });
  const made = x.update(data); x.final(); const seal = x.getAuthTag();
  out.push(made.toString("hex") + seal.toString("hex"));
  for (const spoilt of [0, 1]) {
    seal[0] ^= spoilt;
    const y = c.createDecipheriv("aes-128-ccm", key, iv, { authTagLength: tag });
    y.setAuthTag(seal); y.setAAD(more, { plaintextLength: n });
    try { const text = y.update(made).toString("hex"); y.final(); out.push(text); } catch (e) { out.push("refused"); }
  }
}
"""


def ask(body: str) -> object:
    bench = Bench()
    bench.add("it.js", f"const crypto = require('node:crypto'); function decodeUplink() {{ {body} }}")
    return bench.values("it.js")["a"]


def crypt(how: str, mode: str, key: str, iv: str | None, text: str) -> object:
    start = f"Buffer.from('{iv}', 'hex')" if iv else "null"
    return ask(
        f"const x = crypto.create{how}iv('{mode}', Buffer.from('{key}', 'hex'), {start}); x.setAutoPadding(false);"
        f"return {{data: {{a: x.update('{text}', 'hex', 'hex') + x.final('hex')}}}};"
    )


@pytest.mark.parametrize(
    ("mode", "key", "iv", "sealed"),
    [  # NIST SP 800-38A, appendix F: F.1.1, F.1.5, F.2.1, F.5.1
        ("aes-128-ecb", KEY, None, "3ad77bb40d7a3660a89ecaf32466ef97"),
        ("aes-256-ecb", KEY_256, None, "f3eed1bdb5d2a03c064b5a7e3db181f8"),
        ("aes-128-cbc", KEY, IV, "7649abac8119b246cee98e9b12e9197d"),
        ("aes-128-ctr", KEY, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "874d6191b620e3261bef6864990db6ce"),
    ],
)
def test_standards(mode: str, key: str, iv: str | None, sealed: str) -> None:
    assert crypt("Cipher", mode, key, iv, BLOCK) == sealed
    assert crypt("Decipher", mode, key, iv, sealed) == BLOCK


def test_ccm() -> None:
    """NIST SP 800-38C, example 1."""
    body = """const x = crypto.createCipheriv("aes-128-ccm", Buffer.from("404142434445464748494a4b4c4d4e4f", "hex"),
        Buffer.from("10111213141516", "hex"), {authTagLength: 4});
        x.setAAD(Buffer.from("0001020304050607", "hex"), {plaintextLength: 4});
        const made = x.update("20212223", "hex", "hex"); x.final();
        return {data: {a: made + x.getAuthTag().toString("hex")}};"""
    assert ask(body) == "7162015b4dac255d"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("crypto.randomBytes(3)", "crypto.randomBytes is not available to scripts"),
        ("crypto.createCipheriv('des', 'k', '')", "des is not available"),
        ("crypto.createCipheriv('aes-128-ecb', Buffer.alloc(5), null)", "Invalid key length"),
        ("crypto.createCipheriv('aes-128-cbc', Buffer.alloc(16), Buffer.alloc(3))", "Invalid initialization vector"),
        ("crypto.createCipheriv('aes-128-ccm', Buffer.alloc(16), Buffer.alloc(13))", "authTagLength required"),
        ("crypto.createCipheriv('aes-128-ecb', 16, null)", "must be a string or bytes"),
    ],
)
def test_what_is_refused(body: str, said: str) -> None:
    assert said in str(ask(f"try {{ {body} }} catch (e) {{ return {{data: {{a: e.message}}}}; }}"))


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_like_node() -> None:
    answer = subprocess.run(
        ["node", "-"], input=MANY + "console.log(JSON.stringify(out));", capture_output=True, text=True, check=True
    )
    bench = Bench(Limits(load_s=60))  # hundreds of them, all while it is loaded
    bench.add("it.js", f"{MANY} function decodeUplink() {{ return {{data: out}}; }}")
    assert list(bench.values("it.js").values()) == json.loads(answer.stdout)
