"""Downlinks over real UDP on loopback: RX1 and RX2, tokens, time-outs, and who may answer."""

import msgspec
import pytest

from tests.drivers.fakes import advance
from tests.drivers.gwmp_down_fakes import BOTH, RX1, RX2, Concentrator, begin, statuses, with_gateway
from tests.drivers.gwmp_fakes import EUI, Host, settle_loop
from torhaus.codecs.lorawan.downlink import After, AtGpsTime, Downlink, Immediately, TxAnswer, TxStatus
from torhaus.codecs.model import DecodeError
from torhaus.drivers.semtech_udp import SemtechUdp
from torhaus.drivers.semtech_udp_down import ANSWER_S, DEFAULT_DBM, UNCONFIRMED, txpk_of

# -- RX1, then RX2 -----------------------------------------------------------------------------------------------------


def test_what_arrives_is_what_was_asked_for() -> None:
    async def body(driver: SemtechUdp, _: Host, gateway: Concentrator) -> None:
        sending = await begin(driver)
        token, txpk = await gateway.given()
        assert (txpk.data, txpk.freq_hz, txpk.datarate, txpk.power_dbm) == (RX1.data, 868_100_000, "SF7BW125", 14)
        assert txpk.tmst_us == (0xFFFF_0000 + 1_000_000) & 0xFFFF_FFFF  # the counter wraps
        assert (txpk.invert_polarization, txpk.crc, txpk.coderate, txpk.rf_chain) == (True, False, "4/5", 0)
        gateway.say(token)
        answers = await sending
        assert statuses(answers) == [TxStatus.OK, TxStatus.IGNORED]
        assert answers[0].answered_s == 0
        assert gateway.nothing_came()

    with_gateway(body)


def test_the_second_window_is_tried_when_the_first_is_refused_and_only_then() -> None:
    async def body(driver: SemtechUdp, _: Host, gateway: Concentrator) -> None:
        for errors, expected in (
            (["TOO_LATE", None], [TxStatus.TOO_LATE, TxStatus.OK]),
            (["TOO_LATE", "COLLISION_PACKET"], [TxStatus.TOO_LATE, TxStatus.COLLISION_PACKET]),
            ([None], [TxStatus.OK, TxStatus.IGNORED]),
        ):
            sending = await begin(driver)
            tokens = set()
            for error, item in zip(errors, BOTH, strict=False):
                token, txpk = await gateway.given()
                assert txpk.freq_hz == item.freq_hz
                tokens.add(token)
                gateway.say(token, error)
            assert statuses(await sending) == expected
            assert len(tokens) == len(errors)
            assert gateway.nothing_came()

    with_gateway(body)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        ("TOO_LATE", TxAnswer(TxStatus.TOO_LATE, answered_s=0)),
        ("TOO_EARLY", TxAnswer(TxStatus.TOO_EARLY, answered_s=0)),
        ("COLLISION_PACKET", TxAnswer(TxStatus.COLLISION_PACKET, answered_s=0)),
        ("COLLISION_BEACON", TxAnswer(TxStatus.COLLISION_BEACON, answered_s=0)),
        ("TX_FREQ", TxAnswer(TxStatus.TX_FREQ, answered_s=0)),
        ("TX_POWER", TxAnswer(TxStatus.TX_POWER, answered_s=0)),
        ("GPS_UNLOCKED", TxAnswer(TxStatus.GPS_UNLOCKED, answered_s=0)),
        ("NONE", TxAnswer(TxStatus.OK, answered_s=0)),
        ("FAN_FAILURE", TxAnswer(TxStatus.INTERNAL_ERROR, detail="FAN_FAILURE", answered_s=0)),
        ("NO_ANSWER", TxAnswer(TxStatus.INTERNAL_ERROR, detail="NO_ANSWER", answered_s=0)),  # our word, not its
        ("OK", TxAnswer(TxStatus.INTERNAL_ERROR, detail="OK", answered_s=0)),
    ],
)
def test_every_error_has_its_status(error: str, answer: TxAnswer) -> None:
    async def body(driver: SemtechUdp, _: Host, gateway: Concentrator) -> None:
        sending = await begin(driver, (RX1,))
        gateway.say((await gateway.given())[0], error)
        assert await sending == (answer,)

    with_gateway(body)


