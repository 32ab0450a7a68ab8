"""The tables of EN 13757-3 as open programs know them: what 1 means under the first and the last code of each row."""

import pytest

from torhaus.codecs.meter.mbus.record import Record, records

PRIMARY = """
00-07 energy W.h 0.001 10000            08-0f energy J 1 10000000
10-17 volume m3 0.000001 10             18-1f mass kg 0.001 10000
20-23 on_time s 1 86400                 24-27 operating_time s 1 86400
28-2f power W 0.001 10000               30-37 power J/h 1 10000000
38-3f volume_flow m3/h 0.000001 10      40-47 volume_flow m3/min 0.0000001 1
48-4f volume_flow m3/s 0.000000001 0.01 50-57 mass_flow kg/h 0.001 10000
58-5b flow_temperature Cel 0.001 1      5c-5f return_temperature Cel 0.001 1
60-63 temperature_difference K 0.001 1  64-67 external_temperature Cel 0.001 1
68-6b pressure bar 0.001 1              6e-6e heat_cost_allocator - 1 1
70-73 averaging_duration s 1 86400      74-77 actuality_duration s 1 86400
78-78 fabrication_number - 1 1          79-79 identification - 1 1
7a-7a bus_address - 1 1
"""
FB = """
00-01 energy W.h 100000 1000000         02-03 reactive_energy var.h 1000 10000
04-05 apparent_energy V.A.h 1000 10000  08-09 energy J 100000000 1000000000
0c-0f energy cal 100000 100000000       10-11 volume m3 100 1000
14-17 reactive_power var 1 1000         18-19 mass kg 100000 1000000
1a-1b relative_humidity % 0.1 1         20-20 volume [cft_i] 1 1
21-21 volume [cft_i] 0.1 0.1            28-29 power W 100000 1000000
2a-2a phase_voltage deg 0.1 0.1         2b-2b phase_current deg 0.1 0.1
2c-2f frequency Hz 0.001 1              30-31 power J/h 100000000 1000000000
34-37 apparent_power V.A 1 1000         58-5b flow_temperature [degF] 0.001 1
68-68 rating_factor - 0.000244140625 0.000244140625
69-69 rating_factor_kq - 1 1            6a-6a rating_factor_kc - 0.000244140625 0.000244140625
6b-6b rating_factor_kcr - 0.000244140625 0.000244140625
6e-6e rating_factor_kd - 0.000244140625 0.000244140625
74-77 temperature_limit Cel 0.001 1     78-7f power_maximum_count W 0.001 10000
"""
FD = """
00-03 credit - 0.001 1                  04-07 debit - 0.001 1
08-08 access_number - 1 1               09-09 medium - 1 1
0a-0a manufacturer - 1 1                0b-0b parameter_set - 1 1
0c-0c model_version - 1 1               0d-0d hardware_version - 1 1
0e-0e firmware_version - 1 1            0f-0f software_version - 1 1
10-10 customer_location - 1 1           11-11 customer - 1 1
16-16 password - 1 1                    17-17 error_flags - 1 1
18-18 error_mask - 1 1                  19-19 security_key - 1 1
1a-1a digital_output - 1 1              1b-1b digital_input - 1 1
1c-1c baud_rate Bd 1 1                  1d-1d response_delay - 1 1
1e-1e retry - 1 1                       1f-1f remote_control - 1 1
20-20 first_storage - 1 1               21-21 last_storage - 1 1
22-22 storage_block_size - 1 1          23-23 tariff_descriptor - 1 1
24-27 storage_interval s 1 86400        28-28 storage_interval mo 1 1
29-29 storage_interval a 1 1            2a-2a operator_data - 1 1
2b-2b time_second s 1 1                 2c-2f duration_since_readout s 1 86400
31-33 tariff_duration s 60 86400        34-37 tariff_period s 1 86400
38-38 tariff_period mo 1 1              39-39 tariff_period a 1 1
3a-3a dimensionless - 1 1               3b-3b wireless_container - 1 1
3c-3f transmission_period s 1 86400     40-4f voltage V 0.000000001 1000000
50-5f current A 0.000000000001 1000     60-60 reset_counter - 1 1
61-61 cumulation_counter - 1 1          62-62 control_signal - 1 1
63-63 day_of_week - 1 1                 64-64 week_number - 1 1
66-66 parameter_activation - 1 1        67-67 supplier_information - 1 1
68-69 duration_since_cumulation s 3600 86400
6a-6a duration_since_cumulation mo 1 1  6b-6b duration_since_cumulation a 1 1
6c-6d battery_operating_time s 3600 86400
6e-6e battery_operating_time mo 1 1     6f-6f battery_operating_time a 1 1
71-71 rf_level dB[mW] 1 1               74-74 battery_remaining s 86400 86400
75-75 stops - 1 1                       76-76 manufacturer_container - 1 1
"""
FD_FD = "00-00 selected_application - 1 1 02-02 battery_remaining mo 1 1 03-03 battery_remaining a 1 1"
RESERVED = {
    "fb": {0x06, 0x0A, 0x12, 0x1C, 0x38, 0x57, 0x6F},
    "fd": {0x77, 0x78, 0x7D, 0x7E, 0x7F},
    "fdfd": {0x01, 0x04, 0x7F},
}


