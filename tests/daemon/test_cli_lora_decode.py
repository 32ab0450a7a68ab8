import argparse
import base64
import io
import json
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from torhaus.codecs.lorawan.build import build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.join import JoinAcceptBody, build_join_accept, build_join_request
from torhaus.daemon.cli import lora
from torhaus.daemon.cli.lora_decode import frame_of

FRAME = "40F17DBE4900020001954378762B11FF0D"  # from the tests of lora-packet
NWK = "44024241ed4ce9a68c6a8bc055233fd3"
APP = "ec925802ae430ca77fd3dd73cb2cc588"
ROOT = "00112233445566778899aabbccddeeff"
DEVICES = """
[[device]]
name = "sitzungssaal-co2"
dev_eui = "0011223344556677"
dev_addr = "49be7df1"
codec = "cayenne_lpp"
"""


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    lora.add(parser.add_subparsers())
    args = parser.parse_args(["lora", "decode", *arguments])
    code: int = args.run(args)
    return code


def configuration(folder: Path, keys: str = "") -> str:
    (folder / "torhaus.toml").write_text('[site]\nid = "rathaus"\n[lorawan]\nregion = "US915"\n')
    (folder / "devices.toml").write_text(DEVICES)
    file = folder / "devices.keys.toml"
    file.touch(mode=0o600)
    file.write_text(keys or f'[0011223344556677]\nnwk_s_key = "{NWK}"\napp_s_key = "{APP}"\napp_key = "{ROOT}"\n')
    return str(folder / "torhaus.toml")


def test_with_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(FRAME, "--nwk-skey", NWK, "--app-skey", APP) == 0
    out, err = capsys.readouterr()
    assert "UnconfirmedDataUp, 17 bytes" in out
    assert "49be7df1  (NetID 000024, type 0)" in out
    assert "74657374, 4 bytes" in out
    assert "2b11ff0d: right" in out
    assert "everybody on this machine can see keys" in err


def test_json(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORHAUS_NWK_S_KEY", NWK)
    monkeypatch.setenv("TORHAUS_APP_S_KEY", APP)
    assert run(FRAME, "--json") == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["fcnt"], found["payload"], found["mic_is"]) == (2, "74657374", "right")
    assert err == ""


def test_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("AAQDAgEEAwIBBQQDAgUEAwItEGqZDhI=\n"))
    assert run("-", "--app-key", "01" * 16) == 0
    assert "JoinEUI   0102030401020304" in capsys.readouterr().out


def test_a_wrong_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(FRAME, "--nwk-skey", "00" * 16) == 65
    out, err = capsys.readouterr()
    assert "2b11ff0d: wrong: other keys, or the frame was changed" in out
    assert "95437876, 4 bytes, encrypted" in out
    assert "without AppSKey the payload stays encrypted" in err


