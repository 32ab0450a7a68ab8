from pathlib import Path

from torhaus.daemon.config.sample import find, samples, samples_folder


def test_the_samples_of_this_tree() -> None:
    assert samples_folder() == Path(__file__).resolve().parents[2] / "config"
    found = samples()
    assert next(iter(found)) == "torhaus"
    assert {"devices", "devices.keys", "drivers/sml", "forwarders/mqtt"} <= set(found)
    assert all(path.is_file() for path in found.values())


def test_what_people_mean(tmp_path: Path) -> None:
    for name in ("torhaus.toml", "a/x.toml", "b/x.toml", "b/y.toml", "devices.keys.toml.sample"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = samples(tmp_path)
    assert list(found) == ["torhaus", "a/x", "b/x", "b/y", "devices.keys"]
    assert find("a/x", found) == ["a/x"]
    assert find("y", found) == ["b/y"]
    assert find("x", found) == []  # which one?
    assert find("b", found) == find("b/", found) == ["b/x", "b/y"]
    assert find("devices.keys.toml", found) == ["devices.keys"]
    assert find("", found) == find("../x", found) == []
    assert samples(tmp_path / "a") == {"x": tmp_path / "a" / "x.toml"}
