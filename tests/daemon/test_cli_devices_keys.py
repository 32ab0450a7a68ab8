"""Devices go out as they come in; keys only when somebody says so; a sealed list works like a plain one."""

import io
from pathlib import Path

import msgspec
import pytest

from torhaus.daemon.config.devices_csv import has_no_cell
from torhaus.daemon.config.load import load
from torhaus.daemon.main import main
from torhaus.daemon.simulate.identity import VERSIONS, Identity, identities

ABP = (
    '[[device]]\nname = "mast, north"\ndev_addr = "01234567"\ncodec = "elsys"\nplace = "Höhe; 3"\n'
    'tags = ["a", "b"]\nallow_fcnt_reset = true\n'
)
ABP_1_1 = '[[device]]\nname = "new"\ndev_eui = "0000000000000001"\ndev_addr = "01234568"\nlorawan = "1.1"\n'
SESSION = '["01234567"]\nnwk_s_key = "' + "1" * 32 + '"\napp_s_key = "' + "2" * 32 + '"\n["0000000000000001"]\n'
SESSION += "".join(
    f'{name} = "{n * 32}"\n'
    for n, name in zip("3456", ("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key"), strict=True)
)


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def known(tmp_path: Path) -> list[Identity]:
    """A site's lists."""
    found = identities(4, VERSIONS, 3)
    (tmp_path / "torhaus.toml").write_text('[site]\nid = "test"\n')
    (tmp_path / "devices.toml").write_text("".join(one.config() for one in found) + ABP + ABP_1_1)
    keys = tmp_path / "devices.keys.toml"
    keys.touch(mode=0o600)
    keys.write_text("".join(one.key_table() for one in found) + SESSION)
    return found


def go(folder: Path, *words: str) -> int:
    return main(["devices", words[0], "--config", str(folder / "torhaus.toml"), *words[1:]])


def hex_of(known: list[Identity]) -> list[str]:
    return [k.hex() for one in known for k in (one.app_key, one.nwk_key) if k is not None]


def test_without_keys(tmp_path: Path, known: list[Identity], capsys: pytest.CaptureFixture[str]) -> None:
    assert go(tmp_path, "export") == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].startswith("name,dev_eui,dev_addr,join_eui,codec,place,tags,lorawan,allow_fcnt_reset")
    assert len(said.splitlines()) == 7
    assert not any(key in said for key in hex_of(known))
    assert "key" not in said


def test_what_goes_out_comes_in_again(
    tmp_path: Path, known: list[Identity], capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "all.csv"
    assert go(tmp_path, "export", "--with-keys", "--yes", "--output", str(file)) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert go(tmp_path, "export", "--output", str(file)) == 73
    other = tmp_path / "other"
    other.mkdir()
    (other / "torhaus.toml").write_text('[site]\nid = "test"\n')
    assert go(other, "import", str(file)) == 0
    here, there = load(tmp_path / "torhaus.toml"), load(other / "torhaus.toml")
    assert (there.devices, there.keys) == (here.devices, here.keys)
    assert len(there.keys) == 6
    assert "cannot be written: File exists" in capsys.readouterr().err


def test_keys_are_asked_for(
    tmp_path: Path, known: list[Identity], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for stdin, code in ((io.StringIO("y\n"), 64), (Tty("n\n"), 1), (Tty("\n"), 1), (Tty("y\n"), 0)):
        monkeypatch.setattr("sys.stdin", stdin)
        assert go(tmp_path, "export", "--with-keys") == code
        said = capsys.readouterr()
        assert all((key in said.out) is (code == 0) for key in hex_of(known))
        assert ("say --yes" if code == 64 else "The keys of 6 devices") in said.err


def test_sealed_keys(tmp_path: Path, known: list[Identity], capsys: pytest.CaptureFixture[str]) -> None:
    keys, config, words = tmp_path / "devices.keys.toml", tmp_path / "torhaus.toml", tmp_path / "words"
    before = load(config).keys
    assert go(tmp_path, "seal") == 64
    assert "keys_passphrase_file" in capsys.readouterr().err
    words.touch(mode=0o600)
    words.write_text("a long passphrase\n")
    config.write_text('[site]\nid = "test"\n[devices]\nkeys_passphrase_file = "words"\n')
    assert load(config).keys == before  # in clear it is read as before
    assert [note for note in load(config).notes if "torhaus devices seal" in note]
    assert go(tmp_path, "seal") == 0
    sealed = keys.read_text()
    assert sealed.startswith("torhaus-sealed-1 ")
    assert not any(key in sealed for key in hex_of(known))
    assert keys.stat().st_mode & 0o777 == 0o600
    assert load(config).keys == before
    assert load(config).notes == []
    assert (
        go(tmp_path, "add", "--name", "more", "--dev-eui", "0000000000000009", "--keys-from", str(_keys(tmp_path))) == 0
    )
    assert keys.read_text().startswith("torhaus-sealed-1 ")
    assert load(config).keys.keys() == {*before, "more"}
    assert go(tmp_path, "unseal") == 64
    assert go(tmp_path, "unseal", "--yes") == 0
    assert "is in clear" in capsys.readouterr().out
    assert all(key in keys.read_text() for key in hex_of(known))
    assert load(config).keys.keys() == {*before, "more"}


def _keys(folder: Path) -> Path:
    path = folder / "new"
    path.write_text(f"app_key = {'9' * 32}\n")
    return path


def test_sealed_keys_that_cannot_be_opened(
    tmp_path: Path, known: list[Identity], capsys: pytest.CaptureFixture[str]
) -> None:
    config, words = tmp_path / "torhaus.toml", tmp_path / "words"
    words.touch(mode=0o600)
    words.write_text("a long passphrase")
    sealing = '[site]\nid = "test"\n[devices]\nkeys_passphrase_file = "words"\n'
    config.write_text(sealing)
    assert go(tmp_path, "seal") == 0
    capsys.readouterr()
    for text, passphrase, said in (
        ('[site]\nid = "test"\n', "", "is sealed: say keys_passphrase_file in [devices]"),
        (sealing, "another passphrase", "is sealed, and cannot be opened: another passphrase"),
        (sealing, "", "is empty"),
    ):
        config.write_text(text)
        words.write_text(passphrase)
        assert main(["check", "--config", str(config)]) == 78
        assert said in capsys.readouterr().out
    words.write_text("short")
    assert go(tmp_path, "unseal", "--yes") == 78


def test_what_a_csv_cannot_hold_is_named() -> None:
    class Setting(msgspec.Struct):
        a: int = 1

    class Whole(msgspec.Struct):
        name: str
        plain: str = "x"
        tags: tuple[str, ...] = ("a",)
        setting: Setting | None = None

    assert has_no_cell([Whole("one"), Whole("two", setting=Setting())]) == ["two: setting"]
