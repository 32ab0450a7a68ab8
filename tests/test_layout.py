"""The house rules that a look at the tree can check: who may import whom, how long a file is, what must be tested."""

import ast
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from torhaus.codecs.registry import CODECS, FAMILIES
from torhaus.daemon.forward.registry import FORWARDERS
from torhaus.daemon.page.registry import VIEWS
from torhaus.daemon.scans.targets.registry import TARGETS
from torhaus.drivers.registry import DRIVERS

ROOT: Final = Path(__file__).resolve().parent.parent
TREES: Final = ("codecs", "drivers", "daemon")
"""In the order in which imports may run: each may import itself and what stands before it."""
MAX_LINES: Final = 300
SOURCE_SUFFIXES: Final = frozenset({".py", ".js", ".css", ".html", ".sql", ".sh"})
IMPURE: Final = re.compile(
    r"(asyncio|concurrent|ctypes|glob|http|io|locale|logging|mmap|multiprocessing|os|pathlib|platform|random|resource"
    r"|secrets|select|selectors|shutil|signal|socket|sqlite3|ssl|subprocess|sys|tempfile|threading|time|urllib|uuid)(\.|$)"
)
"""Modules with which a codec could touch the world or keep time. `datetime` gives values, but must not ask now()."""
CODEC_LIBRARIES: Final = frozenset({"construct", "msgspec", "cryptography"})
CODEC_EXTRAS: Final = {"codecs/framing/chirpstack_gw/as_protobuf.py": frozenset({"google"})}
"""Libraries that one codec alone may use: protobuf is the wire form of ChirpStack's messages. It is as pure as the
others, but an extra, so it is loaded when it is first used."""
GENERIC_SUITES: Final = {
    "codecs/test_vectors.py": CODECS,
    "codecs/test_families.py": FAMILIES,
    "drivers/test_contract.py": DRIVERS,
    "daemon/test_forward_contract.py": FORWARDERS,
    "daemon/test_scans_targets_contract.py": TARGETS,
    "daemon/test_page_views.py": VIEWS,
}
"""Test files that run over a whole registry, and so are the tests of everything registered there."""


def python_files(*trees: str) -> list[Path]:
    return sorted(path for tree in trees for path in (ROOT / tree).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked_files() -> list[Path]:
    """Every file that is or would be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout: there is no list of tracked files")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and not path.is_symlink()]


CODE: Final = python_files(*TREES)
EVERYTHING: Final = python_files(*TREES, "tests", "bench", "docs")
PARSED: Final = {path: ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in EVERYTHING}


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute name of every import in a file, also those inside functions and those by name."""
    for node in ast.walk(PARSED[path]):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=module, level=0, names=names):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in names)
            case ast.ImportFrom():
                yield node.lineno, "a relative import"
            case ast.Constant(value=str(text)) if re.fullmatch(r"torhaus\.(codecs|drivers|daemon)(\.\w+)+", text):
                yield node.lineno, text


def test_imports_run_one_way() -> None:
    wrong = []
    for path in CODE:
        tree = path.relative_to(ROOT).parts[0]
        allowed = tuple(f"torhaus.{name}." for name in TREES[: TREES.index(tree) + 1])
        for line, name in imports(path):
            if name == "a relative import" or (name.startswith("torhaus.") and not f"{name}.".startswith(allowed)):
                wrong.append(f"{name_of(path)}:{line}: {tree} must not import {name}")
    assert wrong == []


def test_drivers_know_no_payloads() -> None:
    wrong = [
        f"{name_of(path)}:{line}: {name}"
        for path in python_files("drivers")
        for line, name in imports(path)
        if name.startswith(("torhaus.codecs.payload", "torhaus.codecs.registry"))
    ]
    assert wrong == []


def test_codecs_are_pure() -> None:
    wrong = []
    known = sys.stdlib_module_names | CODEC_LIBRARIES | {"torhaus"}
    for path in python_files("codecs"):
        for line, name in imports(path):
            allowed = known | CODEC_EXTRAS.get(name_of(path), frozenset())
            if name.split(".")[0] not in allowed or IMPURE.match(name):
                wrong.append(f"{name_of(path)}:{line}: import of {name}")
        for node in ast.walk(PARSED[path]):
            match node:
                case ast.Call(func=ast.Name(id="open" | "print" | "input" | "exec" | "eval" as called)):
                    wrong.append(f"{name_of(path)}:{node.lineno}: {called}()")
                case ast.Call(func=ast.Attribute(attr="now" | "utcnow" | "today" as called)):
                    wrong.append(f"{name_of(path)}:{node.lineno}: {called}() reads the clock")
                case ast.Global():
                    wrong.append(f"{name_of(path)}:{node.lineno}: global")
    assert wrong == []


def test_construct_is_interpreted() -> None:
    """A compiled construct accepts truncated input silently."""
    wrong = []
    for path in CODE:
        for node in ast.walk(PARSED[path]):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr="compile")):
                    pass
                case ast.Call(func=ast.Attribute(attr="compile")):
                    wrong.append(f"{name_of(path)}:{node.lineno}")
    assert wrong == []


def test_files_are_short() -> None:
    long = []
    for path in tracked_files():
        if path.suffix in SOURCE_SUFFIXES:
            lines = path.read_text(encoding="utf-8").count("\n")
            if lines > MAX_LINES:
                long.append(f"{name_of(path)}: {lines} lines")
    assert long == []


