"""What ChirpStack Concentratord can be asked over its command socket. Messages: codecs.framing.chirpstack_gw."""

import os
from collections.abc import Callable
from typing import Final

import msgspec
import zmq

from torhaus.codecs.framing.chirpstack_gw.as_protobuf import from_protobuf, to_protobuf
from torhaus.codecs.framing.chirpstack_gw.commands import (
    Command,
    GatewayConfiguration,
    GetGatewayIdRequest,
    GetGatewayIdResponse,
    GetLocationRequest,
    GetLocationResponse,
)
from torhaus.codecs.framing.chirpstack_gw.downlink import answers, downlink_frame
from torhaus.codecs.framing.chirpstack_gw.messages import DownlinkTxAck
from torhaus.codecs.framing.chirpstack_gw.stats import Values, place_values
from torhaus.codecs.framing.chirpstack_gw.uplink import gateway_of
from torhaus.codecs.lorawan.downlink import Downlink, TxAnswer, TxStatus
from torhaus.codecs.model import DecodeError
from torhaus.drivers.downlink import Configured
from torhaus.drivers.said import Said
from torhaus.drivers.zmq_socket import Questions, Unanswered

TRIES: Final = 3
"""Questions without an answer before it is taken for gone."""
MAX_WAITING: Final = 32
"""Downlinks that may wait for their turn: each takes the time-out at most."""
_UNTRIED: Final = frozenset({TxStatus.IGNORED, TxStatus.NO_ANSWER})


class Commands:
    """The command socket. `why` says why `who` had no answer."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", url: str, timeout_s: float) -> None:
        self.why: str = ""
        self._url = url
        self._questions = Questions(context, url, timeout_s)
        self._downlink_id = 0

    def close(self) -> None:
        """Hang up; who waits has no answer."""
        self._questions.close()

    async def who(self) -> str | None:
        """The gateway's id; None when it does not say."""
        for _ in range(TRIES):
            try:
                answer = await self._ask(Command(get_gateway_id=GetGatewayIdRequest()))
                return gateway_of(from_protobuf(GetGatewayIdResponse, answer).gateway_id)
            except Unanswered:
                self.why = absence(self._url)
            except DecodeError:
                self.why = Said("odd_concentratord", url=self._url)
        return None

    async def where(self) -> Values:
        """The gateway's position (`lati`, `long`, `alti`), as far as it knows it."""
        try:
            answer = await self._ask(Command(get_location=GetLocationRequest()))
            return place_values(from_protobuf(GetLocationResponse, answer).location)
        except (Unanswered, DecodeError):
            return {}  # an older one does not know the question

    async def transmit(self, downlink: Downlink, boot_ns: Callable[[], int]) -> tuple[TxAnswer, ...]:
        """Hand it over; Concentratord tries the items in order and says at once what it made of each.

        NO_GATEWAY for all when there is nobody, NO_ANSWER when it was handed over and is not known what became of it.
        `boot_ns` is what the time to the answer is measured with.
        """
        n = len(downlink.items)
        if self._questions.waiting >= MAX_WAITING:
            return everywhere(TxStatus.QUEUE_FULL, n, f"{MAX_WAITING} downlinks wait for an answer")
        self._downlink_id = number = self._downlink_id % 0xFFFF_FFFF + 1
        began_ns = boot_ns()
        try:
            answer = await self._ask(Command(send_downlink_frame=downlink_frame(downlink, number)))
        except DecodeError as e:
            return everywhere(TxStatus.INTERNAL_ERROR, n, e.detail)
        except Unanswered as e:
            return everywhere(TxStatus.NO_ANSWER if e.sent else TxStatus.NO_GATEWAY, n, str(e))
        if not answer:
            return everywhere(TxStatus.INTERNAL_ERROR, n, "Concentratord could do nothing with it: its log says why")
        try:
            ack = from_protobuf(DownlinkTxAck, answer)
        except DecodeError as e:
            return everywhere(TxStatus.NO_ANSWER, n, f"Concentratord's answer cannot be read: {e.detail}")
        if ack.downlink_id != number:
            return everywhere(TxStatus.NO_ANSWER, n, "Concentratord answered another downlink")
        seconds = (boot_ns() - began_ns) / 1e9
        return tuple(
            a if a.status in _UNTRIED else msgspec.structs.replace(a, answered_s=seconds) for a in answers(ack, n)
        )

    async def configure(self, configuration: GatewayConfiguration) -> Configured:
        """Have it listen on other channels: it starts anew. Its answer is empty, whatever it makes of it.

        What it listens on is in its reports (`config_version`).
        """
        try:
            await self._ask(Command(set_gateway_configuration=configuration))
        except DecodeError as e:
            return Configured("refused", e.detail)
        except Unanswered as e:
            return Configured("no_answer" if e.sent else "no_gateway", str(e))
        return Configured("handed_over")

    async def _ask(self, command: Command) -> bytes:
        return await self._questions.ask(to_protobuf(command))


def everywhere(status: TxStatus, n: int, detail: str | None = None) -> tuple[TxAnswer, ...]:
    """The same answer for each of so many items."""
    return (TxAnswer(status, detail=detail),) * n


def absence(url: str) -> str:
    """Why nobody may have answered there, for a technician."""
    path = url.removeprefix("ipc://")
    if path.startswith("/") and not os.access(path, os.F_OK):
        return Said("no_socket", path=path)
    if path.startswith("/") and not os.access(path, os.W_OK):
        return Said("socket_denied", path=path)
    return Said("no_concentratord", url=url)
