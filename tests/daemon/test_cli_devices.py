import argparse
import io
import json
import os
import stat
from pathlib import Path

import pytest

from torhaus.daemon.cli import devices

EUI = "0011223344556677"
KEY, OTHER = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
CSV = f"""Name;DevEUI;DevAddr;Codec;Place;Tags;NwkSKey;AppSKey
Büro;A8-17-58-FF-FE-03-12-AB;26011234;elsys;1. OG;co2|eg;{KEY};{OTHER}
Keller;0011223344556677;;cayenne_lpp;UG;;;
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "torhaus.toml").write_text('[site]\nid = "x"\n', encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    devices.add(parser.add_subparsers())
    args = parser.parse_args(["devices", *arguments, "--config", str(folder / "torhaus.toml")])
    code: int = args.run(args)
    return code


def text(folder: Path) -> str:
    return (folder / "devices.toml").read_text(encoding="utf-8")


def test_add_list_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = folder / "keys.txt"
    keys.write_text(f"nwk_s_key = {KEY}\napp_s_key = {OTHER}\n")
    add = ["add", "--name", "co2", "--dev-eui", EUI, "--dev-addr", "26:01:12:34", "--codec", "elsys", "--place", "EG"]
    assert run(folder, *add, "--tag", "a", "--tag", "b", "--keys-from", str(keys)) == os.EX_OK
    assert run(folder, "add", "--name", "meter") == os.EX_OK
    assert stat.S_IMODE((folder / "devices.keys.toml").stat().st_mode) == 0o600
    capsys.readouterr()
    assert run(folder, "list") == os.EX_OK
    out = capsys.readouterr().out
    assert out == (
        "NAME   DEVEUI            DEVADDR   CODEC  PLACE\n"
        f"co2    {EUI}  26011234  elsys  EG\n"
        "meter  -                 -         -      -\n"
    )
    assert run(folder, "list", "--json") == os.EX_OK
    listed = capsys.readouterr().out
    assert [(d["name"], d["dev_eui"], d["tags"]) for d in json.loads(listed)] == [
        ("co2", EUI, ["a", "b"]),
        ("meter", None, []),
    ]
    assert KEY not in listed
    assert run(folder, "check") == os.EX_OK
    assert capsys.readouterr().out == "OK: 2 devices, 1 with keys\n"


def test_keys_from_standard_input(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"app_key={KEY}".encode())))
    assert run(folder, "add", "--name", "a", "--dev-eui", EUI, "--keys-from", "-") == os.EX_OK
    assert (folder / "devices.keys.toml").read_text() == f'[{EUI}]\napp_key = "{KEY}"\n'


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["--name", "a/b"], "arguments:1: device[a/b].name: "),
        (["--name", "a", "--codec", "x"], "arguments:1: device[a].codec: "),
        (["--name", "a", "--dev-addr", "26011234"], "arguments:1: device[a].dev_addr: has no session keys"),
        (["--name", "a", "--keys-from", "KEYS"], "arguments:1: dev_eui: is missing: there are keys"),
        (["--name", "a", "--dev-eui", EUI, "--keys-from", "BAD"], "BAD:1: keys: must be a line such as"),
    ],
)
def test_what_is_wrong_is_not_added(
    folder: Path, arguments: list[str], fault: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    Path("KEYS").write_text(f"app_key = {KEY}\n")
    Path("BAD").write_text(KEY)
    assert run(folder, "add", *arguments) == os.EX_CONFIG
    out, err = capsys.readouterr()
    assert out.startswith(fault)
    assert KEY not in out + err
    assert not (folder / "devices.toml").exists()


def test_import(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "list.csv").write_bytes(CSV.encode("cp1252"))
    assert run(folder, "import", str(folder / "list.csv")) == os.EX_OK
    assert "added 2 devices to " in capsys.readouterr().out
    assert text(folder).count("[[device]]") == 2
    assert 'name = "Büro"' in text(folder)
    before = text(folder)
    assert run(folder, "import", str(folder / "list.csv")) == os.EX_CONFIG
    out = capsys.readouterr().out
    assert f"{folder}/list.csv:2: device[Büro].name: " in out
    assert f"{folder}/list.csv:3: device[Keller].dev_eui: " in out
    assert (KEY in out, OTHER in out) == (False, False)
    assert text(folder) == before


def test_one_bad_row_and_nothing_is_imported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "list.csv").write_text(CSV.replace("cayenne_lpp", "cayene_lpp"), encoding="utf-8-sig")
    assert run(folder, "import", str(folder / "list.csv")) == os.EX_CONFIG
    assert capsys.readouterr().out.startswith(f'{folder}/list.csv:3: device[Keller].codec: is "cayene_lpp"')
    assert sorted(p.name for p in folder.iterdir()) == ["list.csv", "torhaus.toml"]


def test_other_parts_of_the_configuration_may_be_wrong(folder: Path) -> None:
    (folder / "torhaus.toml").write_text('[[forwarder]]\ntype = "nobody"\n')
    assert run(folder, "add", "--name", "a") == os.EX_OK
    assert run(folder, "list") == os.EX_OK


def test_exit_codes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "import", str(folder / "none.csv")) == os.EX_IOERR
    (folder / "torhaus.toml").write_text('[devices]\nfile = "none/devices.toml"\n')
    assert run(folder, "list") == os.EX_CONFIG
    assert "none/devices.toml:1: file: cannot be read" in capsys.readouterr().out
    (folder / "torhaus.toml").write_text("[devices]\nfile = 3\n")
    assert run(folder, "check") == os.EX_CONFIG
    (folder / "torhaus.toml").write_text("[devices\n")
    assert run(folder, "check") == os.EX_CONFIG


def test_a_list_that_cannot_be_written(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("torhaus.daemon.config.devices_edit.replace_file", full)
    assert run(folder, "add", "--name", "a") == os.EX_CANTCREAT
    assert capsys.readouterr().err.endswith("devices.toml cannot be written: No space left on device\n")


def test_faults_of_the_lists_are_shown_instead_of_half_a_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "devices.toml").write_text('[[device]]\nname = "a"\n[[device]]\nname = "a"\n')
    for command in ("list", "check"):
        assert run(folder, command) == os.EX_CONFIG
        assert capsys.readouterr().out == (
            f'{folder}/devices.toml:4: device[a].name: is "a", as of another device ({folder}/devices.toml:2)\n'
        )


QR = "LW:D0:1122334455667788:0011223344556677:AABB1122"


def test_from_the_qr_code_on_the_device(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(folder, "add", "--name", "a", "--qr", QR, "--dev-eui", "00-11-22-33-44-55-66-77") == os.EX_OK
    assert text(folder) == f'[[device]]\nname = "a"\ndev_eui = "{EUI}"\njoin_eui = "1122334455667788"\n'
    capsys.readouterr()
    assert run(folder, "add", "--name", "b", "--qr", QR, "--join-eui", EUI) == os.EX_CONFIG
    assert "join_eui: is another one than on the QR code" in capsys.readouterr().out
    assert run(folder, "add", "--name", "b", "--qr", "https://example.org") == os.EX_CONFIG
    assert capsys.readouterr().out == "arguments:1: qr: cannot be read: a QR code of a device begins with LW:D0:\n"
