"""The server as stations see it: discovery, data, reconnects, strangers to the protocol."""

import asyncio
import contextlib
import json

import pytest

from tests.drivers.fakes import advance, run
from tests.drivers.station_fakes import EUI, OTHER, PHY, Host, Refused, raw, running, station, until
from torhaus.drivers.base import DriverGone, GatewaySeen, LinkChanged
from torhaus.drivers.stations import server as module
from torhaus.drivers.stations.server import FIRST_WORDS_S


def test_from_discovery_to_a_frame_on_disk() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            uri = await gateway.discover()
            assert uri == f"ws://127.0.0.1:{server.port}/router/{EUI}"
            await gateway.connect()
            assert gateway.config["region"] == "EU863"
            await gateway.heard_frame()
            await host.until_frames(1)
            (frame,) = host.frames
            assert (frame.driver, frame.data, frame.stranger) == ("stations", PHY, None)
            assert frame.radio is not None
            assert frame.radio.rx[0].gateway == EUI
            assert host.seen() == [EUI]
            assert isinstance(host.events[1], GatewaySeen)
            assert (host.events[1].peer, host.events[1].protocol) == ("127.0.0.1", "basics_station")

    run(main())


@pytest.mark.parametrize("name", ["aa55:5a00::101", "AA-55-5A-00-00-00-01-01", int(EUI, 16), EUI])
def test_a_station_may_write_its_name_as_it_likes(name: str | int) -> None:
    async def main() -> None:
        async with running(Host()) as server, station(server) as gateway:
            gateway.name = name
            assert (await gateway.discover()).endswith(f"/router/{EUI}")

    run(main())


def test_the_public_address_is_told() -> None:
    async def main() -> None:
        public = "wss://gateways.delbrueck.example:443/"
        async with running(Host(), public_uri=public) as server, station(server) as gateway:
            assert await gateway.discover() == f"wss://gateways.delbrueck.example:443/router/{EUI}"

    run(main())


UPGRADE = (
    "GET {} HTTP/1.1\nHost: {}\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Version: 13\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\n\n"
)


@pytest.mark.parametrize("where", ["", "a b", "ex\x7fample", "x" * 200, "a/b"])
def test_an_address_that_cannot_be_told_is_refused_in_words(where: str) -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, raw(server.port) as (reader, writer):
            writer.write(UPGRADE.format("/router-info", where).replace("\n", "\r\n").encode())
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 101 " in head:
                question = json.dumps({"router": "::1"}).encode()
                writer.write(bytes((0x81, 0x80 | len(question), 0, 0, 0, 0)) + question)
                answer = await reader.read(1000)
                assert b'"error":"the server does not know its own address"' in answer
                assert "public_uri" in host.refused()[0].detail

    run(main())


def test_a_second_connection_takes_over_at_once() -> None:
    """The first is half open after a break of the line: to wait for its end would lock the gateway out."""

    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as old, station(server) as new:
            await old.start()
            first = server.sessions[EUI]
            old.fall_silent()
            await new.start()
            await until(lambda: server.sessions[EUI] is not first)
            await new.heard_frame()
            await host.until_frames(1)
            assert host.seen() == [EUI, EUI]
            assert host.left() == []
            await until(lambda: first.why == "connected anew")

    run(main())


def test_a_gateway_that_drops_has_left() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway, station(server, OTHER) as other:
            await gateway.start()
            await other.start()
            gateway.drop()
            await until(host.left)
            assert host.left() == [(EUI, "connection lost")]
            assert list(server.sessions) == [OTHER]
            await gateway.connect()
            assert host.seen() == [EUI, OTHER, EUI]

    run(main())


def test_the_list_is_kept() -> None:
    async def main() -> None:
        host = Host()
        async with running(host, gateway=[{"eui": EUI}]) as server, station(server, OTHER) as stranger:
            with pytest.raises(Refused, match="not listed"):
                await stranger.discover()
            with pytest.raises(Refused, match="403"):
                await stranger.connect()
            assert [(e.gateway, e.peer) for e in host.refused()] == [(OTHER, "127.0.0.1")] * 2
            async with station(server) as known:
                await known.start()
            assert host.seen() == [EUI]

    run(main())


