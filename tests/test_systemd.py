"""The files in systemd/ without a running systemd: are they valid, how much do they allow, do they fit together."""

import os
import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
SYSTEMD: Final = ROOT / "systemd"
UNIT: Final = SYSTEMD / "torhaus.service"
REQUIRED: Final = os.environ.get("CI") == "true" or os.environ.get("TORHAUS_REQUIRE_PEERS") == "1"
TARGETS: Final = ("sysinit", "basic", "shutdown", "network", "multi-user")
EXPOSURE: Final = 13
"""Ten times the score of `systemd-analyze security`. Seeing the clock's state and the boot id costs 3 of it."""
EXPOSURE_SERIAL: Final = 18


def tool(name: str) -> str:
    """The path of a program; without it the test is skipped, or fails where all are required."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        if REQUIRED:
            pytest.fail(f"{name} is not installed: apt install systemd")
        pytest.skip(f"{name} is not installed (apt install systemd)")
    return found


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with just enough in it for systemd's checks: the unit, its program, and the targets it names."""
    units = tmp_path / "usr/lib/systemd/system"
    program = tmp_path / "usr/lib/torhaus/bin/torhaus"
    units.mkdir(parents=True)
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", encoding="ascii")
    program.chmod(0o755)
    for name in TARGETS:
        (units / f"{name}.target").write_text(f"[Unit]\nDescription={name}\n", encoding="ascii")
    shutil.copy(UNIT, units)
    return tmp_path


def add_serial(tree: Path) -> None:
    folder = tree / "etc/systemd/system/torhaus.service.d"
    folder.mkdir(parents=True)
    shutil.copy(SYSTEMD / "serial.conf", folder)


def verify(tree: Path) -> subprocess.CompletedProcess[str]:
    return run(tool("systemd-analyze"), "verify", "--recursive-errors=yes", f"--root={tree}", "torhaus.service")


@pytest.mark.parametrize("serial", [False, True])
def test_systemd_accepts_the_unit(tree: Path, serial: bool) -> None:
    if serial:
        add_serial(tree)
    result = verify(tree)
    assert (result.returncode, result.stdout) == (0, "")


def test_a_misspelt_setting_would_be_noticed(tree: Path) -> None:
    with (tree / "usr/lib/systemd/system/torhaus.service").open("a", encoding="ascii") as unit:
        unit.write("\n[Service]\nProtectSytem=strict\n")
    assert verify(tree).returncode != 0


@pytest.mark.parametrize(("serial", "threshold"), [(False, EXPOSURE), (True, EXPOSURE_SERIAL)])
def test_exposure_stays_low(tree: Path, serial: bool, threshold: int) -> None:
    if serial:
        add_serial(tree)
    result = run(
        *(tool("systemd-analyze"), "security", "--offline=true", "--no-pager"),
        *(f"--threshold={threshold}", f"--root={tree}", "torhaus.service"),
    )
    assert result.returncode == 0, result.stdout


def unit() -> dict[str, list[str]]:
    """Every setting of the unit, with all its values in order."""
    settings: dict[str, list[str]] = {}
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in "#[":
            key, value = line.split("=", 1)
            settings.setdefault(key, []).append(value)
    return settings


def test_only_a_person_can_mend_a_wrong_configuration() -> None:
    settings = unit()
    assert settings["Restart"] == ["always"]
    assert settings["StartLimitIntervalSec"] == ["0"]
    assert settings["RestartPreventExitStatus"] == ["64 78"]
    # a check before the start would not stop the restarts: only the main process's exit code does
    assert not any("torhaus check" in command for command in settings["ExecStartPre"])


def test_the_unit_runs_what_the_installer_installs() -> None:
    installer = (SYSTEMD / "install.sh").read_text(encoding="utf-8")
    program = unit()["ExecStart"][0].split()[0]
    home = re.search(r"^readonly home=(.+)$", installer, re.MULTILINE)
    assert home is not None
    assert program == f"{home[1]}/bin/torhaus"
    for path in SYSTEMD.iterdir():
        if path.name != "install.sh":
            assert f"systemd/{path.name} " in installer, f"{path.name} is never installed"


