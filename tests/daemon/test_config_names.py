from pathlib import Path

import pytest

from tests.daemon.config_fakes import MINIMAL, faults_of, loaded


def test_alarms_speak_of_devices_that_are_there(tmp_path: Path) -> None:
    files = {"devices": '[[device]]\nname = "keller"\ntags = ["water"]\n'}
    text = MINIMAL + '[[alarm]]\ndevices = ["kelller"]\n[[alarm]]\ntags = ["wasser"]\nfield = "leak"\n[[alarm]]\n'
    assert faults_of(tmp_path, torhaus=text, **files) == [
        'torhaus.toml:4: alarm[0].devices[0]: is "kelller", but no device has this name (did you mean "keller"?)',
        'torhaus.toml:6: alarm[1].tags[0]: is "wasser", but no device has this tag (did you mean "water"?)',
        "torhaus.toml:8: alarm[2].field: is missing, and so are devices and tags: one of the three is needed",
    ]
    found = loaded(tmp_path, torhaus=MINIMAL + '[[alarm]]\ntags = ["water"]\nfield = "leak"\nequals = true\n', **files)
    assert (found.alarms[0].equals, found.tagged()) == (True, {"water": {"keller"}})


def test_a_forwarders_former_name_is_nobody_elses(tmp_path: Path) -> None:
    file = '[[forwarder]]\nname = "{}"\ntype = "file"\npath = "{}"\nrenamed_from = "{}"\n'
    text = MINIMAL + file.format("a", "1", "b") + file.format("b", "2", "c") + file.format("d", "3", "c")
    assert faults_of(tmp_path, torhaus=text) == [
        "torhaus.toml:7: forwarder[a].renamed_from: is the name of another forwarder now (b)",
        'torhaus.toml:17: forwarder[d].renamed_from: is "c", from which another forwarder is renamed already',
    ]


def test_a_drivers_region_is_the_sites(tmp_path: Path) -> None:
    driver = '[[driver]]\nname = "stations"\ntype = "basics_station"\n'
    found = loaded(tmp_path, torhaus=MINIMAL + driver)
    assert found.drivers[0][1].region == found.lorawan.region == "EU868"
    rule = 'but [lorawan] has region = "{}": a site is in one region'.format
    assert faults_of(tmp_path, torhaus=MINIMAL + driver + 'region = "IN865"\n') == [
        f'torhaus.toml:6: driver[stations].region: is "IN865", {rule("EU868")}'
    ]
    site = MINIMAL + '[lorawan]\nregion = "IN865"\n'
    loaded(tmp_path, torhaus=site + driver + 'region = "IN865"\n')
    assert faults_of(tmp_path, torhaus=site + driver) == [
        f'torhaus.toml:5: driver[stations].region: is "EU868", {rule("IN865")}'
    ]


METER = '[[driver]]\nname = "{}"\ntype = "mbus"\nlink = "{}"\n[[driver.meter]]\ndevice = "{}"\naddress = 1\n'
UNIT = '[[driver]]\nname = "{}"\ntype = "modbus"\nlink = "{}"\n[[driver.devices]]\ndevice = "{}"\nmap = "abb_b23"\n'
SML = '[[driver]]\nname = "{}"\ntype = "sml"\nlink = "{}"\ndevice = "{}"\n'
DEVICES = {"devices": '[[device]]\nname = "heat"\n'}


def test_meters_on_a_bus_are_devices_that_are_there(tmp_path: Path) -> None:
    text = MINIMAL + METER.format("a", "tcp://c:1", "haet") + UNIT.format("b", "tcp://c:2", "heet")
    says = 'but no [[device]] has this name (did you mean "heat"?)'
    assert faults_of(tmp_path, torhaus=text, **DEVICES) == [
        f'torhaus.toml:8: driver[a].meter[0].device: is "haet", {says}',
        f'torhaus.toml:15: driver[b].devices[0].device: is "heet", {says}',
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("serial:///dev/ttyUSB0", "serial:///dev/ttyUSB0?baud=300"),
        ("tcp://Moxa:4001", "tcp://moxa:4001"),
        ("tcp://moxa:4001", "rfc2217://moxa:4001"),
    ],
)
def test_a_line_is_one_drivers(tmp_path: Path, first: str, second: str) -> None:
    text = MINIMAL + METER.format("a", first, "heat") + SML.format("b", second, "heat")
    says = 'is the line of driver "a" already: its devices belong to one driver'
    assert faults_of(tmp_path, torhaus=text, **DEVICES) == [f"torhaus.toml:13: driver[b].link: {says}"]


def test_what_several_may_talk_to(tmp_path: Path) -> None:
    server = UNIT.format("a", "tcp://m:502", "heat") + UNIT.format("b", "tcp://m:502", "heat")
    captures = SML.format("c", "replay:/a", "heat") + SML.format("d", "replay:/a", "heat")
    loaded(tmp_path, torhaus=MINIMAL + server + captures, **DEVICES)
    through = server.replace("link = ", 'framing = "rtu"\nlink = ')
    assert len(faults_of(tmp_path, torhaus=MINIMAL + through, **DEVICES)) == 1
