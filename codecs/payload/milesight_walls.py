"""Milesight: what wall switches of version 4 (WS501 to WS503) answer: schedules, summer time, commands between devices.

Shape: milesight_answers.py, source: milesight.py. The days of a schedule that was set are `monday` and so on, those of
one that is reported `execution_day_mon`, as the published decoder has them.
"""

from collections.abc import Mapping
from typing import Final

from torhaus.codecs.layout.compact import Special as Line
from torhaus.codecs.layout.compact import field
from torhaus.codecs.layout.field import Step, run
from torhaus.codecs.layout.tags import Special
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Scalar, Value
from torhaus.codecs.payload.milesight_answers import answers, enable, more_answers, place
from torhaus.codecs.payload.milesight_channels import ENABLE, NO_YES, Channels, named, row
from torhaus.codecs.payload.milesight_setpoints import ZONES

_SET: Final = {0: "not config", 1: "enable", 2: "disable"}
_SWITCHED: Final = {0: "keep", 1: "on", 2: "off", 3: "reversal"}
_LOCKED: Final = {0: "keep", 1: "lock", 2: "unlock"}
_DONE: Final = {0: "off", 1: "on", 2: "reversel"}
_MONTHS: Final = dict(
    enumerate(("Jan.", "Feb.", "Mar.", "Apr.", "May.", "Jun.", "Jul.", "Aug.", "Sep.", "Oct.", "Nov.", "Dec."), 1)
)
_WEEKS: Final = {1: "1st", 2: "2nd", 3: "3rd", 4: "4th", 5: "last"}
_WEEK_DAYS: Final = dict(enumerate(("Mon.", "Tues.", "Wed.", "Thurs.", "Fri.", "Sat.", "Sun."), 1))
_HOURS: Final = {60 * hour: f"{hour:02}:00" for hour in range(24)}
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EXECUTION: Final = tuple(f"execution_day_{day}" for day in ("mon", "tues", "wed", "thu", "fri", "sat", "sun"))
_BUTTONS: Final = 3
_SCHEDULE: Final = 0x64
_SCHEDULE_SIZE: Final = 7
_RESULTS: Final = {
    2: "failed, out of range",
    **{
        first + n: f"{word}, conflict with channel={n + 1}"
        for first, word in ((17, "success"), (49, "failed"))
        for n in range(16)
    },
    81: "failed,rule config empty",
}
RESULTS: Final = {
    0: "success", 1: "forbidden", 2: "out of range", 16: "continue is 0",
    17: "The continue is greater than the maximum value allowed by the device",
    18: "Command expires (start time + continue <= current time)",
}  # fmt: skip
"""What became of a command, on f8."""


def _schedule(name: str, days: tuple[str, ...], count: int) -> tuple[Step, ...]:
    """When it switches, what, and whether its buttons are locked then."""
    prefix = f"{name}_#_"
    return row(
        f"{prefix}schedule_id u8",
        named(f"{prefix}enable u8 0:2", _SET),
        named(f"{prefix}use_config = 4:1", NO_YES),
        *(named(f"{prefix}{day} {'=' if n else 'u8'} {n}:1", ENABLE) for n, day in enumerate(days)),
        f"{prefix}execut_hour u8",
        f"{prefix}execut_min u8",
        *(named(f"{prefix}button_status{n + 1} {'=' if n else 'u8'} {2 * n}:2", _SWITCHED) for n in range(count)),
        named(f"{prefix}lock_status u8", _LOCKED),
    )


