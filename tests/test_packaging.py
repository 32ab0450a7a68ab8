"""What is built is what lies in the tree, and it runs from where it is installed."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
TREES: Final = ("codecs", "drivers", "daemon")
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WHEEL: Final = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]


def files_in(folder: str) -> list[str]:
    """Every file below a folder, by its path from the top."""
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return [path.relative_to(ROOT).as_posix() for path in found]


def build(target: str, folder: Path) -> Path:
    """Build with the hatchling that is installed: no network."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    subprocess.run(
        [*pip, "--no-index", "--no-deps", "--target", str(folder), str(wheel)], check=True, capture_output=True
    )
    return folder


def run_installed(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with the installed package in front of the tree, from a place that is neither."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder.parent,
        env=environment | {"PYTHONPATH": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )


def test_the_wheel_holds_the_three_trees_and_nothing_else(wheel: Path) -> None:
    expected = {path: f"torhaus/{path}" for tree in TREES for path in files_in(tree)}
    for source, target in WHEEL["force-include"].items():
        paths = files_in(source) if (ROOT / source).is_dir() else [source]
        expected |= {path: target + path.removeprefix(source) for path in paths}
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name for name in names if ".dist-info/" not in name} == set(expected.values())
    assert len(names) == len(set(names))


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        info = next(name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name)
        metadata = archive.read(f"{info}/METADATA").decode()
        scripts = archive.read(f"{info}/entry_points.txt").decode()
        licence = archive.read(f"{info}/licenses/LICENSE").decode()
    assert "License-Expression: EUPL-1.2\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata
    assert "torhaus = torhaus.daemon.main:main" in scripts
    assert licence.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\n")


def test_the_source_archive_can_be_installed_from(tmp_path: Path) -> None:
    with tarfile.open(build("sdist", tmp_path / "sdist")) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    wanted = {"Makefile", "LICENSE", "README.md", "systemd/install.sh", "systemd/torhaus.service", "requirements.lock"}
    assert wanted <= names
    for tree in TREES:
        assert f"{tree}/__init__.py" in names


def test_the_installed_package_starts(installed: Path) -> None:
    where = run_installed(installed, "-c", "import torhaus.daemon, torhaus.codecs; print(torhaus.daemon.__file__)")
    assert where.stdout.strip() == str(installed / "torhaus/daemon/__init__.py"), where.stderr
    result = run_installed(installed, "-m", "torhaus", "--help")
    assert result.returncode == 0, result.stderr
    assert "check" in result.stdout
    assert (installed / "bin" / "torhaus").is_file()


def test_every_module_can_be_imported_where_it_is_installed(installed: Path) -> None:
    modules = sorted(
        ".".join(path.relative_to(installed).with_suffix("").parts)
        for path in (installed / "torhaus").rglob("*.py")
        if path.stem not in {"__init__", "__main__"}
    )
    code = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)"
    result = run_installed(installed, "-W", "error", "-c", code)
    assert result.returncode == 0, result.stderr


def test_the_installed_package_has_its_samples(installed: Path) -> None:
    code = "from torhaus.daemon.config.sample import samples; print(*sorted(samples()))"
    result = run_installed(installed, "-c", code)
    shipped = sorted(path.removeprefix("config/").split(".toml")[0] for path in files_in("config"))
    assert result.stdout.split() == shipped, result.stderr


def locked(name: str) -> dict[str, str]:
    """Name to version of what a lock file pins."""
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / name).read_text(encoding="ascii"), re.MULTILINE))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-") for requirement in requirements}


def test_locks_pin_what_the_project_needs() -> None:
    run, dev, make = locked("requirements.lock"), locked("requirements-dev.lock"), locked("requirements-build.lock")
    extras = [requirement for extra in PROJECT["project"]["optional-dependencies"].values() for requirement in extra]
    assert names(PROJECT["project"]["dependencies"] + extras) <= set(run), "run `make lock`"
    assert names(PROJECT["dependency-groups"]["dev"]) <= set(dev), "run `make lock`"
    assert names(PROJECT["build-system"]["requires"]) <= set(make), "run `make lock`"
    assert {**run, **make}.items() <= dev.items(), "the locks disagree on a version: run `make lock`"


def test_the_catalogue_entry_is_in_step() -> None:
    entry = (ROOT / "publiccode.yml").read_text(encoding="utf-8")
    assert f'softwareVersion: "{PROJECT["project"]["version"]}"\n' in entry
    assert f"license: {PROJECT['project']['license']}\n" in entry
