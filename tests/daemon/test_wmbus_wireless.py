"""From a line of a receiver to a record, in a running daemon."""

import asyncio
import json
from pathlib import Path

from tests.codecs.wmbus_fakes import KEY, Meter
from tests.daemon.home import Home, archive, running, until
from torhaus.codecs.framing.wmbus import frame_a

DEVICES = """
[[device]]
name = "water"
codec = "wmbus"
wmbus = "KAM/12345678"
[[device]]
name = "heat"
codec = "wmbus"
wmbus = "87654321"
"""


def test_own_meters_become_readings_and_others_are_listed(tmp_path: Path) -> None:
    water, heat, stranger = Meter(), Meter("87654321", kind=4), Meter("99999999")

    async def main() -> None:
        home = Home(tmp_path, archive(tmp_path), devices=DEVICES)
        keys = tmp_path / "devices.keys.toml"
        keys.write_text(f'["wmbus:kam/12345678"]\nwmbus_key = "{KEY.hex()}"\n')
        lines = [water.mode_7(100), water.mode_7(99), heat.mode_5(), stranger.plain(), frame_a(water.mode_7(101))]
        text = b"".join(f"T1;1;1;x;97;148;1;0x{line.hex()}\n".encode() for line in lines)
        (tmp_path / "air.cap").write_text(f"0 {text.hex()}\n3600 00\n")
        link = f'link = "replay:{tmp_path}/air.cap?speed=1"\nreceiver = "lines"\n'
        home.write(archive(tmp_path) + f'[[driver]]\nname = "stick"\ntype = "wmbus"\n{link}')
        async with running(home.app()) as app:
            await until(lambda: len(home.lines()) >= 2)
            listed = await home.ask("/wmbus/meters")
            await until(lambda: app.watch.rejects)
            metrics = (await asyncio.to_thread(_metrics, app.http_port)).splitlines()
        readings = [line for line in home.lines() if line["kind"] == "reading"]
        assert [(r["device"], r["fields"]["volume"]["value"]) for r in readings] == [("water", 12345.678)] * 2
        assert [(m.get("device"), m["address"], m["security"]) for m in listed] == [
            ("heat", "KAM/87654321/1b/04", "mode 5"),
            ("water", "KAM/12345678/1b/16", "mode 7"),
            (None, "KAM/99999999/1b/16", "none"),
        ]
        assert listed[0]["trouble"] == "key: the telegram is encrypted, and there is no key for this meter"
        assert 'torhaus_wmbus_meters{kind="own"} 2.0' in metrics
        assert 'torhaus_wmbus_meters{kind="unreadable"} 1.0' in metrics
        assert 'torhaus_wmbus_dropped_telegrams_total{driver="stick",reason="unknown_meter"} 1.0' in metrics
        for reason in ("key", "replay"):
            assert f'torhaus_decode_rejects_total{{codec="wmbus",reason="{reason}"}} 1.0' in metrics
        assert KEY.hex() not in json.dumps(listed)

    asyncio.run(main())


def _metrics(port: int) -> str:
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return str(answer.read().decode())
