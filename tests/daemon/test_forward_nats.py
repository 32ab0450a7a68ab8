"""The NATS forwarder against a real nats-server: what is stored, what is refused, what comes after a restart."""

import asyncio
from base64 import b64decode
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.daemon.forward_fakes import reading, site
from tests.daemon.mqtt_fakes import item
from tests.daemon.nats_fakes import CONTEXT, build, centre, ids, opened
from tests.peers import Certificates, free_port, nats_server, run
from torhaus.daemon.forward.base import Unavailable
from torhaus.daemon.forward.message import Message
from torhaus.daemon.forward.nats import open_forwarder


def headers(message: dict[str, Any]) -> dict[str, str]:
    return dict(row.split(": ", 1) for row in b64decode(message["hdrs"]).decode().split("\r\n")[1:-2])


def test_records_are_in_the_stream_as_they_are(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        async with centre(port) as c, opened(port, expected_stream="TORHAUS") as forwarder:
            await c.add_stream()
            batch = [item(0), item(1, device="keller.süd *>"), item(2, late=True)]
            assert (await forwarder.send(batch)).accepted == [0, 1, 2]
            found = await c.stored()
            assert [m["subject"] for m in found] == [
                "torhaus.rathaus.flur.reading",
                "torhaus.rathaus.keller%2Esüd%20%2A%3E.reading",
                "torhaus.rathaus.flur.reading",
            ]
            assert [msgspec.json.decode(b64decode(m["data"]), type=Message) for m in found] == [
                i.message for i in batch
            ]
            assert headers(found[2]) == {
                "Nats-Msg-Id": "rathaus/3f2a91c0/2",
                "Torhaus-Late": "1",
                "Nats-Expected-Stream": "TORHAUS",
                "Content-Type": "application/json",
            }

    with nats_server(tmp_path) as port:
        run(main(port))


def test_what_comes_twice_is_stored_once_and_counts_as_delivered(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        async with centre(port) as c, opened(port, backlog_pack=10) as forwarder:
            await c.add_stream()
            frame = item(1)
            frame.message.kind = "frame"
            late = [item(n, late=True) for n in range(5, 8)]
            for _ in range(2):
                assert (await forwarder.send([item(0), item(1), frame])).accepted == [0, 1, 2]
                assert (await forwarder.send(late)).accepted == [0, 1, 2]
            found = await c.stored()
            assert [ids(b64decode(m["data"])) for m in found] == [[0], [1], [1], [5, 6, 7]]
            assert found[3]["subject"] == "torhaus.rathaus.backlog"

    with nats_server(tmp_path) as port:
        run(main(port))


def test_without_a_stream_nothing_is_delivered_and_with_the_wrong_one_neither(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        async with centre(port) as c, opened(port, expected_stream="OTHER") as forwarder:
            outcome = await forwarder.send([item(0), item(1)])
            assert not outcome.accepted
            assert not outcome.rejected
            assert "no stream takes this subject (503)" in outcome.kept[0]
            await c.add_stream()
            outcome = await forwarder.send([item(0)])
            assert "expected (10060): expected stream does not match" in outcome.kept[0]
            assert await c.stored() == []

    with nats_server(tmp_path) as port:
        run(main(port))


def test_a_stream_that_is_full_keeps_and_one_too_large_is_a_dead_letter(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        async with centre(port) as c, opened(port) as forwarder:
            await c.add_stream(max_msgs=2, max_msg_size=2000)
            large = item(1)
            large.message.raw = bytes(3000)
            outcome = await forwarder.send([item(0), large, item(2), item(3)])
            assert outcome.accepted == [0, 2]
            assert "(10054)" in outcome.rejected[1]
            assert "could not store it (10077): maximum messages exceeded" in outcome.kept[3]
            huge = item(4)
            huge.message.raw = bytes(1 << 20)
            outcome = await forwarder.send([huge])
            assert "the server takes at most 1048576 (max_payload)" in outcome.rejected[0]

    with nats_server(tmp_path) as port:
        run(main(port))


def test_what_may_not_be_published_is_kept_and_does_not_hold_up_the_rest(tmp_path: Path) -> None:
    users = (
        "authorization { users: [{ user: c, password: c }, { user: t, password: t, permissions: {"
        ' publish: { deny: ["torhaus.*.geheim.>"] }, subscribe: "_BOX.>" } }] }'
    )
    secret = tmp_path / "password"
    secret.touch(mode=0o600)
    secret.write_text("t\n")

    async def main(port: int) -> None:
        who: dict[str, Any] = {"username": "t", "password_file": str(secret)}
        with pytest.raises(Unavailable, match="may not subscribe to _INBOX"):
            await build(port, **who).open()
        secret.write_text("x")
        with pytest.raises(Unavailable, match="Authorization Violation; check user"):
            await build(port, **who).open()
        secret.write_text("t")
        login = b'{"headers":true,"user":"c","pass":"c"}'
        async with centre(port, login) as c, opened(port, **who, inbox_prefix="_BOX") as forwarder:
            await c.add_stream()
            outcome = await forwarder.send([item(0), item(1, device="geheim"), item(2)])
            assert outcome.accepted == [0, 2]
            assert "not permitted to publish" in outcome.kept[1]
            assert "torhaus.rathaus.geheim.reading" in outcome.kept[1]

    with nats_server(tmp_path, users) as port:
        run(main(port))


@pytest.mark.parametrize("version", ["trusted", "stranger"])
def test_tls_is_verified_and_never_left_out(tmp_path: Path, version: str) -> None:
    ca, other = Certificates(tmp_path), Certificates(tmp_path, "other")
    certificate, key = ca.issue("server")

    async def main(port: int) -> None:
        trusted = str(ca.ca if version == "trusted" else other.ca)
        made = build(port, urls=[f"tls://localhost:{port}"], ca_file=trusted)
        if version == "stranger":
            with pytest.raises(Unavailable, match=r"cannot connect to localhost.*certificate"):
                await made.open()
        else:
            await made.open()
            assert "no stream" in (await made.send([item(0)])).kept[0]
            with pytest.raises(Unavailable, match="demands TLS: use a url that begins with tls://"):
                await build(port).open()
        await made.close()

    with nats_server(tmp_path, f'tls {{ cert_file: "{certificate}", key_file: "{key}", timeout: 5 }}') as port:
        run(main(port))


def test_a_server_without_tls_gets_nothing_in_clear(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        with pytest.raises(Unavailable, match="offers no TLS"):
            await build(port, urls=[f"tls://127.0.0.1:{port}"]).open()

    with nats_server(tmp_path) as port:
        run(main(port))


def test_the_next_server_is_tried_where_one_is_away(tmp_path: Path) -> None:
    async def main(port: int) -> None:
        away = free_port()
        urls = [f"nats://127.0.0.1:{away}", f"nats://127.0.0.1:{port}"]
        async with centre(port) as c, opened(port, urls=urls) as forwarder:
            await c.add_stream()
            assert (await forwarder.send([item(0)])).accepted == [0]

    with nats_server(tmp_path) as port:
        run(main(port))


def test_after_a_restart_of_the_server_everything_is_there_once(tmp_path: Path) -> None:
    """The real server is killed while records go out, and comes back; the runner does the rest."""
    port = free_port()

    async def first(port: int) -> None:
        async with centre(port) as c:
            await c.add_stream()

    async def main() -> None:
        async with site(tmp_path / "store") as s:
            with nats_server(tmp_path, port=port):
                runner = await s.start(open_forwarder(build(port)._config, CONTEXT))  # type: ignore[arg-type]
                await s.until(lambda: runner.tally.up, step_s=0)
                await s.put([reading(n) for n in range(400)])
                await s.until(lambda: runner.tally.accepted > 0, step_s=0)
            await s.until(lambda: not runner.tally.up, step_s=0)
            await s.put([reading(n) for n in range(400, 600)])
            with nats_server(tmp_path, port=port):
                await s.until(lambda: runner.cursor.backlog(0) == 0, step_s=0.05)
                async with asyncio.timeout(20), centre(port) as c:
                    found = [n for m in await c.stored() for n in ids(b64decode(m["data"]))]
            assert sorted(found) == list(range(600))
            assert runner.tally.rejected == 0

    with nats_server(tmp_path, port=port):
        asyncio.run(first(port))
    asyncio.run(main())