def test_a_warning_means_that_it_was_sent() -> None:
    async def body(driver: SemtechUdp, _: Host, gateway: Concentrator) -> None:
        sending = await begin(driver)
        gateway.say((await gateway.given())[0], warning="TX_POWER", power=13.5)
        assert await sending == (
            TxAnswer(TxStatus.OK, "TX_POWER", 13.5, answered_s=0),
            TxAnswer(TxStatus.IGNORED),
        )

    with_gateway(body)


def test_without_an_answer_nothing_more_is_sent() -> None:
    """The frame may be on the air, and only its TX_ACK lost."""

    async def body(driver: SemtechUdp, _: Host, gateway: Concentrator) -> None:
        sending = await begin(driver)
        token, _txpk = await gateway.given()
        await advance(ANSWER_S - 0.1)
        await settle_loop()
        assert not sending.done()
        await advance(0.2)
        assert statuses(await sending) == [TxStatus.NO_ANSWER, TxStatus.IGNORED]
        assert gateway.nothing_came()
        gateway.say(token)  # too late: nobody waits for it
        await gateway.pull()

    with_gateway(body)


def test_version_1_confirms_nothing() -> None:
    async def body(driver: SemtechUdp, _: Host, gateway: Concentrator) -> None:
        answers = await driver.transmit(Downlink(EUI, BOTH))
        assert answers == (TxAnswer(TxStatus.OK, UNCONFIRMED), TxAnswer(TxStatus.IGNORED))
        token, txpk = await gateway.given()
        assert (token, txpk.freq_hz) == (b"\0\0", 868_100_000)

    with_gateway(body, version=1)


def test_what_gwmp_has_no_words_for_is_not_sent() -> None:
    async def body(driver: SemtechUdp, _: Host, gateway: Concentrator) -> None:
        change = msgspec.structs.replace
        for bad in (
            change(RX1, at=After(0, bytes(16))),
            change(RX1, data=b""),
            change(RX1, data=bytes(256)),
            change(RX1, datarate="SF13BW125"),
            change(RX1, modulation="LR-FHSS", datarate="M0CW137"),
            change(RX1, modulation="FSK", datarate="fast"),
            change(RX1, freq_hz=10**400),
            change(RX1, power_dbm=float("inf")),
            change(RX1, board=1000),
            change(RX1, at=AtGpsTime(-5_000_000)),
        ):
            (answer,) = await driver.transmit(Downlink(EUI, (bad,)))
            assert answer.status is TxStatus.INTERNAL_ERROR
            assert answer.detail
            assert answer.answered_s is None
        sending = await begin(driver, (change(RX1, data=b""), RX2))
        gateway.say((await gateway.given())[0])
        assert statuses(await sending) == [TxStatus.INTERNAL_ERROR, TxStatus.OK]

    with_gateway(body)


def test_class_b_class_c_and_fsk() -> None:
    gps = txpk_of(msgspec.structs.replace(RX1, at=AtGpsTime(1_436_486_418_123_456)))
    assert (gps.gps_time_ms, gps.tmst_us, gps.immediate) == (1_436_486_418_123, None, False)
    now = txpk_of(msgspec.structs.replace(RX1, at=Immediately(), power_dbm=None, coderate=None))
    assert (now.gps_time_ms, now.tmst_us, now.immediate) == (None, None, True)
    assert (now.power_dbm, now.coderate) == (DEFAULT_DBM, "4/5")
    fsk = txpk_of(msgspec.structs.replace(RX1, modulation="FSK", datarate="50000"))
    assert (fsk.datarate, fsk.deviation_hz, fsk.crc, fsk.coderate) == ("50000", 25_000, True, None)
    with pytest.raises(DecodeError):
        txpk_of(msgspec.structs.replace(RX1, modulation="FSK", datarate="nan"))