def does_something(path: Path) -> bool:
    """Whether a module has a function with a body: protocols and plain structs have nothing to test."""
    functions = (node for node in ast.walk(PARSED[path]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    steps = (step for function in functions for step in function.body)
    return not all(isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant) for step in steps)


def tails(path: Path) -> list[str]:
    """codecs/lorawan/phy.py → codecs_lorawan_phy, lorawan_phy, phy: the names by which a test file may name it."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ["_".join(parts[start:]) for start in range(len(parts))]


def test_every_module_has_a_test() -> None:
    """Its test file is named by its path, with or without the tree; by a shorter tail only if no other module has it.

    What is registered is tested by the suite that runs over its registry; registries by those suites; packages' and the
    start module by everything. Modules that only declare types need none.
    """
    tests = {path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")}
    registered = {
        module
        for suite, registry in GENERIC_SUITES.items()
        if (ROOT / "tests" / suite).exists()
        for module in registry.values()
    }
    modules = [path for path in CODE if path.stem not in {"__init__", "__main__", "registry"} and does_something(path)]
    claims = Counter(tail for path in modules for tail in tails(path))
    untested = [
        name_of(path)
        for path in modules
        if "torhaus." + ".".join(path.relative_to(ROOT).with_suffix("").parts) not in registered
        and not any(tail in tests and (place < 2 or claims[tail] == 1) for place, tail in enumerate(tails(path)))
    ]
    assert untested == []


@pytest.mark.parametrize(
    ("registry", "sample"),
    [
        (DRIVERS, "config/drivers/{}.toml"),
        (FORWARDERS, "config/forwarders/{}.toml"),
        (TARGETS, "config/scan_targets/{}.toml"),
    ],
    ids=["drivers", "forwarders", "scan_targets"],
)
def test_what_is_registered_has_its_sample(registry: dict[str, str], sample: str) -> None:
    folder = (ROOT / sample).parent
    assert {path.stem for path in folder.glob("*.toml")} == set(registry)
    for module in registry.values():
        assert module_file(module).is_file(), module


def test_what_is_registered_has_its_vectors() -> None:
    for module in (*CODECS.values(), *FAMILIES.values()):
        path = module_file(module)
        assert path.is_file(), module
        assert path.with_suffix(".vectors.toml").is_file(), f"{module} has no golden vectors beside it"


def module_file(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")


def is_reasoned(path: Path, handler: ast.ExceptHandler) -> bool:
    """Whether a broad handler raises again, or says in its line why it does not."""
    line = path.read_text(encoding="utf-8").splitlines()[handler.lineno - 1]
    return (
        any(isinstance(node, ast.Raise) for node in ast.walk(handler))
        or re.search(r"# noqa: BLE001 - \w", line) is not None
    )


def test_no_exception_is_swallowed_unseen() -> None:
    wrong = []
    for path in CODE:
        for node in ast.walk(PARSED[path]):
            if isinstance(node, ast.ExceptHandler):
                broad = node.type is None or any(
                    isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"}
                    for name in ast.walk(node.type)
                )
                if node.type is None or (broad and not is_reasoned(path, node)):
                    wrong.append(f"{name_of(path)}:{node.lineno}")
    assert wrong == []


def test_tasks_have_a_supervisor() -> None:
    """Only daemon/supervise.py makes tasks of its own; everywhere else a TaskGroup owns them, so that none is lost."""
    wrong = []
    for path in CODE:
        if path == ROOT / "daemon" / "supervise.py":
            continue
        for node in ast.walk(PARSED[path]):
            match node:
                case ast.Attribute(attr="ensure_future") | ast.Name(id="ensure_future" | "create_task"):
                    wrong.append(f"{name_of(path)}:{node.lineno}")
                case ast.Attribute(attr="create_task", value=owner) if re.search("asyncio|loop", ast.unparse(owner)):
                    wrong.append(f"{name_of(path)}:{node.lineno}")
    assert wrong == []


def test_links_give_the_folders_their_import_name() -> None:
    for name in TREES:
        link = ROOT / ".dev" / "torhaus" / name
        assert link.is_symlink(), f"{link} is missing: run `make links`"
        assert link.resolve() == ROOT / name
    assert (ROOT / ".dev/torhaus/__main__.py").resolve() == ROOT / "daemon" / "__main__.py"


def test_make_brings_lost_links_back(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    broken = tmp_path / ".dev/torhaus"
    broken.mkdir(parents=True)
    (broken / "daemon").write_text("../../daemon", encoding="ascii")  # what a checkout without links leaves
    subprocess.run(["make", "links"], cwd=tmp_path, check=True, env={"PATH": "/usr/bin:/bin"})
    assert {path.name: str(path.readlink()) for path in broken.iterdir()} == {
        **{name: f"../../{name}" for name in TREES},
        "__main__.py": "../../daemon/__main__.py",
    }


def test_locks_name_no_host() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))
    assert [lock.name for lock in locks] == ["requirements-build.lock", "requirements-dev.lock", "requirements.lock"]
    for lock in locks:
        text = lock.read_text(encoding="ascii")
        assert "://" not in text
        assert "--hash=sha256:" in text


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    local = re.compile(rb"(?<![\w.}*])/(work|root|home/\w+)/")
    assert [name_of(path) for path in tracked_files() if local.search(path.read_bytes())] == []
