"""What a ChirpStack server asks of gateways: carried out, answered, counted; and never behind the uplinks."""

import logging
import random
from pathlib import Path

import pytest
from chirpstack_api.gw import gw_pb2

from tests.daemon.chirpstack_scene import ACK, GATEWAY, OTHER, Scene, Stubborn, acks, down, on_scene, statuses
from torhaus.codecs.framing.chirpstack_gw.commands import GatewayConfiguration
from torhaus.codecs.lorawan.downlink import After, Immediately, TxStatus
from torhaus.daemon.forward import chirpstack_commands
from torhaus.daemon.forward.chirpstack_frames import LATE_CONTEXT
from torhaus.drivers.downlink import Configured

both_encodings = pytest.mark.parametrize("encoding", ["json", "protobuf"])


@both_encodings
def test_a_downlink_is_sent_and_answered(encoding: str, tmp_path: Path) -> None:
    driver = Stubborn()

    async def body(s: Scene) -> None:
        s.come()
        await s.forwarder.open()

        async def ask() -> None:
            await s.server.ask(GATEWAY, "down", down(GATEWAY, 4711, b"\0\0\0\7", b""))
            (ack,) = await acks(s, 1)
            assert (ack.gateway_id, ack.downlink_id) == (GATEWAY, 4711)
            assert statuses(ack) == [ACK.OK, ACK.IGNORED]

        await s.watching(ask)
        (sent,) = driver.sent
        assert sent.gateway == GATEWAY
        first, second = sent.items
        assert (first.at, second.at) == (After(1_000_000, b"\0\0\0\7"), Immediately())
        assert (first.freq_hz, first.datarate, first.power_dbm) == (868_100_000, "SF7BW125", 14)
        assert s.forwarder.commands == {("down", "OK"): 1}

    on_scene(tmp_path, body, driver, encoding=encoding)


