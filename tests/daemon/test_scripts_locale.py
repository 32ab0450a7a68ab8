"""Numbers and times as locales write them: what is not covered throws, what is given is what Node.js gives."""

import itertools
import json
import shutil
import subprocess

import pytest

from tests.daemon.scripts_fakes import Bench

DATES = [946684800000, 1711846799000, 1711846800000, 1729990799000, 1729990800000, 1732600000123, 946730096000]
LOCALES = ["undefined", '"en-US"', '"de-DE"', '"en-GB"', '"fr-FR"', '"fr"']
PARTS = [
    "{}",
    '{timeZone:"Europe/Paris",year:"2-digit",month:"2-digit",day:"2-digit",hour:"2-digit",minute:"2-digit",hour12:!1}',
    '{timeZone:"Europe/Berlin"}',
    '{timeZone:"Europe/Helsinki",hour12:false}',
    '{month:"long",day:"numeric",year:"numeric"}',
    '{weekday:"short",month:"short",day:"numeric"}',
    '{hour:"numeric"}',
    '{minute:"2-digit"}',
    '{year:"numeric",month:"2-digit",day:"2-digit"}',
    '{day:"2-digit"}',
    '{timeZoneName:"short"}',
    '{dateStyle:"short"}',
]
NUMBERS = [
    "0",
    "-0",
    "1234.5",
    "1234567.891234",
    "-12.345",
    "0.0005",
    "1e21",
    "NaN",
    "Infinity",
    "1.005",
    "2.5",
    "12345n",
]
DIGITS = ["{}", "{minimumFractionDigits:2}", "{maximumFractionDigits:1}", '{style:"percent"}', "{useGrouping:false}"]
CASES = [
    *(f"new Date({d}).{m}({where},{how})" for where, how, d in itertools.product(LOCALES, PARTS, DATES)
      for m in ("toLocaleString", "toLocaleDateString", "toLocaleTimeString")),
    *(f"new Intl.DateTimeFormat({where},{how}).format({DATES[1]})" for where, how in itertools.product(LOCALES, PARTS)),
    *(f"({n}).toLocaleString({where},{how})" for where, how, n in itertools.product(LOCALES, DIGITS, NUMBERS)),
    *(f"new Intl.NumberFormat({where},{how}).format(1234.56)" for where, how in itertools.product(LOCALES, DIGITS)),
]  # fmt: skip


def ask(expressions: list[str]) -> list[str]:
    """What scripts get; in parts, as results are bounded."""
    bench = Bench()
    text = "function decodeUplink(i) { return {data: i.all.map((s) => { try { return (0, eval)(s); } catch (e) { return '!' + e.message; } })}; }"  # noqa: E501
    found: list[str] = []
    for part in _parts(expressions):
        bench.engine.add("it.js", text.replace("i.all", json.dumps(part)))
        found += [str(value) for value in bench.values("it.js").values()]
    return found


def _parts(expressions: list[str]) -> list[list[str]]:
    return [expressions[n : n + 100] for n in range(0, len(expressions), 100)]


def test_written() -> None:
    assert ask(
        [
            "(1234.5).toLocaleString()",
            '(1234.5).toLocaleString("de-DE")',
            "(12345n).toLocaleString()",
            'new Date(0).toLocaleString("de")',
            "new Date(0).toLocaleString()",
            "new Date(NaN).toLocaleString()",
            'new Date(1711846800000).toLocaleTimeString("de", {timeZone: "Europe/Berlin"})',
            'new Date(1711846799000).toLocaleTimeString("de", {timeZone: "Europe/Berlin"})',
        ]
    ) == ["1,234.5", "1.234,5", "12,345", "1.1.1970, 00:00:00", "1/1/1970, 12:00:00 AM", "Invalid Date",
        "03:00:00", "01:59:59"]  # fmt: skip


@pytest.mark.parametrize(
    "expression",
    [
        'new Date(0).toLocaleString("ja")',
        'new Date(0).toLocaleString("de", {month: "long"})',
        'new Date(0).toLocaleString("en", {timeZone: "America/New_York"})',
        'new Date(0).toLocaleString("en", {timeZone: "Europe/Berlin"})',
        '(1).toLocaleString("de", {style: "currency", currency: "EUR"})',
    ],
)
def test_not_covered(expression: str) -> None:
    assert "not available to scripts" in ask([expression])[0]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_like_node() -> None:
    say = "(s) => { try { return String(eval(s)); } catch (e) { return e.message; } }"
    program = f"console.log(JSON.stringify({json.dumps(CASES)}.map({say})))"
    answer = subprocess.run(
        ["node", "-"], input=program, capture_output=True, text=True, check=True, env={"TZ": "UTC", "PATH": "/usr/bin"}
    )
    found = ask(CASES)
    refused = [case for case, text in zip(CASES, found, strict=True) if "not available" in text]
    differ = [
        (case, text, theirs)
        for case, text, theirs in zip(CASES, found, json.loads(answer.stdout), strict=True)
        if "not available" not in text and text != theirs
    ]
    assert differ == []
    assert len(refused) < len(CASES) / 2
