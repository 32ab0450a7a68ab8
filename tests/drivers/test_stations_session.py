"""One station's connection: its words, signs of life, time, reports; and whatever else comes."""

import asyncio
import json
import random

import pytest

from tests.codecs.station_messages import GOLDEN, golden
from tests.drivers.fakes import advance, run
from tests.drivers.station_fakes import EUI, PHY, Host, running, station, until
from torhaus.codecs.framing.basics_station import upward
from torhaus.codecs.lorawan.gps_time import gps_ns
from torhaus.codecs.model import RejectReason
from torhaus.drivers.base import GatewayReachable

R = RejectReason


def test_the_first_words_are_kept_as_a_report() -> None:
    async def main() -> None:
        host = Host()
        async with running(host, gateway=[{"eui": EUI}]) as server, station(server) as gateway:
            await gateway.start()
            (stats,) = host.stats
            assert (stats.gateway, stats.stranger) == (EUI, None)
            assert stats.values == {
                "station": "2.0.6(linux/std)",
                "model": "linux",
                "features": "rmtsh gps",
                "protocol": 2,
            }
            await gateway.say({"msgtype": "version"})  # once is enough: a router_config starts the radio anew
            await gateway.heard_frame()
            await host.until_frames(1)
            assert len(host.stats) == 1

    run(main())


def test_reports_of_names_that_nobody_has_proved_are_strangers() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            assert [s.stranger for s in host.stats] == [R.UNKNOWN_GATEWAY]

    run(main())


def test_everything_that_is_heard_comes_in_order() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            for n in range(len(GOLDEN)):
                await gateway.say(golden(n).decode())
            await host.until_frames(len(GOLDEN))
            assert [f.data for f in host.frames] == [phy for _, phy in GOLDEN]
            assert host.rejects == []

    run(main())


def test_what_cannot_be_stored_is_counted() -> None:
    """The protocol has no acknowledgement that could be withheld."""

    async def main() -> None:
        host = Host()
        host.holding = True
        async with running(host, stats_s=60, idle_s=3600) as server, station(server) as gateway:
            await gateway.start()
            await gateway.heard_frame()
            await gateway.heard_frame()
            await host.until_frames(2)
            host.settle()
            await gateway.heard_frame()
            await host.until_frames(3)
            host.settle(stored=False)
            assert host.withheld == 1
            await advance(61)
            await until(lambda: len(host.stats) == 2)
            assert host.stats[1].values == {"rxnb": 3, "rxok": 3, "rxfw": 2, "dwnb": 0, "txnb": 0}
            await advance(61)
            await until(lambda: len(host.stats) == 3)
            assert set(host.stats[2].values.values()) == {0}

    run(main())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", R.SYNTAX),
        ("[]", R.SYNTAX),
        ('{"msgtype":"dnmsg"}', R.UNKNOWN_TYPE),
        (golden(3).decode().replace('"DR":5', '"DR":15'), R.RANGE),
        (golden(3).decode()[:-1], R.SYNTAX),
    ],
)
def test_what_is_refused_is_kept_and_the_rest_goes_on(text: str, reason: RejectReason) -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            await gateway.say(text)
            await gateway.heard_frame()
            await host.until_frames(1)
            (reject,) = host.rejects
            assert (reject.data, reject.reason, reject.source) == (text.encode(), reason, EUI)

    run(main())


def test_a_remote_shell_is_not_used() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            await gateway.say_bytes(b"\0root@gateway:~# ")
            await gateway.say({"msgtype": "rmtsh", "rmtsh": []})
            await gateway.heard_frame()
            await host.until_frames(1)
            assert [(r.data, r.reason) for r in host.rejects] == [(b"\0root@gateway:~# ", R.UNSUPPORTED)]

    run(main())


def test_a_message_that_is_too_long_ends_the_connection() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            await gateway.say("x" * (upward.MAX_BYTES + 1))
            with pytest.raises(ConnectionError):
                await gateway.hear()
            await until(host.left)
            ((eui, why),) = host.left()
            assert eui == EUI
            assert "too" in why or "exceeds" in why

    run(main())