def test_the_daemon_may_see_the_clock() -> None:
    settings = unit()
    assert "ProtectClock" not in settings  # its filter cannot be opened again by SystemCallFilter
    assert "ProcSubset" not in settings  # the boot id lies in /proc/sys
    calls = settings["SystemCallFilter"]
    assert calls.index("adjtimex clock_adjtime clock_adjtime64") > calls.index("~@privileged @resources")


def test_the_drop_in_only_opens_serial_ports() -> None:
    parser = RawConfigParser(strict=False)
    parser.read(SYSTEMD / "serial.conf", encoding="utf-8")
    assert parser.sections() == ["Service"]
    assert set(parser["Service"]) == {"supplementarygroups", "privatedevices", "privateusers", "deviceallow"}


@pytest.mark.skipif(os.geteuid() != 0, reason="making users needs root, even in a test tree")
def test_user_and_folders_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc/torhaus").mkdir(parents=True)
    keys = tmp_path / "etc/torhaus/devices.keys.toml"
    keys.touch(mode=0o644)
    assert run(tool("systemd-sysusers"), f"--root={tmp_path}", SYSTEMD / "torhaus.sysusers").returncode == 0
    entry = next(line for line in (tmp_path / "etc/passwd").read_text().splitlines() if line.startswith("torhaus:"))
    uid, gid, _, home, shell = entry.split(":")[2:]
    assert (home, Path(shell).name) == ("/var/lib/torhaus", "nologin")
    result = run(tool("systemd-tmpfiles"), "--create", f"--root={tmp_path}", SYSTEMD / "torhaus.tmpfiles")
    assert (result.returncode, result.stdout) == (0, "")
    folder = (tmp_path / "etc/torhaus").stat()
    assert (folder.st_uid, str(folder.st_gid), oct(folder.st_mode & 0o777)) == (0, gid, "0o750")
    assert (str(keys.stat().st_uid), oct(keys.stat().st_mode & 0o777)) == (uid, "0o600")


def test_udev_rules_are_well_formed() -> None:
    """Every line is a list of `KEY operator "value"`; every GOTO has its LABEL behind it."""
    part = re.compile(r'(ACTION|SUBSYSTEM|ENV\{\w+\}|GOTO|LABEL|GROUP|MODE|SYMLINK)(==|!=|=|\+=)"([^"]*)"')
    wanted: set[str] = set()
    for number, line in enumerate((SYSTEMD / "99-torhaus.rules").read_text(encoding="ascii").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        for piece in line.split(", "):
            found = part.fullmatch(piece)
            assert found, f"line {number}: {piece}"
            key, _, value = found.groups()
            if key == "GOTO":
                wanted.add(value)
            elif key == "LABEL":
                wanted.discard(value)
            elif key == "SYMLINK":
                assert re.fullmatch(r"torhaus/[a-z0-9]+-\$env\{ID_(SERIAL_SHORT|PATH_TAG)\}", value)
    assert wanted == set()
    udevadm = tool("udevadm")
    if (
        "Unknown command" not in (checked := run(udevadm, "verify", SYSTEMD / "99-torhaus.rules")).stdout
    ):  # systemd ≥ 254
        assert checked.returncode == 0, checked.stdout


def test_scripts_are_valid() -> None:
    for script in (SYSTEMD / "install.sh", ROOT / ".ci" / "run"):
        assert os.access(script, os.X_OK), f"{script} is not executable"
        assert run("bash", "-n", script).returncode == 0
        text = script.read_text(encoding="utf-8")
        assert "\nset -euo pipefail\n" in text


def test_the_installer_refuses_what_it_does_not_know() -> None:
    result = run(SYSTEMD / "install.sh", "--nonsense")
    assert result.returncode == 64
    assert "--serial" in result.stdout
