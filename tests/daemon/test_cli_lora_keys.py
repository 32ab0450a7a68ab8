import argparse
from pathlib import Path

import pytest

from torhaus.codecs.lorawan.phy import parse
from torhaus.daemon.cli.lora_keys import NAMES, BadKeys, add_options, from_given, given_keys, on_command_line

KEY = "44024241ed4ce9a68c6a8bc055233fd3"
OTHER = "ec925802ae430ca77fd3dd73cb2cc588"
FRAME = parse(bytes.fromhex("40F17DBE4900020001954378762B11FF0D"))


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return parser.parse_args(list(words))


def file_of(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "keys.toml"
    path.touch(mode=mode)
    path.chmod(mode)
    path.write_text(text)
    return str(path)


def test_an_option_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = file_of(tmp_path, f'nwk_s_key = "{KEY}"\napp_s_key = "{KEY}"\napp_key = "{KEY}"\n')
    args = arguments("--keys-file", file, "--nwk-skey", OTHER)
    found = given_keys(args, {"TORHAUS_APP_S_KEY": OTHER, "TORHAUS_NWK_S_KEY": KEY})
    expected = {"nwk_s_key": OTHER, "app_s_key": OTHER, "app_key": KEY}
    assert {name: key.hex() for name, key in found.items()} == expected
    assert on_command_line(args)
    assert not on_command_line(arguments("--keys-file", file))


def test_every_key_has_an_option() -> None:
    words = [w for option in NAMES.values() for w in (option, KEY)]
    assert given_keys(arguments(*words), {}).keys() == NAMES.keys()


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        (f'nwk_s_key = "{KEY}"', 0o644, "chmod 600"),
        (f'nwkskey = "{KEY}"', 0o600, "has 'nwkskey', must have some of nwk_s_key"),
        ("nwk_s_key = 1", 0o600, "nwk_s_key: must be text of 32 hex digits"),
        ('nwk_s_key = "12"', 0o600, "nwk_s_key: must be 32 hex digits"),
        (f"nwk_s_key = {KEY}", 0o600, "must have lines like"),
        ("\x00", 0o600, "must have lines like"),
    ],
)
def test_files_of_no_keys(tmp_path: Path, text: str, mode: int, says: str) -> None:
    with pytest.raises(BadKeys, match=says) as e:
        given_keys(arguments("--keys-file", file_of(tmp_path, text, mode)), {})
    assert KEY not in str(e.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadKeys, match="No such file"):
        given_keys(arguments("--keys-file", str(tmp_path / "none")), {})


def test_both_versions() -> None:
    keys = dict.fromkeys(("f_nwk_s_int_key", "s_nwk_s_int_key", "nwk_s_enc_key", "app_s_key"), bytes(16))
    newer = from_given(keys, FRAME, dev_nonce=None, dev_eui=None, join_eui=None)
    assert newer.session is not None
    assert newer.session.version == "1.1"
    older = from_given({"nwk_s_key": bytes(16)}, FRAME, dev_nonce=None, dev_eui=None, join_eui=None)
    assert older.session is not None
    assert older.is_blind
    root = from_given({"app_key": bytes(16)}, FRAME, dev_nonce=7, dev_eui=1, join_eui=2).root
    assert root is not None
    assert (root.dev_nonce, root.dev_eui, root.join_eui) == (7, 1, 2)
