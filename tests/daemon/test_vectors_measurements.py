from torhaus.codecs.model import Value
from torhaus.daemon.vectors.measurements import as_fields, measurements

AT = "2023-07-19T07:51:25.508306410Z"


def test_what_is_a_list_of_measurements() -> None:
    listed = [{"variable": "temperature", "value": 21.4, "date": AT}]
    assert measurements(listed) == measurements({"samples": listed, "temperature": 21.4}) == listed
    assert measurements([*listed, {"variable": "NA", "value": "NA"}]) == listed
    for other in ([], [1], [{"value": 1}], {"samples": 3}, {"temperature": 21.4}, None):
        assert measurements(other) is None


def test_the_last_one_is_the_newest() -> None:
    listed = [
        {"variable": "CO2", "value": 410, "date": "2023-07-19T07:51:15.508Z"},
        {"variable": "CO2", "value": 420, "date": "2023-07-19T07:51:25.508Z"},
    ]
    assert as_fields(listed, AT, {"batch_counter": Value(3)}) == {
        "batch_counter": 3,
        "history_0_co2": 410,
        "history_0_age": 10,
        "co2": 420,
        "co2_age": 0,
    }


def test_parts_of_a_value_and_what_is_said_aside() -> None:
    listed = [{"variable": "DATE", "value": {"S": "E"}, "date": AT}]
    decoded = {"alarm_0_mode": Value("delta"), "date_s": Value("H")}
    assert as_fields(listed, AT, decoded) == {"alarm_0_mode": "delta", "date_s": "E"}