def test_without_the_application_key_no_payload_is_made_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(FRAME, "--nwk-skey", NWK) == 0
    assert "95437876, 4 bytes, encrypted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("4000",), 65, "refused: short: a data frame has at least 12 bytes, this one 2"),
        (("!!",), 64, "a frame is given in hexadecimal or in base64"),
        (("",), 64, "of at most 4096 characters"),
        (("00" * 4097,), 64, "of at most 4096 characters"),
        ((FRAME, "--app-skey", "12"), 64, "app_s_key: must be 32 hex digits"),
        ((FRAME, "--app-skey", APP), 64, "AppSKey alone"),
        ((FRAME, "--s-nwk-s-int-key", APP), 64, "also needs f_nwk_s_int_key, nwk_s_enc_key, app_s_key"),
        ((FRAME, "--app-key", APP, "--dev-eui", "12"), 64, "--dev-eui: an EUI-64 has 16 hex digits"),
    ],
)
def test_refusals(arguments: tuple[str, ...], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == code
    out, err = capsys.readouterr()
    assert (out, says in err) == ("", True)


def test_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("65536", "-1", "x"):
        with pytest.raises(SystemExit):
            run(FRAME, "--dev-nonce", text)
    assert "--dev-nonce" in capsys.readouterr().err


def test_with_the_devices_of_the_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configuration(tmp_path)
    keys = SessionKeys.v1_0(bytes.fromhex(NWK), bytes.fromhex(APP))
    up = build_uplink(keys, 0x49BE7DF1, 0x10007, 5, bytes.fromhex("01670110"))
    assert run(up.hex(), "--config", config) == 0
    out, err = capsys.readouterr()
    assert "sitzungssaal-co2" in out
    assert "7; 65543 with its upper half" in out
    assert '{"temperature_1":{"value":27.2,"unit":"Cel"}}' in out
    assert "SF10BW125" in out  # the slowest of US915
    assert err == ""
    assert run(up.hex(), "--config", config, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["device"], found["codec"]) == ("sitzungssaal-co2", "cayenne_lpp")


def test_a_payload_that_the_codec_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = SessionKeys.v1_0(bytes.fromhex(NWK), bytes.fromhex(APP))
    assert run(build_uplink(keys, 0x49BE7DF1, 1, 5, b"\x01\x67").hex(), "--config", configuration(tmp_path)) == 0
    assert "short: " in capsys.readouterr().out


def test_another_devices_frame(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = SessionKeys.v1_0(bytes(16), bytes(16))
    config = configuration(tmp_path)
    assert run(build_uplink(other, 0x49BE7DF1, 1, 5, b"x").hex(), "--config", config) == 0
    out, err = capsys.readouterr()
    assert "not checked: no key for it" in out
    assert "the address is that of sitzungssaal-co2, but the frame does not fit its keys" in err


def test_joins_of_a_configured_device(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configuration(tmp_path)
    request = build_join_request(bytes.fromhex(ROOT), 1, 0x0011223344556677, 7)
    assert run(request.hex(), "--config", config) == 0
    out = capsys.readouterr().out
    assert "sitzungssaal-co2" in out
    assert ": right" in out
    accept = build_join_accept(bytes.fromhex(ROOT), JoinAcceptBody(5, 0x13, 0x26000001, 0x02, 1, bytes(15) + b"\0"))
    assert run(accept.hex(), "--config", config, "--region", "eu868") == 0
    out = capsys.readouterr().out
    assert "sitzungssaal-co2" in out
    assert "DR2 (SF10BW125)" in out


def test_keys_that_only_the_service_may_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torhaus.daemon.config.load._is_closed", lambda _: True)
    config = configuration(tmp_path, "x")
    assert run(FRAME, "--config", config) == 0
    assert "only the service can read the devices' keys, so none is tried" in capsys.readouterr().err


def test_a_configuration_with_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "torhaus.toml").write_text('[lorawan]\nregion = "EU867"\n')
    assert run(FRAME, "--config", str(tmp_path / "torhaus.toml")) == 78
    assert "region" in capsys.readouterr().err
    assert run(FRAME, "--config", str(tmp_path / "none.toml")) == 0
    assert "no configuration" in capsys.readouterr().err


def test_session_keys_of_a_join(capsys: pytest.CaptureFixture[str]) -> None:
    accept = build_join_accept(bytes.fromhex(APP), JoinAcceptBody(0x376338, 0xAABBCC, 1, 0, 1))
    given = (accept.hex(), "--app-key", APP, "--show-keys")
    assert run(*given, "--dev-nonce", "0xf18e") == 0
    out = capsys.readouterr().out
    assert out.count("_s_key") == 2
    assert run(*given) == 0
    assert "--dev-nonce" in capsys.readouterr().out
    assert run(accept.hex(), "--app-key", APP, "--dev-nonce", "1") == 0
    assert "_s_key" not in capsys.readouterr().out  # not unless asked for


def test_base64_in_all_its_forms() -> None:
    data = bytes.fromhex(FRAME) + b"\xfb\xff"
    for text in (base64.b64encode(data), base64.urlsafe_b64encode(data), base64.b64encode(data).rstrip(b"=")):
        assert frame_of(text.decode()) == data
    for form in (FRAME, FRAME.lower(), "0x" + FRAME, "40:F1-7D BE4900020001954378762B11FF0D\n"):
        assert frame_of(form) == bytes.fromhex(FRAME)


def test_any_text_is_a_frame_or_a_usage_error() -> None:
    random = Random(5)
    for _ in range(2000):
        text = "".join(chr(random.choice((random.randrange(128), random.randrange(0x2FF)))) for _ in range(9))
        with suppress(ValueError):
            assert isinstance(frame_of(text), bytes)
