"""Documents of strangers: YAML 1.2's own types, no aliases, bounded, and one kind of refusal."""

import contextlib
import random
from pathlib import Path

import pytest

from torhaus.daemon.catalogue import documents
from torhaus.daemon.catalogue.documents import Unreadable, read

YAML = """
state: off
yes: y
when: 2026-01-02
none: ~
right: True
hex: 0x1F
octal: 0o17
plain: 017
time: 1:30
float: -1.5e3
bare: .5
version: '1.0'
"""


def write(folder: Path, text: str | bytes, name: str = "a.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_yaml_1_2(tmp_path: Path) -> None:
    assert read(write(tmp_path, YAML)) == {
        "state": "off", "yes": "y", "when": "2026-01-02", "none": None, "right": True, "hex": 31, "octal": 15,
        "plain": 17, "time": "1:30", "float": -1500.0, "bare": 0.5, "version": "1.0",
    }  # fmt: skip


def test_others(tmp_path: Path) -> None:
    assert read(write(tmp_path, '{"a": 1}', "a.json")) == {"a": 1}
    assert read(write(tmp_path, "a = 1", "a.toml")) == {"a": 1}
    assert read(write(tmp_path, "a = 2026-01-02\nb = inf", "a.toml")) == {"a": "2026-01-02", "b": None}
    assert read(write(tmp_path, "1: !!set {b: }")) == {"1": ["b"]}


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.yaml", "a: &x [1]\nb: [*x, *x]", "aliases"),
        ("a.yaml", "a: !!python/object/apply:os.system ['true']", "line 1"),
        ("a.yaml", "a: [", "line "),
        ("a.yaml", b"\xff\xfe\xfd", "not UTF-8"),
        ("a.yaml", "[" * 20_000, ""),
        ("a.json", "[" * 20_000, ""),
        ("a.json", "{]", "a.json"),
        ("a.toml", "a = ", "a.toml"),
        ("a.yaml", "a: !!bool maybe", "not what its tag says"),
        ("a.yaml", "a: !!timestamp soon", "not what its tag says"),
        ("a.yaml", "2.5: {~: [{}]}", "a.yaml"),
        ("none.yaml", None, "not there"),
    ],
)
def test_unreadable(tmp_path: Path, name: str, data: str | bytes | None, why: str) -> None:
    path = tmp_path / name if data is None else write(tmp_path, data, name)
    with pytest.raises(Unreadable) as caught:
        read(path)
    assert why in str(caught.value)


def test_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_BYTES", 10)
    with pytest.raises(Unreadable, match="larger than 10"):
        read(write(tmp_path, "a: 12345678901"))


def test_only_refusals_leave_it(tmp_path: Path) -> None:
    chance = random.Random(20261126)
    for _ in range(300):
        text = list(YAML)
        for _ in range(chance.randrange(1, 8)):
            text[chance.randrange(len(text))] = chance.choice("[]{}:&*!|>%@`\"'\t\0é-,?#")
        with contextlib.suppress(Unreadable):
            read(write(tmp_path, "".join(text)))