def test_the_time_is_told_only_by_a_clock_that_is_right() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            now_ns = host.stamp().wall_ns
            assert gateway.config["MuxTime"] == now_ns / 1e9
            await gateway.say({"msgtype": "timesync", "txtime": 9_007_199_254_740_993})
            want = {"msgtype": "timesync", "txtime": 9_007_199_254_740_993, "gpstime": gps_ns(now_ns) // 1000}
            assert await gateway.hear() == want | {"MuxTime": now_ns / 1e9}
            host.synced = False
            await gateway.say({"msgtype": "timesync", "txtime": 1})
            await gateway.connect()
            assert "MuxTime" not in gateway.config

    run(main())


def test_silence_is_the_end_and_any_word_a_sign_of_life() -> None:
    async def main() -> None:
        host = Host()
        async with running(host, ping_s=30, idle_s=90) as server, station(server) as gateway:
            await gateway.start()
            await advance(31)
            assert (await gateway.hear_any()).name == "PING"
            ways = [e for e in host.events if isinstance(e, GatewayReachable)]
            assert [e.gateway for e in ways] == [EUI]
            assert ways[0].address.startswith("127.0.0.1:")
            await gateway.pong()  # which also tells the daemon that it is there
            await until(lambda: host.events[-1] == ways[0] and host.events[-1] is not ways[0])
            await advance(50)
            await gateway.heard_frame()
            await host.until_frames(1)
            await advance(80)
            await gateway.ping()
            while (await gateway.hear_any()).name != "PONG":
                pass
            await advance(80)
            assert host.left() == []
            gateway.fall_silent()
            await advance(11)
            await until(host.left)
            assert host.left() == [(EUI, "silent for 90 s")]
            assert server.sessions == {}

    run(main())


def test_a_station_that_takes_nothing_is_gone() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            gateway.fall_silent()
            saying = asyncio.create_task(server.sessions[EUI].say(b"x" * (64 << 20)))
            await advance(6)
            await until(saying.done)
            assert saying.result() is False
            await until(host.left)
            assert host.left() == [(EUI, "took nothing for 5 s")]

    run(main())


def test_a_defect_met_on_one_message_costs_that_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = upward.parse, 0

    def defect(text: bytes) -> upward.Up:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise TypeError("ours")
        return real(text)

    async def main() -> None:
        host = Host()
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            monkeypatch.setattr(upward, "parse", defect)
            await gateway.heard_frame()
            await gateway.heard_frame()
            await host.until_frames(1)
            assert [type(e) for e in told] == [TypeError]

    run(main())


def test_whatever_comes_the_next_frame_is_stored() -> None:
    """Two thousand messages with changed bytes, on one connection; what is no text ends it, as websockets want it."""
    rand = random.Random(20_261_130)

    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            await gateway.start()
            for n in range(2000):
                text = list(golden(n % 4).decode())
                for _ in range(rand.randint(1, 4)):
                    where = rand.randrange(len(text))
                    text[where] = rand.choice(["", "-", '"', "{", "9", "\0", "ü", "null", "1e400", "\\ud800"])
                await gateway.say("".join(text))
            await gateway.heard_frame(PHY[:4] + b"\0" + PHY[5:])
            await until(lambda: host.frames and host.frames[-1].data == PHY[:4] + b"\0" + PHY[5:])
            assert len(host.frames) + len(host.rejects) > 1990
            assert host.left() == []

    run(main())


def test_filters_are_told() -> None:
    async def main() -> None:
        filters = {"net_ids": [0, 1], "join_euis": ["70b3d57ed0000000..70b3d57ed0ffffff", EUI], "beacon": True}
        async with running(Host(), **filters, max_eirp_dbm=14) as server, station(server) as gateway:
            await gateway.start()
            c = gateway.config
            assert c["JoinEui"] == [[0x70B3D57ED0000000, 0x70B3D57ED0FFFFFF], [int(EUI, 16)] * 2]
            assert (c["NetID"], c["max_eirp"], c["bcning"]["DR"]) == ([0, 1], 14, 3)
            assert json.dumps(c)

    run(main())
