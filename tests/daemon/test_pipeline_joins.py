"""What a join-request becomes on its way through the pipeline."""

from tests.daemon.lora_device import OtaaDevice
from tests.daemon.pipeline_fakes import Stage
from torhaus.codecs.model import RejectReason
from torhaus.daemon.lora.join_book import JoinBook
from torhaus.daemon.lora.joins import Joiner, Joins
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.roots import Roots


async def _save() -> None:
    return None


def test_a_right_one_is_kept_and_relayed_and_is_no_fault() -> None:
    it = OtaaDevice()
    device = Device(it.name, it.eui, "elsys")
    stage = Stage([device])
    joiners = [Joiner(device, Roots(it.dev_eui, it.join_key))]
    Joins(stage.network, joiners, JoinBook(stage.clock.wall_ns), stage.clock, _save)
    stage.pipeline.relayed = lambda _: True
    stage.deliver(stage.frame(it.ask()))
    (record,) = stage.store.strangers
    assert (record.device, record.dev_eui, record.reason, record.codec, record.kind) == (
        "flur",
        it.eui,
        None,
        None,
        "frame",
    )
    assert stage.store.main == [], "recordings of it can be sent by anybody"
    assert len(stage.store.relay) == 1
    assert not stage.watch.rejects
    stage.deliver(stage.frame(OtaaDevice(app_key=bytes(16)).ask()))
    assert stage.store.strangers[-1].reason == RejectReason.MIC.value
    assert "AppKey" in (stage.store.strangers[-1].detail or "")
    assert len(stage.store.relay) == 2, "whether it may join is for the network server to say"
