import re
from pathlib import Path

from torhaus.daemon.scans.pull import faults
from torhaus.daemon.scans.pull.faults import CUT_OFF, Fault, PullRefused, Stopped, Trouble


def test_what_a_fault_says() -> None:
    refused = PullRefused(Fault.SETTING, "the scanner does not scan in blue", "blue")
    assert (str(refused), str(refused.trouble)) == ("the scanner does not scan in blue",) * 2
    assert refused.trouble == Trouble(Fault.SETTING, "the scanner does not scan in blue", "blue")
    assert Stopped(Fault.JAM, "paper jam").trouble.detail == ""
    assert str(CUT_OFF) == "the job was cut off"


def test_every_fault_is_told_by_somebody() -> None:
    code = "".join(path.read_text() for path in Path(faults.__file__).parent.glob("*.py"))
    assert set(re.findall(r"Fault\.([A-Z_]+)", code)) == {fault.name for fault in Fault}
