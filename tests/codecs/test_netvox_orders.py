from typing import Any

import pytest

from torhaus.codecs.encoders import Made, encoder
from torhaus.codecs.model import DecodeError

NETVOX = encoder("netvox")


@pytest.mark.parametrize(
    ("data", "payload", "fport"),
    [
        (
            {"Cmd": "ConfigReportReq", "Device": "R711", "MinTime": 60, "MaxTime": 600, "BatteryChange": 0.1,
             "TempChange": 1, "HumiChange": 5},
            "0101003c025801006401f4", 7,
        ),
        ({"cmd": "read_config_report_req", "device": "r311a"}, "0202000000000000000000", 7),
        ({"Cmd": "Toggle", "Device": "R809A"}, "920e000000000000000000", 7),
        ({"Cmd": "SetSwitchTypeReq", "Device": "R831C", "SwitchType": "Momentary"}, "03ad010000000000000000", 7),
        ({"Cmd": "GetIRDisableTimeReq", "Device": "RB11E"}, "0403000000000000000000", 7),
        ({"Cmd": "StartWarning", "Device": "R602A", "WarningMode": 1, "StrobeMode": 1, "WarningDuration": 180},
         "9069010100b40000000000", 7),
        ({"Cmd": "SetButtonPressTimeReq", "PressTime": 3}, "0103", 13),
    ],
)  # fmt: skip
def test_requests(data: dict[str, Any], payload: str, fport: int) -> None:
    assert NETVOX is not None
    assert NETVOX(data) == Made(bytes.fromhex(payload), fport)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"Device": "R711"}, "Cmd is missing"),
        ({"Cmd": "ConfigReportReq"}, "Device is 'None', must be its type"),
        ({"Cmd": "ConfigReportReq", "Device": "R711", "MinTime": 60}, "max_time is missing"),
        ({"Cmd": "ConfigReportReq", "Device": "R711", "MinTime": 70000, "MaxTime": 1}, "does not fit into 2 bytes"),
        ({"Cmd": "SetSwitchTypeReq", "Device": "R711"}, r"is no command of R711\(R712\)"),
    ],
)
def test_what_is_no_request_is_refused(data: dict[str, Any], said: str) -> None:
    assert NETVOX is not None
    with pytest.raises(DecodeError, match=said):
        NETVOX(data)
