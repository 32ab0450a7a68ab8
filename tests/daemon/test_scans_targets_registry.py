import typing
from pathlib import Path

from torhaus.daemon.scans import targets
from torhaus.daemon.scans.config import FolderTarget, HttpTarget, Target
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.targets.registry import open_target

SAMPLES: dict[type, Target] = {
    FolderTarget: FolderTarget("archive", "/nonexistent"),
    HttpTarget: HttpTarget("central", "https://central.invalid/in"),
}


def test_every_kind_of_target_opens_without_touching_anything() -> None:
    assert set(SAMPLES) == set(typing.get_args(Target))
    for config in SAMPLES.values():
        target = open_target(config, Disk())
        for name in ("send", "stored", "close"):
            assert callable(getattr(target, name))


def test_every_kind_has_its_module_and_its_sample() -> None:
    assert targets.__file__ is not None
    here = Path(targets.__file__).parent
    samples = Path(__file__).parents[2] / "config" / "scans"
    for config in SAMPLES.values():
        kind = type(config).__struct_config__.tag
        assert (here / f"{kind}.py").exists()
        assert (samples / f"target-{kind}.toml").exists()
