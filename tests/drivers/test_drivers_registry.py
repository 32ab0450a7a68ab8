from importlib.metadata import EntryPoint

import pytest

from torhaus.drivers import registry, sml


def claim(monkeypatch: pytest.MonkeyPatch, *points: tuple[str, str]) -> None:
    """Have other packages' entry points."""
    found = [EntryPoint(name, value, registry.GROUP) for name, value in points]

    def entry_points(*, group: str, name: str | None = None) -> list[EntryPoint]:
        assert group == "torhaus.drivers"
        return [point for point in found if name is None or point.name == name]

    monkeypatch.setattr(registry, "entry_points", entry_points)


def test_a_type_is_a_module() -> None:
    assert registry.load("sml").Config is sml.Config


def test_no_such_type() -> None:
    with pytest.raises(KeyError):
        registry.load("none")


def test_third_parties_add_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    claim(monkeypatch, ("theirs", "torhaus.drivers.sml"))
    assert registry.load("theirs").Config is sml.Config
    assert registry.names() == sorted({*registry.DRIVERS, "theirs"})


def test_they_cannot_replace_one_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    claim(monkeypatch, ("sml", "json"))
    assert registry.load("sml").Config is sml.Config


def test_two_that_claim_the_same_type(monkeypatch: pytest.MonkeyPatch) -> None:
    claim(monkeypatch, ("theirs", "json"), ("theirs", "torhaus.drivers.sml"))
    with pytest.raises(ImportError, match=r"'theirs' is claimed by json, torhaus\.drivers\.sml"):
        registry.load("theirs")


@pytest.mark.parametrize(
    "value", ["json", "torhaus.drivers.base", "torhaus.drivers.none", "torhaus.drivers.sml:Listener"]
)
def test_one_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    claim(monkeypatch, ("theirs", value))
    with pytest.raises(ImportError):
        registry.load("theirs")
