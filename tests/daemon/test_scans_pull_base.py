from torhaus.daemon.scans.pull.base import PullRefused
from torhaus.daemon.scans.pull.faults import Fault, Trouble


def test_who_is_refused_is_told_by_word_and_by_sentence() -> None:
    refused = PullRefused(Fault.FEEDER_EMPTY, "the feeder is empty", "adf")
    assert str(refused) == "the feeder is empty"
    assert refused.trouble == Trouble(Fault.FEEDER_EMPTY, "the feeder is empty", "adf")