def _set_schedule(steps: tuple[Step, ...], *, has_result: bool) -> Special:
    """A schedule that was set; on f8 the result stands behind it, and the schedule itself only if it was accepted."""

    def read(data: bytes, pos: int, out: Fields) -> int:
        behind = pos + _SCHEDULE_SIZE
        if len(data) < behind + has_result:
            raise DecodeError(RejectReason.SHORT, f"a schedule at offset {pos} is cut off")
        result = data[behind] if has_result else 0
        if result == 0:
            run(steps, data, pos, out, place(steps, out))
        else:
            out["device_response_result_channel_type"] = Value(_SCHEDULE)
            out["device_response_result_result"] = Value(RESULTS.get(result, "unknown"))
            out["device_response_result_request_schedule_settings_result"] = Value(_RESULTS.get(result, "unknown"))
        return behind + has_result

    return read


def _agent(raw: int) -> Mapping[str, Scalar]:
    name = "d2d_agent_settings_array_#_action_status_button"
    buttons = ", ".join(f"button{n + 1}" for n in range(_BUTTONS) if raw >> 4 + n & 1)
    is_known = buttons and not raw >> 7
    return {name: buttons if is_known else "unknown", f"{name}_status": _DONE.get(raw & 0x0F, "unknown")}


def _command(name: str) -> Line:
    return field(f"{name} hex2", convert=lambda raw: raw[::-1].hex())


def _enabled(raw: int) -> Mapping[str, Scalar]:
    out: dict[str, Scalar] = {}
    for n, who in enumerate(("controller", "agent")):
        out[f"d2d_settings_d2d_{who}_enable"] = ENABLE[raw >> n & 1]
        out[f"d2d_settings_d2d_{who}_enable_change"] = NO_YES[raw >> n + 4 & 1]
    return out


def _summer_time() -> tuple[Step, ...]:
    name = "daylight_saving_time_"
    ends = (
        line
        for when in ("start", "end")
        for line in (
            named(f"{name}{when}_month u8", _MONTHS),
            named(f"{name}{when}_week_num u8 4:4", _WEEKS),
            named(f"{name}{when}_week_day = 0:4", _WEEK_DAYS),
            named(f"{name}{when}_hour_min u16", _HOURS),
        )
    )
    return row(named(f"{name}enable u8 7:1", ENABLE), f"{name}dst_bias = 0:7 min", *ends)


def _asked(raw: int) -> Scalar:
    return "all schedules" if raw == 0xFF else raw


def _controller() -> tuple[Step, ...]:
    prefix = "d2d_controller_settings_array_#_"
    return row(
        named(f"{prefix}button_id u8", {n: f"button{n + 1}" for n in range(_BUTTONS)}),
        enable(f"{prefix}contrl_enable"),
        named(f"{prefix}uplink_lora_enable u8 0:1", ENABLE),
        named(f"{prefix}uplink_button_enable = 1:1", ENABLE),
        _command(f"{prefix}contrl_cmd"),
    )


def wall_answers(count: int) -> Channels:
    """Answers of a switch of so many buttons."""
    agent = "d2d_agent_settings_array_#_"
    powers = (f"power_consumption_2w_button_power{n + 1} u16" for n in range(count))
    unused = 2 * (_BUTTONS - count)
    settings = _schedule("schedule_settings", _DAYS, count)
    return {
        **answers(
            {
                "83": row(
                    f"{agent}number u8",
                    named(f"{agent}enable u8 0:1", ENABLE),
                    _command(f"{agent}control_command"),
                    field(f"{agent}action u8", makes=_agent),
                ),
                "bd": row(named("time_zone i16", ZONES)),
                "c7": row(field("d2d_settings u8", makes=_enabled)),
            }
        ),
        **more_answers(
            {
                "65": row(field("get_schedule_schedule_id u8", convert=_asked)),
                "67": _schedule("schedule_report", _EXECUTION, count),
                "72": _summer_time(),
                "ab": row(enable("power_consumption_2w_enable"), *powers, *((f"none skip{unused}",) if unused else ())),
                "b8": _controller(),
            },
            RESULTS,
        ),
        f"f8 {_SCHEDULE:02x}": _set_schedule(settings, has_result=True),
        f"f9 {_SCHEDULE:02x}": _set_schedule(settings, has_result=False),
    }
