"""Whose turn it is on a bus, and that nobody is forgotten or talked over."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from tests.drivers.fakes import SECOND_NS, FakeHost, FakeLink, run
from torhaus.drivers import polling
from torhaus.drivers.base import DeviceChanged, DriverGone, LinkChanged
from torhaus.drivers.link import Link, LinkSpec, parse_link
from torhaus.drivers.polling import MAX_STRETCH, Bus, NoAnswer, Rhythm, Schedule

SPEC = parse_link("tcp://127.0.0.1:1")


def schedule(names: str, rhythm: Rhythm, rand: float = 0.0) -> Schedule:
    return Schedule(names, rhythm, 0, lambda: rand)


def test_aligned_to_the_quarter_of_an_hour() -> None:
    s = schedule("a", Rhythm(900))
    assert s.next() == ("a", 0), "at once after the start"
    wall_s = 1_700_000_123
    assert s.answered("a", 7 * SECOND_NS, wall_s * SECOND_NS)
    _, due_ns = s.next()
    assert (wall_s + due_ns // SECOND_NS - 7) % 900 == 0
    assert 0 < due_ns // SECOND_NS - 7 <= 900
    on_time_ns = due_ns
    s.answered("a", on_time_ns, 1_700_000_100 * SECOND_NS)  # the clock was set: 100 is a full quarter
    assert s.next() == ("a", on_time_ns + 900 * SECOND_NS)


def test_not_aligned_and_with_jitter() -> None:
    s = schedule("a", Rhythm(60, align=False, jitter_s=10), rand=0.5)
    s.answered("a", 3 * SECOND_NS, 1_700_000_123 * SECOND_NS)
    assert s.next() == ("a", 68 * SECOND_NS)


def test_a_dead_one_is_asked_less_often_and_at_once_again_when_it_is_back() -> None:
    s = schedule("a", Rhythm(60, align=False))
    now, pauses, news = 0, [], []
    for _ in range(9):
        news.append(s.failed("a", now, now))
        pauses.append((s.next()[1] - now) // SECOND_NS)
        now = s.next()[1]
    assert pauses == [60, 60, 120, 240, 480, 960, 960, 960, 960]
    assert pauses[-1] == MAX_STRETCH * 60
    assert news == [True] + [False] * 8
    assert s.is_up("a") is False
    assert s.answered("a", now, now)
    assert s.next()[1] - now == 60 * SECOND_NS


@pytest.mark.parametrize("interval_s", [900.0, 86_400.0])
def test_a_long_interval_is_stretched_to_an_hour_at_most(interval_s: float) -> None:
    s = schedule("a", Rhythm(interval_s, align=False))
    for _ in range(20):
        s.failed("a", 0, 0)
    assert s.next()[1] == max(3600, interval_s) * SECOND_NS


def on_fake_links(monkeypatch: pytest.MonkeyPatch) -> list[FakeLink]:
    opened: list[FakeLink] = []

    async def open_link(*_: object) -> FakeLink:
        opened.append(FakeLink())
        return opened[-1]

    monkeypatch.setattr(polling, "open_link", open_link)
    return opened


async def until(is_so: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if is_so():
            return
        await asyncio.sleep(0)
    raise AssertionError("it does not happen")


async def ends(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


def test_one_dead_and_a_busy_bus_starve_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four devices, each talk takes 4 s, interval 10 s: more than fits. The dead one costs a time-out of 5 s."""
    on_fake_links(monkeypatch)
    asked, under_way = Counter[str](), 0

    async def main() -> None:
        host, enough = FakeHost(), asyncio.Event()

        async def talk(_: Link, name: str) -> None:
            nonlocal under_way
            under_way += 1
            assert under_way == 1, "two talks at once"
            asked[name] += 1
            await host.sleep(5 if name == "d" else 4)
            under_way -= 1
            if sum(asked.values()) == 300:
                enough.set()
            if name == "d":
                raise NoAnswer("no answer within 5 s")

        bus = Bus(SPEC, "abcd", Rhythm(10, align=False))
        running = asyncio.create_task(bus.run(host, talk))
        await enough.wait()
        await ends(running)
        assert [e for e in host.events if isinstance(e, DeviceChanged)] == [
            DeviceChanged("a", up=True),
            DeviceChanged("b", up=True),
            DeviceChanged("c", up=True),
            DeviceChanged("d", up=False, detail="no answer within 5 s"),
        ]

    run(main())
    assert 5 < asked["d"] < 30
    assert max(asked[n] for n in "abc") - min(asked[n] for n in "abc") <= 1


