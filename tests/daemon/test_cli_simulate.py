"""`torhaus simulate devices`: lists are written and read, and what cannot be is refused in words."""

from pathlib import Path
from typing import Any

import pytest

from torhaus.daemon.main import main
from torhaus.daemon.simulate import run
from torhaus.daemon.simulate.nonces import NONCES


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would be simulated."""
    found: list[Any] = []

    async def fake(plan: run.Plan, _clock: object, seconds: float | None, kept: Any) -> int:
        found.append((plan, seconds))
        kept({plan.known[0].eui: (7, 3)})
        return 1

    monkeypatch.setattr(run, "simulate", fake)
    return found


def go(*words: str) -> int:
    return main(["simulate", "devices", *words])


def test_on_loopback_a_seed_is_enough(plans: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert go("--devices", "3", "--gateways", "2", "--seconds", "5", "--confirmed-every", "4", "--class-c") == 1
    (plan, seconds) = plans[0]
    assert (len(plan.known), plan.gateways, plan.to, seconds) == (3, 2, ("udp://127.0.0.1:1700",), 5.0)
    assert (plan.habits.confirmed_every, plan.habits.class_c, plan.habits.is_limited) == (4, True, True)
    assert "3 devices, gateways 02746f7267770000 to 02746f7267770001" in capsys.readouterr().out
    go("--lorawan", "1.0.4", "--seed", "5", "--no-duty-cycle")
    assert plans[1][0].habits.is_limited is False
    assert "begin anew" in capsys.readouterr().err
    assert plans[1][0].known[0].app_key != plan.known[0].app_key


def test_lists_are_written_and_simulated(plans: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lists = tmp_path / "lists"
    assert go("--write-registry", str(lists), "--devices", "4", "--gateways", "2", "--lorawan", "1.0.4,1.1") == 0
    said = capsys.readouterr().out
    assert said.count("[[driver.gateway]]") == 2
    far = ("--registry", str(lists), "--to", "wss://torhaus.example:3001")
    assert go(*far) == 1
    known = plans[0][0].known
    assert [one.version for one in known] == ["1.0.4", "1.1", "1.0.4", "1.1"]
    assert all(k.app_key.hex() not in said for k in known)
    assert (lists / NONCES).exists()
    assert go(*far) == 1
    assert plans[1][0].nonces == {known[0].eui: (7, 3)}
    assert go("--write-registry", str(lists)) == 73
    assert "cannot be written" in capsys.readouterr().err
    with (lists / "devices.toml").open("a") as file:
        file.write('[[device]]\nname = "bare"\ndev_eui = "0000000000000001"\n')
    go(*far)
    assert "1 devices without root keys" in capsys.readouterr().err
    (lists / "devices.keys.toml").chmod(0o644)
    assert go(*far) == 78
    assert "chmod 600" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "udp://192.0.2.1:1700"], "for loopback only"),
        (["--to", "http://x"], "--to must be udp://"),
        (["--lorawan", "2.0"], "--lorawan must be some of 1.0.2"),
        (["--region", "MARS"], "--region must be one of EU868"),
        (["--devices", "0"], "there are 1 to 65536 devices"),
        (["--loss", "2"], "a loss of 0 to 1"),
        (["--seconds", "-1"], "are not below 0"),
        (["--radius", "0"], "--radius is above it"),
    ],
)
def test_what_cannot_be(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert go(*words) == 64
    assert said in capsys.readouterr().err


def test_no_device_with_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "devices.toml").write_text('[[device]]\nname = "bare"\ndev_eui = "0000000000000001"\n')
    (tmp_path / "devices.keys.toml").touch(mode=0o600)
    assert go("--registry", str(tmp_path)) == 64
    assert "no device of the lists has root keys" in capsys.readouterr().err