def test_what_is_no_question() -> None:
    async def main() -> None:
        host = Host()
        async with running(host) as server, station(server) as gateway:
            for text in ("", "{}", "x" * 500, '{"router":"nobody"}'):
                socket = await gateway._open(f"{gateway._base}/router-info")
                await socket.send_str(text)
                assert json.loads((await socket.receive()).data)["error"]
                await socket.close()
            socket = await gateway._open(f"{gateway._base}/router-info")
            await socket.send_str("x" * 5000)
            assert (await socket.receive()).data == 1009  # too long to be looked at
            await socket.close()
            assert len(host.refused()) == 4
            await gateway.start()

    run(main())


@pytest.mark.parametrize(
    "path", ["/router/", "/router/1", "/router/gg555a0000000101", "/router/x/y", "/", "/update-info"]
)
def test_other_paths_are_not_there(path: str) -> None:
    async def main() -> None:
        async with running(Host()) as server, station(server) as gateway:
            with pytest.raises(Refused, match=r"40[45]"):
                await gateway.connect(f"{gateway._base}{path}")

    run(main())


def test_without_a_folder_there_are_no_updates() -> None:
    async def main() -> None:
        async with running(Host()) as server, station(server) as gateway:
            assert (await gateway.update_info())[0] == 404

    run(main())


@pytest.mark.parametrize("said", [b"", b"GET /router-info HTTP/1.1\r\n", b"GET"])
def test_who_never_comes_to_the_point_is_let_go(said: bytes) -> None:
    async def main() -> None:
        async with running(Host()) as server, raw(server.port) as (reader, writer):
            writer.write(said)
            reading = asyncio.create_task(reader.read(1000))
            await advance(FIRST_WORDS_S - 1)
            await advance(0)
            assert not reading.done()
            await advance(2)
            with contextlib.suppress(ConnectionResetError):
                assert await reading == b""

    run(main())


def test_a_question_that_never_comes() -> None:
    async def main() -> None:
        async with running(Host()) as server, station(server) as gateway:
            socket = await gateway._open(f"{gateway._base}/router-info")
            await advance(FIRST_WORDS_S + 1)
            message = await socket.receive()
            assert message.type.name in {"CLOSE", "CLOSED"}
            await socket.close()

    run(main())


def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 2)
    monkeypatch.setattr(module, "MAX_STATIONS", 1)

    async def main() -> None:
        async with running(Host()) as server, station(server) as gateway:
            await gateway.connect()
            async with station(server, OTHER) as second:
                with pytest.raises(Refused, match="503"):
                    await second.connect()
                async with station(server, OTHER) as third:
                    with pytest.raises(Refused):
                        await third.connect()
            await gateway.heard_frame()

    run(main())


def test_a_port_that_is_taken_is_a_loss_that_says_why() -> None:
    async def main() -> None:
        async with running(Host()) as server:
            with pytest.raises(DriverGone, match=f"cannot listen on 127.0.0.1:{server.port}: Address already in use"):
                async with running(Host(), listen=f"127.0.0.1:{server.port}"):
                    pass

    run(main())


def test_it_can_be_run_again() -> None:
    async def main() -> None:
        for _ in range(2):
            host = Host()
            async with running(host) as server, station(server) as gateway:
                await gateway.start()
                assert [e.up for e in host.events if isinstance(e, LinkChanged)] == [True]

    run(main())


def test_a_defect_is_told_and_costs_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def defect(*_: object) -> bytes:
        raise TypeError("ours")

    async def main() -> None:
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        async with running(Host()) as server, station(server) as gateway:
            with monkeypatch.context() as patch:
                patch.setattr(server, "_refusal", defect)
                with pytest.raises(Refused, match="500"):
                    await gateway.connect()
            assert [type(e) for e in told] == [TypeError]
            await gateway.start()

    run(main())


def test_any_bytes_on_the_port() -> None:
    """Neither an answer nor a defect is owed to them."""
    import random

    async def main() -> None:
        rand = random.Random(20_261_129)
        async with running(Host()) as server, station(server) as gateway:
            for _ in range(60):
                head = UPGRADE.format(rand.choice(["/router-info", f"/router/{EUI}"]), "127.0.0.1")
                data = bytearray(head.replace("\n", "\r\n").encode() + rand.randbytes(rand.randrange(200)))
                for _ in range(rand.randrange(3)):
                    data[rand.randrange(len(data))] = rand.randrange(256)
                async with raw(server.port) as (reader, writer):
                    writer.write(data)
                    writer.write_eof()
                    await reader.read(4096)
            await gateway.start()

    run(main())
