"""GWMP's way down: where each gateway is reached, and the downlinks that wait for their TX_ACK.

Wire format: torhaus.codecs.framing.semtech_udp_down. The sockets and the allow-list are the driver's
(torhaus.drivers.semtech_udp).
"""

import asyncio
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

import msgspec

from torhaus.codecs.framing.semtech_udp import datarate_text
from torhaus.codecs.framing.semtech_udp_down import TxAck, Txpk, build_pull_resp, parse_pull_resp, parse_tx_ack
from torhaus.codecs.lorawan.downlink import After, AtGpsTime, Downlink, TxAnswer, TxItem, TxStatus
from torhaus.codecs.model import DecodeError
from torhaus.drivers.batch_send import Address

MAX_GATEWAYS: Final = 1024
"""Gateways that are remembered; the one whose PULL_DATA is the oldest is forgotten first."""
PATH_S: Final = 60.0
"""A PULL_DATA opens the way down for so long. Forwarders send one every 5 to 30 s; a router forgets it about then."""
ANSWER_S: Final = 5.0
"""Packet forwarders answer once a frame is queued, before it is sent: this leaves room for a mobile network."""
MAX_PENDING: Final = 64
"""Downlinks of one gateway without an answer so far; a concentrator's own queue holds about half of it."""
RECENT_TOKENS: Final = 8192
"""Tokens not used again yet: nobody answers that late."""
DEFAULT_DBM: Final = 14.0
"""For an item that names no power (a packet forwarder would take 0 dBm): allowed in every region and band."""
FSK_DEVIATION_HZ: Final = 25_000
"""RP002-1.0.4, FSK physical layer."""
UNCONFIRMED: Final = "version 1: not confirmed"

_V1_TOKEN: Final = b"\0\0"
_ERRORS: Final = {
    status.value: status
    for status in TxStatus
    if status not in {TxStatus.OK, TxStatus.IGNORED, TxStatus.NO_GATEWAY, TxStatus.NO_ANSWER}
}
_NO_GATEWAY: Final = TxAnswer(TxStatus.NO_GATEWAY, detail="it has not said where it can be reached (PULL_DATA)")


class Path(msgspec.Struct, frozen=True, gc=False):
    """Where a gateway's last PULL_DATA came from, its version, and when that was (loop time)."""

    address: Address
    version: int
    at_s: float


class Waiting(msgspec.Struct, frozen=True):
    """A PULL_RESP that was sent: to which host, when, and who waits for what is said of it (None: nobody will)."""

    host: str
    at_ns: int
    answer: asyncio.Future[TxAck | None]


