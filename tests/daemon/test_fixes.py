"""The last fix of each satellite receiver, from its driver's frames to the status."""

from tests.codecs.test_text_nmea import gga
from torhaus.codecs.model import Frame, Stamp, Value
from torhaus.codecs.text.nmea import decode
from torhaus.daemon.fixes import Fix, Fixes
from torhaus.daemon.lora.network import Device
from torhaus.daemon.reading import Readings
from torhaus.daemon.watch import Watch

AT = Stamp(7, 5, synced=True)


def test_a_reading_with_a_position_is_a_fix() -> None:
    fixes = Fixes()
    fields = {"latitude": Value(51.5, "deg"), "longitude": Value(-8, "deg"), "satellites": Value(9)}
    fixes.heard("gps", AT, fields)
    wanted = Fix(latitude=51.5, longitude=-8, at_ns=7, satellites=9)
    assert fixes.last == {"gps": wanted}
    for lost in ({}, fields | {"latitude": Value(None)}, fields | {"longitude": Value("east")}):
        fixes.heard("gps", Stamp(8, 6, synced=True), lost)
        assert fixes.last == {"gps": wanted}


def test_readings_of_other_codecs_are_none() -> None:
    devices = [Device("gps", None, codec="nmea"), Device("pump", None, codec="other")]
    readings = Readings(devices, lambda _: decode, Watch(0), None, lambda _: None)
    for name in ("pump", "gps"):
        derived = {"clock_offset": Value(-2, "s", derived=True)}
        readings.of_telegram("d", Frame("d", gga(1) + b"\r\n", AT, device=name, derived=derived))
    assert list(readings.fixes.last) == ["gps"]
    found = readings.fixes.last["gps"]
    assert (round(found.latitude, 5), round(found.longitude, 5)) == (51.76872, 8.57613)
    assert (found.altitude, found.satellites, found.clock_offset_s) == (98.4, 9, -2)
