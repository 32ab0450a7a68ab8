"""Events of barcode readers, and values that are worked out beside a reading's own."""

from tests.daemon.pipeline_fakes import Stage
from torhaus.codecs.model import Value
from torhaus.daemon.lora.network import Device


def test_a_barcode_is_an_event() -> None:
    stage = Stage([Device("desk", codec="barcode")])
    stage.deliver(stage.telegram(b"]Q3Ablage 7", "desk"), stage.telegram(b"\x01\x02", "desk"))
    read, refused = stage.store.main
    assert (read.kind, read.event, read.fields) == ("event", {"code": "Ablage 7", "symbology": "Q3"}, None)
    assert (refused.kind, refused.reason) == ("frame", "syntax")


def test_derived_values_stand_beside_those_of_the_reading() -> None:
    stage = Stage([Device("gps", codec="nmea")])
    derived = {"clock_offset": Value(3, "s", derived=True)}
    frame = stage.telegram(b"$GPGGA,120000.00,,,,,0,00,,,M,,M,,*4B\r\n", "gps")
    frame.derived = derived
    stage.pipeline.readings.derive = lambda device, driver, at, fields: {f"{device}_{driver}_{len(fields)}": Value(1)}
    stage.deliver(frame)
    (record,) = stage.store.main
    assert record.fields is not None
    assert record.fields["clock_offset"] == derived["clock_offset"]
    assert record.fields[f"gps_roof_{len(record.fields) - 1}"] == Value(1)
