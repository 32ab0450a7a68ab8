"""Frames by way of a network server: decoded like our own, told apart from them where counters and relays are."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from tests.daemon.clocks import FakeClock
from tests.daemon.outbox_fakes import load_sessions
from tests.daemon.pipeline_fakes import ELSYS, Stage, device_of
from tests.daemon.test_pipeline_relay import stage_with
from torhaus.codecs.model import Frame, Radio, Reception, Served
from torhaus.codecs.registry import load
from torhaus.daemon.outbox.store import MAIN, Limits, Outbox, Reporter

GATEWAY = "0016c001f153a14c"


def frame(stage: Stage, dev_eui: str | None = ELSYS.dev_eui, **values: Any) -> Frame:
    payload = ELSYS.payload(3)
    radio = Radio(868_100_000, "LORA", "SF7BW125", "4/5", [Reception(GATEWAY, -97, 7.5)])
    defaults: dict[str, Any] = {"radio": radio, "fport": 5, "fcnt": 3, "payload": payload, "confirmed": True}
    served = Served(dev_eui or "", "key", None, **(defaults | values))
    return Frame("lns", served.payload or b"", stage.clock.stamp(), served=served)


def test_a_payload_goes_through_the_codec_of_its_device() -> None:
    stage = Stage()
    stage.deliver(frame(stage))
    (record,) = stage.store.main
    assert (record.kind, record.device, record.dev_eui, record.codec) == ("reading", ELSYS.name, ELSYS.dev_eui, "elsys")
    assert record.fields == load("elsys")(ELSYS.payload(3), 5)
    assert record.raw == ELSYS.payload(3)
    lora = record.lora
    assert lora is not None
    assert (lora.fcnt, lora.fport, lora.confirmed, lora.dr, lora.freq_hz) == (3, 5, True, 5, 868_100_000)
    assert [(r.gateway, r.rssi_dbm, r.snr_db) for r in lora.rx] == [(GATEWAY, -97, 7.5)]
    assert stage.store.strangers == []


def test_a_script_gets_it_as_well() -> None:
    stage = Stage([device_of(ELSYS, script="/x.js")])
    stage.deliver(frame(stage))
    assert (stage.store.main[0].pending, stage.store.main[0].payload) == (True, ELSYS.payload(3))


def test_mac_commands_alone_are_a_frame() -> None:
    stage = Stage()
    stage.deliver(frame(stage, payload=None, fport=None))
    (record,) = stage.store.main
    assert (record.kind, record.reason, record.fields) == ("frame", None, None)


def test_a_frame_without_data_is_not_refused() -> None:
    stage = Stage()
    stage.deliver(frame(stage, payload=b""), frame(stage, payload=b"", radio=None))
    assert [(record.kind, record.reason) for record in stage.store.main] == [("frame", None)] * 2
    assert stage.store.strangers == []


def test_a_payload_that_the_codec_refuses_is_kept() -> None:
    stage = Stage()
    stage.deliver(frame(stage, payload=b"\xff"))
    assert stage.store.main[0].reason is not None
    assert [r.raw for r in stage.store.strangers] == [b"\xff"]


def test_a_device_that_is_not_in_the_list() -> None:
    stage = Stage()
    stage.deliver(frame(stage, "ffffffffffffffff"), frame(stage, "ffffffffffffffff", event={"event": "join"}))
    assert stage.store.main == []
    one, two = stage.store.strangers
    assert (one.kind, one.reason, one.dev_eui, one.raw) == (
        "frame",
        "unknown_device",
        "ffffffffffffffff",
        ELSYS.payload(3),
    )
    assert (two.kind, two.event) == ("event", {"event": "join"})
    assert stage.watch.rejects["roof", "", "unknown_device"] == 2


def test_what_is_no_uplink_is_an_event_of_the_device() -> None:
    stage = Stage()
    stage.deliver(frame(stage, radio=None, payload=None, event={"event": "status", "battery_percent": 98.4}))
    (record,) = stage.store.main
    assert (record.kind, record.device, record.dev_eui) == ("event", ELSYS.name, ELSYS.dev_eui)
    assert record.event == {"event": "status", "battery_percent": 98.4}


def test_without_radio_data() -> None:
    stage = Stage()
    stage.deliver(frame(stage, radio=None))
    assert stage.store.main[0].kind == "reading"
    assert stage.store.main[0].lora is None


def test_a_decrypted_payload_is_not_for_relays() -> None:
    stage = stage_with()
    stage.deliver(frame(stage), frame(stage, "ffffffffffffffff"))
    assert stage.store.relay == []


def test_counters_of_the_server_are_not_those_of_our_own_sessions(tmp_path: Path) -> None:
    """The snapshot of counters is made from the log: what somebody else says must not open or shut our door."""
    stage = Stage()
    stage.deliver(frame(stage, fcnt=4_000_000))
    assert stage.network.changed() == []

    async def go() -> None:
        box = Outbox(tmp_path, "rathaus", FakeClock(), Limits(commit_window_s=0), Reporter())
        await box.open()
        done = asyncio.get_running_loop().create_future()
        box.put(MAIN, [(at, msgspec.structs.replace(r)) for at, r in stage.store.records[MAIN]], 100)
        box.commit(done.set_result)
        assert await done
        assert await load_sessions(box) == []
        await box.close()

    asyncio.run(go())