@pytest.mark.parametrize(
    ("said", "heard", "counted"),
    [
        ((TxStatus.TOO_LATE, TxStatus.OK), [ACK.TOO_LATE, ACK.OK], "OK"),
        (
            (TxStatus.TX_FREQ, TxStatus.DUTY_CYCLE_OVERFLOW),
            [ACK.TX_FREQ, ACK.DUTY_CYCLE_OVERFLOW],
            "DUTY_CYCLE_OVERFLOW",
        ),
        ((TxStatus.NO_GATEWAY,) * 2, [ACK.INTERNAL_ERROR] * 2, "NO_GATEWAY"),
        ((TxStatus.NO_ANSWER,) * 2, [ACK.INTERNAL_ERROR] * 2, "NO_ANSWER"),
        ((TxStatus.IGNORED,) * 2, [ACK.IGNORED] * 2, "IGNORED"),
    ],
)
def test_what_became_of_it(said: tuple[TxStatus, ...], heard: list[int], counted: str, tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        s.come()
        await s.forwarder.open()

        async def ask() -> None:
            await s.server.ask(GATEWAY, "down", down(GATEWAY, 1))
            (ack,) = await acks(s, 1)
            assert statuses(ack) == heard

        await s.watching(ask)
        assert s.forwarder.commands == {("down", counted): 1}

    on_scene(tmp_path, body, Stubborn(*said))


def test_a_server_that_has_not_heard_from_the_gateway_speaks_protobuf(tmp_path: Path) -> None:
    async def body(s: Scene) -> None:
        s.come()
        await s.forwarder.open()

        async def ask() -> None:
            await s.server.ask_raw(GATEWAY, "down", down(GATEWAY, 7).SerializeToString())
            (ack,) = await acks(s, 1)  # in JSON, as configured
            assert ack.downlink_id == 7

        await s.watching(ask)

    on_scene(tmp_path, body, Stubborn(), encoding="json")


def test_answers_to_late_frames_reach_no_gateway(tmp_path: Path) -> None:
    driver = Stubborn()

    async def body(s: Scene) -> None:
        s.come()
        await s.forwarder.open()

        async def ask() -> None:
            await s.server.ask(GATEWAY, "down", down(GATEWAY, 1, LATE_CONTEXT, LATE_CONTEXT))
            await s.server.ask(GATEWAY, "down", down(GATEWAY, 2, LATE_CONTEXT, b""))
            first, second = sorted(await acks(s, 2), key=lambda ack: ack.downlink_id)
            assert statuses(first) == [ACK.TOO_LATE, ACK.TOO_LATE]
            assert statuses(second) == [ACK.TOO_LATE, ACK.OK]

        await s.watching(ask)
        assert [[item.at for item in sent.items] for sent in driver.sent] == [[Immediately()]]

    on_scene(tmp_path, body, driver)


def test_what_is_not_to_be_carried_out(tmp_path: Path) -> None:
    driver = Stubborn()

    async def body(s: Scene) -> None:
        s.come()
        await s.server.ask(GATEWAY, "down", down(GATEWAY, 5), retain=True)  # of before: it waits at the broker
        await s.forwarder.open()

        async def ask() -> None:
            await s.server.ask(GATEWAY, "down", down(OTHER, 1))
            await s.server.ask(OTHER, "down", down(OTHER, 2))  # who is not here
            await s.server.ask(GATEWAY, "config", gw_pb2.GatewayConfiguration(gateway_id=GATEWAY, version="1"))
            await s.server.ask(GATEWAY, "raw", down(GATEWAY, 3))
            await s.server.ask(GATEWAY, "exec", gw_pb2.GatewayCommandExecRequest(gateway_id=GATEWAY, command="x"))
            await s.server.ask(GATEWAY, "down", down(GATEWAY, 4))
            await s.server.ask(GATEWAY, "down", down(GATEWAY, 4))
            broken = down(GATEWAY, 6)
            broken.items[1].tx_info.ClearField("timing")
            await s.server.ask(GATEWAY, "down", broken)
            found = {ack.downlink_id: statuses(ack) for ack in await acks(s, 2)}
            assert found == {4: [ACK.OK, ACK.IGNORED], 6: [ACK.INTERNAL_ERROR] * 2}
            await s.until(lambda: sum(s.forwarder.commands.values()) == 7)

        await s.watching(ask)
        assert len(driver.sent) == 1
        assert s.forwarder.commands == {
            ("down", "other_gateway"): 1,
            ("down", "OK"): 1,
            ("down", "repeated"): 1,
            ("down", "INTERNAL_ERROR"): 1,
            ("config", "refused"): 1,
            ("exec", "refused"): 1,
            ("other", "unknown"): 1,
        }
        (response,) = s.server.of("event/exec")
        assert response.error == "this command is not allowed here"

    on_scene(tmp_path, body, driver)


class Tunable(Stubborn):
    """Its gateways can be told what to listen on."""

    def __init__(self, *answers: Configured) -> None:
        super().__init__()
        self.given: list[tuple[str, str, list[int]]] = []
        self.says = list(answers)

    async def configure(self, configuration: GatewayConfiguration) -> Configured:
        c = configuration
        self.given.append((c.gateway_id, c.version, [channel.frequency for channel in c.channels]))
        return self.says.pop(0)


@both_encodings
def test_channels_go_to_the_driver_that_may_have_them_set(
    encoding: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("torhaus"), "propagate", True)
    caplog.set_level(logging.INFO, "torhaus")
    refused = Configured("refused", "channels_from_server of its driver is false")
    driver = Tunable(Configured("handed_over"), refused, refused)

    async def body(s: Scene) -> None:
        s.come()
        await s.forwarder.open()

        async def ask() -> None:
            for _ in range(3):
                wanted = gw_pb2.GatewayConfiguration(gateway_id=GATEWAY, version="7")
                wanted.stats_interval.seconds = 30
                for n in range(2):
                    channel = wanted.channels.add(frequency=868_100_000 + n * 200_000)
                    channel.lora_modulation_config.bandwidth = 125_000
                    channel.lora_modulation_config.spreading_factors.extend(range(7, 13))
                await s.server.ask(GATEWAY, "config", wanted)
            await s.until(lambda: sum(s.forwarder.commands.values()) == 3)

        await s.watching(ask)
        assert driver.given == [(GATEWAY, "7", [868_100_000, 868_300_000])] * 3
        assert s.forwarder.commands == {("config", "handed_over"): 1, ("config", "refused"): 2}

    on_scene(tmp_path, body, driver, encoding=encoding)
    told = [(r.getMessage(), r.__dict__["fields"].get("detail")) for r in caplog.records]
    # the server repeats it with each report of the gateway
    assert told[1:] == [("channels set", None), ("command is not carried out", refused.why)]


def test_downlinks_can_be_switched_off(tmp_path: Path) -> None:
    driver = Stubborn()

    async def body(s: Scene) -> None:
        s.come()
        await s.forwarder.open()

        async def ask() -> None:
            await s.server.ask(GATEWAY, "down", down(GATEWAY, 1))
            await s.server.ask(GATEWAY, "config", gw_pb2.GatewayConfiguration(gateway_id=GATEWAY, version="1"))
            await s.server.ask(GATEWAY, "exec", gw_pb2.GatewayCommandExecRequest(gateway_id=GATEWAY, command="say"))
            await s.until(lambda: s.server.of("event/exec"))
            assert s.server.of("event/exec")[0].stdout == b"moin\n"

        await s.watching(ask)
        assert statuses((await acks(s, 1))[0]) == [ACK.INTERNAL_ERROR] * 2
        assert not driver.sent
        assert s.forwarder.commands["config", "refused"] == 1

    on_scene(tmp_path, body, driver, downlinks=False, exec={"say": ["/bin/echo", "moin"]})


def test_a_driver_s_defect_costs_one_answer(tmp_path: Path) -> None:
    driver = Stubborn(error=ZeroDivisionError())

    async def body(s: Scene) -> None:
        s.come()
        await s.forwarder.open()

        async def ask() -> None:
            await s.server.ask(GATEWAY, "down", down(GATEWAY, 1))
            await s.until(lambda: s.forwarder.commands["down", "defect"])
            driver.error = None
            await s.server.ask(GATEWAY, "down", down(GATEWAY, 2))
            assert {ack.downlink_id for ack in await acks(s, 2)} == {1, 2}

        await s.watching(ask)
        assert {a.downlink_id: statuses(a)[0] for a in s.server.of("event/ack")} == {1: ACK.INTERNAL_ERROR, 2: ACK.OK}

    on_scene(tmp_path, body, driver)


@both_encodings
def test_nothing_that_comes_breaks_anything(encoding: str, tmp_path: Path) -> None:
    """Good commands cut, changed and with something before or behind; fixed seed."""
    driver = Stubborn()

    async def body(s: Scene) -> None:
        s.come()
        await s.forwarder.open()
        rng = random.Random(1)
        good = [
            ("down", down(GATEWAY, 9).SerializeToString()),
            ("down", b'{"gatewayId":"aa555a0000000101","downlinkId":8,"items":[{"phyPayload":"AA=="}]}'),
            ("config", gw_pb2.GatewayConfiguration(gateway_id=GATEWAY).SerializeToString()),
            ("exec", b'{"gatewayId":"aa555a0000000101","command":"x","environment":{"LD_PRELOAD":"x"}}'),
        ]

        async def ask() -> None:
            for what, payload in good:
                for at in range(len(payload)):
                    s.forwarder._came(f"eu868/gateway/{GATEWAY}/command/{what}", payload[:at])
                    data = bytearray(payload)
                    data[at] = rng.randrange(256)
                    s.forwarder._came(f"eu868/gateway/{GATEWAY}/command/{what}", bytes(data) + rng.randbytes(at % 3))
                    await s.until(s.forwarder._commands._waiting.empty)
            for topic in ("", "eu868", f"eu868/gateway/{GATEWAY}", f"eu868/gateway/{GATEWAY}/command/", "x" * 60_000):
                s.forwarder._came(topic, b"{}")
            s.forwarder._came(f"eu868/gateway/{GATEWAY}/command/down", b"{" * 65_000)
            await s.server.ask(GATEWAY, "down", down(GATEWAY, 4711))
            await s.until(lambda: any(ack.downlink_id == 4711 for ack in s.server.of("event/ack")))

        await s.watching(ask)
        assert not [key for key in s.forwarder.commands if "defect" in key]
        assert len(s.forwarder._commands._seen) <= chirpstack_commands.MAX_SEEN

    on_scene(tmp_path, body, driver, encoding=encoding)
