"""Lists of measurements, `[{variable, value, date}, …]` or `{samples: […], …}`, as native codecs give the same."""

from datetime import datetime
from typing import Any, Final

from torhaus.codecs.model import Fields
from torhaus.daemon.scripts.result import clean, to_fields

_NOT_THERE: Final = "NA"
"""A variable that a published decoder gives for inputs that the device does not have."""
_ASIDE: Final = ("alarm", "batch_counter")
"""What published decoders say beside the list, as warnings or not at all."""


def measurements(expected: object) -> list[dict[str, Any]] | None:
    """The list; None when what is expected has another shape."""
    listed = expected.get("samples") if isinstance(expected, dict) else expected
    if not isinstance(listed, list) or not listed:
        return None
    is_list = all(isinstance(item, dict) and "variable" in item and "value" in item for item in listed)
    return [item for item in listed if item["variable"] != _NOT_THERE] if is_list else None


def as_fields(listed: list[dict[str, Any]], recv_time: str | None, fields: Fields) -> dict[str, Any]:
    """Name to value: of each variable the last one, those before as `history_<n>_<name>`.

    The ages of a batch's values follow from their dates. What is said aside is taken as it was decoded.
    """
    by_name: dict[str, list[dict[str, Any]]] = {}
    for item in listed:
        by_name.setdefault(item["variable"], []).append(item)
    found: dict[str, Any] = {name: value.value for name, value in fields.items() if name.startswith(_ASIDE)}
    has_ages = "batch_counter" in fields and recv_time is not None
    older = 0
    for variable, items in by_name.items():
        for item in items:
            is_last = item is items[-1]
            prefix = "" if is_last else f"history_{older}_"
            found |= {prefix + name: value.value for name, value in to_fields({variable: item["value"]}).items()}
            if has_ages and recv_time is not None:
                found[f"{clean(variable)}_age" if is_last else f"{prefix}age"] = _age(item["date"], recv_time)
            older += not is_last
    return found


def _age(date: str, recv_time: str) -> float:
    """Seconds between two times; both have milliseconds at most."""
    sent, taken = (datetime.fromisoformat(text.rstrip("Z")[:23]) for text in (recv_time, date))
    return round((sent - taken).total_seconds(), 3)