def test_the_link_is_let_go_between_rounds_and_that_is_no_news(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = on_fake_links(monkeypatch)

    async def main() -> None:
        host, times = FakeHost(), 0

        async def talk(_: Link, name: str) -> None:
            nonlocal times
            times += 1
            await asyncio.sleep(0)

        running = asyncio.create_task(Bus(SPEC, "ab", Rhythm(60)).run(host, talk))
        await until(lambda: times >= 6)
        await ends(running)
        assert [e for e in host.events if isinstance(e, LinkChanged)] == [LinkChanged(up=True)]

    run(main())
    assert len(opened) == 3


def test_a_connection_that_was_hung_up_meanwhile_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = on_fake_links(monkeypatch)

    async def main() -> None:
        host, talks = FakeHost(), list[int]()

        async def talk(link: Link, name: str) -> None:
            talks.append(opened.index(link))  # type: ignore[arg-type]
            if len(talks) in {2, 4, 5}:
                raise DriverGone("closed by the far side")
            await asyncio.sleep(0)

        bus = Bus(SPEC, "a", Rhythm(5, align=False))
        with pytest.raises(DriverGone):
            await bus.run(host, talk)
        assert talks == [0, 0, 1, 1, 2], "once more on a new one; a new one that is lost is a loss"
        assert host.events[-1] == LinkChanged(up=False, detail="closed by the far side")
        running = asyncio.create_task(bus.run(host, talk))
        await until(lambda: len(talks) >= 6)
        await ends(running)

    run(main())


def test_who_has_the_bus_has_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = on_fake_links(monkeypatch)

    async def main() -> None:
        host, talks = FakeHost(), 0

        async def talk(_: Link, name: str) -> None:
            nonlocal talks
            talks += 1
            await asyncio.sleep(0)

        bus = Bus(SPEC, "a", Rhythm(1, align=False))
        running = asyncio.create_task(bus.run(host, talk))
        await until(lambda: talks > 0)
        async with bus.taken():
            before = talks
            for _ in range(50):
                await asyncio.sleep(0)
            assert talks == before
        await until(lambda: talks > before)
        await ends(running)
        assert len(opened) == 2, "the line was closed for the other"

    run(main())


def test_a_lost_link_puts_nobody_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """A converter that was away for hours: when it is back all are asked at once, and none is told to be back."""
    opened, is_away = on_fake_links(monkeypatch), False
    there: Callable[..., Awaitable[Link]] = vars(polling)["open_link"]

    async def open_link(spec: LinkSpec, idle_s: float = 0.0) -> Link:
        if is_away:
            raise DriverGone("no such port")
        return await there(spec, idle_s)

    monkeypatch.setattr(polling, "open_link", open_link)

    async def main() -> None:
        nonlocal is_away
        host, asked = FakeHost(), list[str]()

        async def talk(_: Link, name: str) -> None:
            asked.append(name)
            await asyncio.sleep(0)

        bus = Bus(SPEC, "ab", Rhythm(900))
        running = asyncio.create_task(bus.run(host, talk))
        await until(lambda: len(asked) >= 2)
        await ends(running)
        is_away = True
        host.now_ns += 900 * SECOND_NS
        for _ in range(200):
            with pytest.raises(DriverGone, match="no such port"):
                await bus.run(host, talk)
            host.now_ns += 60 * SECOND_NS
        is_away, back_ns = False, host.now_ns
        running = asyncio.create_task(bus.run(host, talk))
        await until(lambda: len(asked) >= 4)
        assert host.now_ns == back_ns
        assert sorted(asked[2:4]) == ["a", "b"]
        await ends(running)
        devices = [event.device for event in host.events if isinstance(event, DeviceChanged)]
        assert devices == ["a", "b"], "they never fell silent"

    run(main())
    assert len(opened) >= 2
