"""What holds for every driver in the registry. A new driver is tested by being there: one line, a sample, a capture."""

import asyncio
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.drivers.fakes import FakeHost, advance, run
from torhaus.daemon.config.model import DriverCommon
from torhaus.drivers.base import DriverGone, LinkChanged
from torhaus.drivers.capture import read_capture
from torhaus.drivers.registry import DRIVERS, load

ROOT = Path(__file__).parents[2]
CAPTURES = Path(__file__).parent / "captures"

every_driver = pytest.mark.parametrize("type_", sorted(DRIVERS))


def keys_of(type_: str) -> set[str]:
    return {field.name for field in msgspec.structs.fields(load(type_).Config)}


linked = [type_ for type_ in sorted(DRIVERS) if "link" in keys_of(type_)]
every_linked_driver = pytest.mark.parametrize("type_", linked)
every_listening_driver = pytest.mark.parametrize("type_", [t for t in linked if not getattr(load(t), "ASKS", False)])
"""Those whose devices speak by themselves, so that a capture is all there is; the others have conversations to test."""


def sample(type_: str) -> str:
    return (ROOT / "config" / "drivers" / f"{type_}.toml").read_text("utf-8")


def parse(text: str) -> dict[str, Any]:
    """The one driver that a config text has."""
    (table,) = tomllib.loads(text)["driver"]
    assert isinstance(table, dict)
    return table


def replay(type_: str, query: str = "") -> msgspec.Struct:
    """The sample's config with its link turned to the driver's capture."""
    return msgspec.convert(parse(sample(type_)) | {"link": f"replay:{CAPTURES}/{type_}.cap{query}"}, load(type_).Config)


@every_driver
def test_it_has_config_open_and_a_sample(type_: str) -> None:
    module = load(type_)
    assert module.__doc__
    assert {"name", "type"} <= keys_of(type_)
    config = msgspec.convert(parse(sample(type_)), module.Config)
    assert getattr(config, "type") == type_  # noqa: B009 - each Config has it, Struct itself has not
    with pytest.raises(AttributeError):
        config.name = "other"  # type: ignore[attr-defined]
    assert asyncio.iscoroutinefunction(module.open(config).run)


@every_driver
def test_an_unknown_key_is_refused(type_: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="no_such_key"):
        msgspec.convert(parse(sample(type_)) | {"no_such_key": 1}, load(type_).Config)


@every_driver
def test_commented_values_in_the_sample_are_the_defaults(type_: str) -> None:
    text = sample(type_)
    own = text.partition("[[driver]]")[2]
    own = re.split(r"^# \[", own, maxsplit=1, flags=re.MULTILINE)[0]  # tables in a table have keys of their own
    shown = re.sub(r"^# (?!.*# not set)([a-z_]+ = )", r"\1", own, flags=re.MULTILINE)  # the others are examples
    config = load(type_).Config
    table = parse("[[driver]]" + shown)
    of_all = {key: table.pop(key) for key in DriverCommon.__struct_fields__ if key in table and key not in parse(text)}
    assert msgspec.convert(table, config) == msgspec.convert(parse(text), config)
    assert msgspec.convert({"name": "x", "type": type_, **of_all}, DriverCommon) == DriverCommon(name="x", type=type_)
    missing = {
        key for key in keys_of(type_) if not re.search(rf"^(# )?(\[{{1,2}}driver\.)?{key}\b", text, re.MULTILINE)
    }
    assert not missing, "keys that the sample does not show"


@every_listening_driver
def test_frames_come_from_a_capture_and_its_end_is_a_loss(type_: str) -> None:
    async def main() -> None:
        host = FakeHost()
        with pytest.raises(DriverGone, match="the capture has ended"):
            await load(type_).open(replay(type_)).run(host)
        assert host.frames
        config = replay(type_)
        for frame in host.frames:
            assert frame.driver == getattr(config, "name")  # noqa: B009
            assert frame.device == getattr(config, "device", None)
        sent = sum(len(chunk.data) for chunk in read_capture(CAPTURES / f"{type_}.cap"))
        kept = sum(len(frame.data) for frame in host.frames) + sum(len(reject.data) for reject in host.rejects)
        assert 0 < kept <= sent
        assert [event.up for event in host.events if isinstance(event, LinkChanged)] == [True, False]

    run(main())


@every_listening_driver
def test_after_a_loss_it_can_be_run_again(type_: str) -> None:
    async def main() -> None:
        driver, runs = load(type_).open(replay(type_)), list[list[bytes]]()
        for _ in range(3):
            host = FakeHost()
            with pytest.raises(DriverGone):
                await driver.run(host)
            runs.append([frame.data for frame in host.frames])
        assert runs[0] == runs[1] == runs[2]

    run(main())


@every_listening_driver
def test_chunks_do_not_matter(type_: str, tmp_path: Path) -> None:
    """The capture byte by byte, and all at once, gives the same frames."""
    data = b"".join(chunk.data for chunk in read_capture(CAPTURES / f"{type_}.cap"))

    async def main() -> None:
        runs = []
        for name, each in (("bytes", 1), ("whole", len(data))):
            path = tmp_path / name
            path.write_text("".join(f"0 {data[at : at + each].hex()}\n" for at in range(0, len(data), each)))
            host, config = FakeHost(), msgspec.structs.replace(replay(type_), link=f"replay:{path}")
            with pytest.raises(DriverGone):
                await load(type_).open(config).run(host)
            runs.append(([f.data for f in host.frames], [(r.data, r.reason) for r in host.rejects]))
        assert runs[0] == runs[1]

    run(main())


@every_linked_driver
def test_a_device_that_is_not_there_is_a_loss_that_says_why(type_: str) -> None:
    async def main() -> None:
        host, config = FakeHost(), msgspec.structs.replace(replay(type_), link="serial:///dev/torhaus-none")
        with pytest.raises(DriverGone, match="no such port"):
            await load(type_).open(config).run(host)
        assert host.frames == []
        (event,) = host.events
        assert isinstance(event, LinkChanged)
        assert not event.up
        assert "no such port" in event.detail

    run(main())


@every_listening_driver
def test_to_be_cancelled_is_the_end(type_: str) -> None:
    async def main() -> None:
        host = FakeHost()
        running = asyncio.create_task(load(type_).open(replay(type_, "?speed=1")).run(host))
        await host.until_events(1)
        await advance(0)
        running.cancel()
        await asyncio.wait([running])
        assert running.cancelled()

    run(main())
