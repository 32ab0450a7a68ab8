import asyncio
import sys
from pathlib import Path

import pytest

from tests.daemon.scans_fakes import make_image, make_pdf
from torhaus.daemon.scans.check import CHILD, CheckUnavailable, ProcessCheck
from torhaus.daemon.scans.checker import Limits, Verdict
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.states import Reason


def judge(path: Path, limits: Limits, *command: str) -> Verdict:
    return asyncio.run(ProcessCheck(Disk(), limits, command or CHILD).check(path))


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-c", code)


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "document"
    path.write_bytes(make_pdf(3))
    return path


def test_the_real_child_judges_good_and_bad(document: Path) -> None:
    assert judge(document, Limits()) == Verdict("application/pdf", None, 3)
    document.write_bytes(make_pdf(3)[:-100])
    assert judge(document, Limits()).reason is Reason.DAMAGED


def test_too_much_memory_is_this_documents_fault(document: Path) -> None:
    document.write_bytes(make_image("PNG", size=(9000, 9000)))
    assert judge(document, Limits(memory_bytes=100 << 20)).reason in {Reason.TOO_BIG_TO_CHECK, Reason.CHECK_CRASHED}


def test_a_hanging_child_is_killed(document: Path) -> None:
    verdict = judge(document, Limits(wall_s=0.2), *python("import time; time.sleep(600)"))
    assert verdict.reason is Reason.CHECK_TIME


def test_a_child_that_takes_too_much_cpu_time_is_told_from_a_crash(document: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)"
    assert judge(document, Limits(), *python(code)).reason is Reason.CHECK_TIME


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.abort()",
        "raise SystemExit(1)",
        "print('no json')",
        "print('{\"media_type\": 1}')",
        "pass",
        "import os; os.write(1, bytes([255, 34]))",
    ],
)
def test_a_crashing_or_babbling_child_is_a_verdict(document: Path, code: str) -> None:
    assert judge(document, Limits(), *python(code)).reason is Reason.CHECK_CRASHED


def test_endless_output_is_cut_off(document: Path) -> None:
    code = "import os\nwhile True: os.write(1, b'x' * 4096)"
    assert judge(document, Limits(wall_s=0.3), *python(code)).reason is Reason.CHECK_TIME


def test_missing_parsers_and_missing_programs_judge_nothing(document: Path) -> None:
    with pytest.raises(CheckUnavailable):
        judge(document, Limits(), *python("raise SystemExit(69)"))
    with pytest.raises(CheckUnavailable):
        judge(document, Limits(), "/nonexistent/program")


def test_the_child_gets_a_descriptor_and_nothing_else(document: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s")
    code = (
        "import os, sys, json\n"
        "ok = os.read(0, 5) == b'%PDF-' and 'SECRET' not in os.environ and sys.argv[1].startswith('{')\n"
        "print(json.dumps({'media_type': 'ok' if ok else 'bad'}))"
    )
    assert judge(document, Limits(), *python(code)).media_type == "ok"


def test_limits_are_set_in_the_child(document: Path) -> None:
    code = (
        "import resource as r, json\n"
        "from torhaus.daemon.scans.checker import Limits, bound\n"
        "bound(Limits())\n"
        "ok = r.getrlimit(r.RLIMIT_AS)[0] == 1 << 30 and r.getrlimit(r.RLIMIT_FSIZE) == (0, 0)"
        " and r.getrlimit(r.RLIMIT_CPU) == (60, 61) and r.getrlimit(r.RLIMIT_CORE) == (0, 0)\n"
        "print(json.dumps({'media_type': 'ok' if ok else 'bad'}))"
    )
    assert judge(document, Limits(), *python(code)).media_type == "ok"
