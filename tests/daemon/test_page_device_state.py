import asyncio
from pathlib import Path

import pytest

from tests.daemon.page_scene import home_of, visited
from torhaus.codecs.model import Fields, Value
from torhaus.daemon.lora.radio_link import RadioView
from torhaus.daemon.page.device_state import battery, radio_views, state
from torhaus.daemon.page.language import Language
from torhaus.daemon.page.view import Ask

DE = Language("de")


@pytest.mark.parametrize(
    ("level", "fields", "text"),
    [
        (0, {}, "Netz"), (1, {}, "0 %"), (254, {}, "100 %"), (255, {}, "–"), (None, {}, "–"),
        (255, {"battery_voltage": Value(3.6, "V")}, "3,6 V"),
        (None, {"x": Value(1), "battery": Value(88, "%")}, "88 %"),
        (127, {"battery": Value(1, "%")}, "50 %"),
    ],
)  # fmt: skip
def test_batteries(level: int | None, fields: Fields, text: str) -> None:
    assert battery(DE, RadioView(device="a", battery=level), fields) == text


def test_without_radio_the_reading_says_it() -> None:
    assert battery(DE, None, {"battery": Value(12, "%")}) == "12 %"
    assert battery(DE, None, None) == "–"


def test_states(tmp_path: Path) -> None:
    async def go() -> None:
        async with visited(home_of(tmp_path)) as visitor:
            ask = Ask(visitor.app._sources(), Language("en"))
            assert radio_views(ask) == {}  # nobody is answered here
            assert "overdue" in state(ask, "a", 1, is_late=True).text
            assert "heard" in state(ask, "a", 1, is_late=False).text
            assert "never heard" in state(ask, "a", 0, is_late=False).text
            ask.site.watch.undecodable("a", "short")
            assert "cannot be decoded" in state(ask, "a", 0, is_late=False).text  # and not: never heard
            assert "heard" in state(ask, "a", 1, is_late=False).text  # one refused payload is no news
            for _ in range(2):
                ask.site.watch.undecodable("a", "short")
            assert "cannot be decoded" in state(ask, "a", 1, is_late=True).text

    asyncio.run(go())
