"""What ChirpStack Concentratord can be asked over its command socket. Messages: codecs.framing.chirpstack_gw."""

import os
from typing import Final

import zmq

from torhaus.codecs.framing.chirpstack_gw.as_protobuf import from_protobuf, to_protobuf
from torhaus.codecs.framing.chirpstack_gw.commands import (
    Command,
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
from torhaus.drivers.zmq_socket import Questions, Unanswered

TRIES: Final = 3
"""Questions without an answer before it is taken for gone."""
MAX_WAITING: Final = 32
"""Downlinks that may wait for their turn: each takes the time-out at most."""


class Commands:
    """The command socket. `why` says why `who` had no answer."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", url: str, timeout_s: float) -> None:
        self.why = ""
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
                self.why = f"{self._url} does not answer with a gateway's id: is it Concentratord 4.5 or newer?"
        return None

    async def where(self) -> Values:
        """The gateway's position (`lati`, `long`, `alti`), as far as it knows it."""
        try:
            answer = await self._ask(Command(get_location=GetLocationRequest()))
            return place_values(from_protobuf(GetLocationResponse, answer).location)
        except (Unanswered, DecodeError):
            return {}  # an older one does not know the question

    async def transmit(self, downlink: Downlink) -> tuple[TxAnswer, ...]:
        """Hand it over; Concentratord tries the items in order and says at once what it made of each.

        NO_GATEWAY for all when there is nobody, NO_ANSWER when it was handed over and is not known what became of it.
        """
        n = len(downlink.items)
        if self._questions.waiting >= MAX_WAITING:
            return everywhere(TxStatus.QUEUE_FULL, n)
        self._downlink_id = number = self._downlink_id % 0xFFFF_FFFF + 1
        try:
            answer = await self._ask(Command(send_downlink_frame=downlink_frame(downlink, number)))
        except DecodeError:  # its message cannot say it
            return everywhere(TxStatus.INTERNAL_ERROR, n)
        except Unanswered as e:
            return everywhere(TxStatus.NO_ANSWER if e.sent else TxStatus.NO_GATEWAY, n)
        if not answer:  # it could not do anything with the command
            return everywhere(TxStatus.INTERNAL_ERROR, n)
        try:
            ack = from_protobuf(DownlinkTxAck, answer)
        except DecodeError:  # it has answered, but nobody knows what
            return everywhere(TxStatus.NO_ANSWER, n)
        return answers(ack, n) if ack.downlink_id == number else everywhere(TxStatus.NO_ANSWER, n)

    async def _ask(self, command: Command) -> bytes:
        return await self._questions.ask(to_protobuf(command))


def everywhere(status: TxStatus, n: int) -> tuple[TxAnswer, ...]:
    """The same answer for each of so many items."""
    return (TxAnswer(status),) * n


def absence(url: str) -> str:
    """Why nobody may have answered there, for a technician."""
    path = url.removeprefix("ipc://")
    if path.startswith("/") and not os.access(path, os.F_OK):
        return f"there is no socket {path}: Concentratord is not running, or this service does not see that folder"
    if path.startswith("/") and not os.access(path, os.W_OK):
        return f"the socket {path} may not be written to by this service's user"
    return f"no answer at {url}: is Concentratord running?"