class WayDown:
    """One for a driver. `send` sends one datagram and says whether it could; `boot_ns` never steps."""

    def __init__(self, send: Callable[[bytes, Address], bool], boot_ns: Callable[[], int]) -> None:
        self._send = send
        self._boot_ns = boot_ns
        self._paths: OrderedDict[str, Path] = OrderedDict()
        self._waiting: dict[tuple[str, bytes], Waiting] = {}
        self._pending: dict[str, int] = {}
        self._recent: deque[tuple[str, bytes]] = deque()
        self._used: set[tuple[str, bytes]] = set()  # what is in `_recent`

    def polled(self, gateway: str, version: int, address: Address, now_s: float) -> None:
        """A PULL_DATA came, from one that may: this is where the gateway is reached from now on."""
        self._paths[gateway] = Path(address, version, now_s)
        self._paths.move_to_end(gateway)
        if len(self._paths) > MAX_GATEWAYS:
            self._paths.popitem(last=False)

    def awaits(self, gateway: str, token: bytes, address: Address) -> bool:
        """Whether a TX_ACK with this token is waited for, from there. A router may have changed the port."""
        waiting = self._waiting.get((gateway, token))
        return waiting is not None and waiting.host == address[0]

    def answered(self, gateway: str, token: bytes, datagram: bytes) -> None:
        """The TX_ACK that is waited for. Raises DecodeError when it cannot be read: a readable one may still come."""
        answer = self._waiting[gateway, token].answer
        if not answer.done():
            answer.set_result(parse_tx_ack(datagram))

    def close(self) -> None:
        """The socket is gone: nobody can be reached, and no answer will come."""
        self._paths.clear()
        for waiting in self._waiting.values():
            if not waiting.answer.done():
                waiting.answer.set_result(None)

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """Hand over item after item until one is taken, or may have been: one without an answer may be on the air."""
        answers: list[TxAnswer] = []
        for item in downlink.items:
            answer = await self._hand_over(downlink.gateway, item)
            answers.append(answer)
            if answer.status in {TxStatus.OK, TxStatus.NO_ANSWER, TxStatus.NO_GATEWAY}:
                break
        left = len(downlink.items) - len(answers)
        is_lost = answers and answers[-1].status is TxStatus.NO_GATEWAY
        return (*answers, *(((_NO_GATEWAY if is_lost else TxAnswer(TxStatus.IGNORED)),) * left))

    async def _hand_over(self, gateway: str, item: TxItem) -> TxAnswer:
        loop = asyncio.get_running_loop()
        path = self._paths.get(gateway)
        if path is None or loop.time() - path.at_s > PATH_S:
            return _NO_GATEWAY
        if self._pending.get(gateway, 0) >= MAX_PENDING:
            return TxAnswer(TxStatus.QUEUE_FULL, detail=f"{MAX_PENDING} downlinks wait for an answer")
        token = self._token(gateway) if path.version > 1 else _V1_TOKEN
        try:
            datagram = build_pull_resp(path.version, token, txpk_of(item))
            parse_pull_resp(datagram)  # what no gateway can read is not sent
        except (DecodeError, ValueError, OverflowError) as e:
            return TxAnswer(TxStatus.INTERNAL_ERROR, detail=str(e))
        if path.version == 1:
            return TxAnswer(TxStatus.OK, UNCONFIRMED) if self._send(datagram, path.address) else _NO_GATEWAY
        key = (gateway, token)
        waiting = Waiting(path.address[0], self._boot_ns(), loop.create_future())
        self._waiting[key] = waiting
        self._pending[gateway] = self._pending.get(gateway, 0) + 1
        try:
            if not self._send(datagram, path.address):
                return _NO_GATEWAY
            async with asyncio.timeout(ANSWER_S):
                ack = await waiting.answer
        except TimeoutError:
            ack = None
        finally:
            del self._waiting[key]
            self._pending[gateway] -= 1
            if not self._pending[gateway]:
                del self._pending[gateway]
        if ack is None:
            return TxAnswer(TxStatus.NO_ANSWER)
        return _answer_of(ack, (self._boot_ns() - waiting.at_ns) / 1e9)

    def _token(self, gateway: str) -> bytes:
        """Two bytes that nobody else waits for, nor did lately, and that cannot be guessed. Never zero: version 1's."""
        while True:
            key = (gateway, (secrets.randbelow(0xFFFF) + 1).to_bytes(2, "big"))
            if key not in self._used and key not in self._waiting:
                break
        self._used.add(key)
        self._recent.append(key)
        if len(self._recent) > RECENT_TOKENS:
            self._used.discard(self._recent.popleft())
        return key[1]


def txpk_of(item: TxItem) -> Txpk:
    """An item in GWMP's words. Raises ValueError or DecodeError for one that GWMP has no words for."""
    tmst = gps_ms = None
    if isinstance(item.at, After):
        if len(item.at.context) != 4:
            raise ValueError(f"a context of {len(item.at.context)} bytes is not from a packet forwarder")
        tmst = (int.from_bytes(item.at.context, "big") + item.at.delay_us) & 0xFFFFFFFF
    elif isinstance(item.at, AtGpsTime):
        gps_ms = round(item.at.gps_us / 1000)
    is_fsk = item.modulation == "FSK"
    return Txpk(
        data=item.data,
        freq_hz=item.freq_hz,
        modulation=item.modulation,
        datarate=datarate_text(item.modulation, float(item.datarate) if is_fsk else item.datarate),
        coderate=None if is_fsk else item.coderate or "4/5",
        immediate=tmst is None and gps_ms is None,
        tmst_us=tmst,
        gps_time_ms=gps_ms,
        power_dbm=DEFAULT_DBM if item.power_dbm is None else item.power_dbm,
        invert_polarization=item.invert_polarization and not is_fsk,
        crc=item.crc or is_fsk,  # FSK frames have one in both directions (RP002-1.0.4, FSK)
        preamble=item.preamble,
        deviation_hz=item.deviation_hz or FSK_DEVIATION_HZ if is_fsk else None,
        board=item.board,
        antenna=item.antenna,
    )


def _answer_of(ack: TxAck, seconds: float) -> TxAnswer:
    if ack.error is None:
        return TxAnswer(TxStatus.OK, ack.warning, ack.power_dbm, answered_s=seconds)
    status = _ERRORS.get(ack.error)
    if status is None:
        return TxAnswer(TxStatus.INTERNAL_ERROR, detail=ack.error, answered_s=seconds)
    return TxAnswer(status, answered_s=seconds)
