import asyncio
from pathlib import Path

from tests.daemon.home import Home, archive, running, udp_port

RADIO = '[[driver]]\nname = "{name}"\ntype = "semtech_udp"\nlisten = "127.0.0.1:{port}"\n'
METERS = '[[driver]]\nname = "{name}"\ntype = "wmbus"\nlink = "tcp://127.0.0.1:{port}"\nreceiver = "im871a"\n'


def test_each_is_open_under_its_name_and_known_to_what_serves_it(tmp_path: Path) -> None:
    radios = "".join(RADIO.format(name=name, port=udp_port()) for name in ("north", "south"))
    home = Home(tmp_path, radios + archive(tmp_path))

    async def go() -> None:
        app = home.app()
        async with running(app):
            assert list(app.drivers) == ["north", "south"]
            assert app.survey.wireless is None
            assert {name for name in app.drivers if app.watch.driver(name).detail} == {"north", "south"}

    asyncio.run(go())


def test_receivers_of_meters_share_one_list_of_the_own_meters(tmp_path: Path) -> None:
    receivers = "".join(METERS.format(name=name, port=udp_port()) for name in ("cellar", "roof"))
    home = Home(tmp_path, receivers + archive(tmp_path))

    async def go() -> None:
        app = home.app()
        async with running(app):
            wireless = app.survey.wireless
            assert wireless is not None
            assert [app.drivers[name].directory for name in ("cellar", "roof")] == wireless.ears
            assert [path for _, path, _ in app.control_routes if path.startswith("/wmbus")] == ["/wmbus/meters"]

    asyncio.run(go())
