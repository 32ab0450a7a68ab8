"""Join- and rejoin-requests that were heard lately, and which of them a join-accept on its way may answer."""

from collections import OrderedDict
from typing import Final

import msgspec

from torhaus.codecs.lorawan.downlink import After, Downlink, context_of
from torhaus.codecs.lorawan.join import JOIN_REQUEST, Asked
from torhaus.codecs.model import Frame
from torhaus.daemon.clock import Clock

ANSWER_S: Final = 30.0
"""A request is remembered for so long: its receive windows open 5 and 6 s after it, and servers are not quick."""
MAX_REQUESTS: Final = 256
MAX_RECEPTIONS: Final = 64
"""Of one request: more gateways than any device is heard by."""


class Request(msgspec.Struct):
    """A request with the right MIC, and where it was heard: gateway and the context that an answer is timed by."""

    dev_eui: str
    asked: Asked
    at_ns: int  # since boot
    heard: set[tuple[str, bytes]] = set()


class Requests:
    """The last ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._requests: OrderedDict[tuple[str, int, int], Request] = OrderedDict()  # by DevEUI, kind and nonce

    def remember(self, frame: Frame, eui: str, join_eui: int, nonce: int, kind: int = JOIN_REQUEST) -> bool:
        """One more, or one of them through another gateway: False. `kind` and `nonce` as in Asked."""
        self._forget()
        key = (eui, kind, nonce)
        known = self._requests.get(key)
        is_new = known is None or known.asked.join_eui != join_eui
        if known is None or is_new:
            known = Request(eui, Asked(kind, join_eui, nonce), self._clock.boot_ns())
            self._requests[key] = known
            if len(self._requests) > MAX_REQUESTS:
                self._requests.popitem(last=False)
        for rx in frame.radio.rx if frame.radio is not None else ():
            if len(known.heard) < MAX_RECEPTIONS and (context := context_of(rx)):
                known.heard.add((rx.gateway, context))
        return is_new

    def asked(self, downlink: Downlink) -> tuple[list[Request], bool]:
        """The requests that it may answer, and whether it is timed by their reception; else all, the newest first."""
        self._forget()
        timed_by = {(downlink.gateway, i.at.context) for i in downlink.items if isinstance(i.at, After)}
        found = [r for r in self._requests.values() if r.heard & timed_by]
        return found or list(reversed(self._requests.values())), bool(found)

    def _forget(self) -> None:
        oldest = self._clock.boot_ns() - int(ANSWER_S * 1e9)
        while self._requests and next(iter(self._requests.values())).at_ns < oldest:
            self._requests.popitem(last=False)