def rows(table: str) -> list[tuple[int, str, str | None, float]]:
    """Code, quantity, unit and value of the first and the last code of each row."""
    words, out = table.split(), []
    for n in range(0, len(words), 5):
        codes, name, unit, first, last = words[n : n + 5]
        low, high = (int(code, 16) for code in codes.split("-"))
        out += [(low, name, None if unit == "-" else unit, float(first))]
        out += [(high, name, None if unit == "-" else unit, float(last))]
    return out


def one(prefix: str, code: int) -> Record:
    found = list(records(b"\x01" + bytes.fromhex(prefix) + bytes((code, 1))))
    assert len(found) == 1
    assert isinstance(found[0], Record)
    return found[0]


@pytest.mark.parametrize(("prefix", "table"), [("", PRIMARY), ("fb", FB), ("fd", FD), ("fdfd", FD_FD)])
def test_every_row(prefix: str, table: str) -> None:
    for code, name, unit, value in rows(table):
        record = one(prefix, code)
        assert (record.quantity, record.unit, record.is_known) == (name, unit, True), hex(code)
        assert record.value == value, hex(code)


@pytest.mark.parametrize("prefix", ["fb", "fd", "fdfd"])
def test_what_is_reserved_keeps_its_value(prefix: str) -> None:
    for code in RESERVED[prefix]:
        record = one(prefix, code)
        assert (record.quantity, record.value, record.is_known) == (f"reserved_{prefix}{code:02x}", 1, False)
    assert one("ef", 0x11) == Record("reserved_ef11", 1, is_known=False)
    assert one("", 0x6F) == Record("reserved_6f", 1, is_known=False)


@pytest.mark.parametrize("prefix", ["", "fb", "fd", "fdfd", "ef", "93", "93fc", "fb80", "fdfd80"])
def test_no_code_costs_the_others(prefix: str) -> None:
    """Behind any code at all comes a volume that is read."""
    for code in range(0x80):
        if (prefix, code) == ("", 0x7C) or (prefix == "" and code in {0x7B, 0x7D}):  # text: its length; others: as any
            continue
        data = b"\x01" + bytes.fromhex(prefix) + bytes((code, 1)) + b"\x01\x13\x05"
        found = [record for record in records(data) if isinstance(record, Record)]
        assert len(found) == 2, hex(code)
        assert found[1] == Record("volume", 0.005, "m3"), hex(code)


def test_dates() -> None:
    day, moment = b"\x0b\x13", b"\x0b\x0b\x0b\x13"
    for prefix, quantity in ((b"\x6c", "date"), (b"\xfd\x30", "tariff_start"), (b"\xfd\x70", "battery_change")):
        assert list(records(b"\x02" + prefix + day)) == [Record(quantity, "2008-03-11")]
        assert list(records(b"\x04" + prefix + moment)) == [Record(quantity, "2008-03-11T11:11:00")]
    assert list(records(b"\x04\xfd\x72" + bytes.fromhex("029d39a3"))) == [Record("daylight_saving", "03-29T02/10-25+1")]
    assert list(records(b"\x0d\x6d\xe5\x01\x02\x03\x04\x05")) == [Record("time", "0504030201")]  # type M, as it is sent


def test_unsigned_data() -> None:
    assert list(records(b"\x01\xab\xfc\x11\xff")) == [Record("power", 255, "W")]
    assert list(records(b"\x01\x2b\xff")) == [Record("power", -1, "W")]
