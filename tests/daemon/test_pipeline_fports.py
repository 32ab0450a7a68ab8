"""A device's FPorts: what comes on others is kept as it is."""

import pytest

from tests.daemon.pipeline_fakes import ELSYS, Stage, device_of, uplink


@pytest.mark.parametrize(("fports", "kind"), [((), "reading"), ((5, 6), "reading"), ((6,), "frame")])
def test_payloads_on_other_fports_stay_raw(fports: tuple[int, ...], kind: str) -> None:
    device = device_of(ELSYS)
    device.fports = fports
    stage = Stage([device])
    stage.deliver(stage.frame(uplink(ELSYS, 8)))
    (record,) = stage.store.main
    assert (record.kind, record.reason, bool(record.fields)) == (kind, None, kind == "reading")
    assert (stage.watch.rejects, stage.store.strangers) == ({}, [])
