"""Configurations on disk for tests: written, loaded, their faults."""

from pathlib import Path

import pytest

from torhaus.daemon.config.load import ConfigFaults, Loaded, load

MINIMAL = '[site]\nid = "rathaus"\n'
KEY = "00112233445566778899aabbccddeeff"
EUI = "0011223344556677"


def config(folder: Path, **files: str) -> Path:
    """`torhaus.toml` and others; `conf_x` is conf.d/x.toml, keys are for their owner only."""
    for name, text in files.items():
        path = folder / (f"conf.d/{name[5:]}.toml" if name.startswith("conf_") else f"{name.replace('_', '.')}.toml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
    return folder / "torhaus.toml"


def loaded(folder: Path, **files: str) -> Loaded:
    return load(config(folder, **files))


def faults_of(folder: Path, **files: str) -> list[str]:
    with pytest.raises(ConfigFaults) as caught:
        loaded(folder, **files)
    assert KEY not in str(caught.value)
    return [str(fault).replace(f"{folder}/", "") for fault in caught.value.faults]
