from torhaus.daemon.scans.pull.faults import CUT_OFF, Fault, Trouble


def test_a_trouble_is_its_english_sentence() -> None:
    jam = Trouble(Fault.JAM, "paper jam", "tray 2")
    assert str(jam) == "paper jam"
    assert (CUT_OFF.fault, CUT_OFF.detail) == (Fault.CUT_OFF, "")
