"""What became of joins: figures for the metrics, the last attempts for a technician, a line of the log for each change.

Join-requests of devices that are not ours can be sent by anybody with any DevEUI: they have a list of their own, with
one entry for each DevEUI, and never push out those of our devices.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from enum import StrEnum
from typing import Final

import msgspec

from torhaus.daemon import logs

MAX_ATTEMPTS: Final = 200
MAX_STRANGERS: Final = 100
_SAME: Final = 8
"""How far back the same request is looked for: several gateways hear it within a second."""


class JoinResult(StrEnum):
    """What became of a join-request or join-accept. A metric's label."""

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    ESTABLISHED = "established"
    UNREADABLE_ACCEPT = "unreadable_accept"
    UNKNOWN_DEVICE = "unknown_device"
    NO_ROOT_KEY = "no_root_key"
    KEYS_ELSEWHERE = "keys_elsewhere"
    WRONG_KEY = "wrong_key"
    WRONG_JOIN_EUI = "wrong_join_eui"
    NONCE_USED = "nonce_used"
    NONCES_USED_UP = "nonces_used_up"
    NOT_STORED = "not_stored"
    NOT_SENT = "not_sent"


WORDS: Final = {
    JoinResult.REQUESTED: "asks to join: waiting for the answer",
    JoinResult.ACCEPTED: "has been accepted: waiting for its first uplink",
    JoinResult.ESTABLISHED: "has joined: its first uplink came",
    JoinResult.UNREADABLE_ACCEPT: "was accepted with another key than the one here: "
    "compare AppKey (1.1: NwkKey) with that of the network server",
    JoinResult.UNKNOWN_DEVICE: "unknown DevEUI: add it with `torhaus devices add`, if it is yours",
    JoinResult.NO_ROOT_KEY: "its app_key (1.1: nwk_key and app_key) is not in the keys file",
    JoinResult.KEYS_ELSEWHERE: "asks to join: its new session is asked for at the network server",
    JoinResult.WRONG_KEY: "the key does not match: compare AppKey (1.1: NwkKey) with the device's label",
    JoinResult.WRONG_JOIN_EUI: "asks for another JoinEUI than the `join_eui` of the list of devices",
    JoinResult.NONCE_USED: "DevNonce used before: a recording, or the device was reset; then allow it once with "
    "`torhaus devices allow-join NAME`",
    JoinResult.NONCES_USED_UP: "no JoinNonce is left for this device",
    JoinResult.NOT_STORED: "not answered: the session cannot be written to disk",
    JoinResult.NOT_SENT: "not answered: no gateway could send the join-accept in time",
}
"""For people. None holds a key."""

FINE: Final = {JoinResult.REQUESTED, JoinResult.ACCEPTED, JoinResult.ESTABLISHED, JoinResult.KEYS_ELSEWHERE}


class Attempt(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One step of a join. `times` counts how often a stranger asked since it was first heard."""

    at_ns: int
    dev_eui: str
    result: JoinResult
    text: str
    device: str | None = None
    join_eui: str | None = None
    dev_nonce: int | None = None
    dev_addr: str | None = None
    gateway: str | None = None
    times: int = 1


class JoinBook:
    """All of it. `results` counts each request once, however many gateways heard it."""

    def __init__(self, wall_ns: Callable[[], int]) -> None:
        self.results: Counter[str] = Counter()
        self._wall_ns = wall_ns
        self._attempts: deque[Attempt] = deque(maxlen=MAX_ATTEMPTS)
        self._strangers: OrderedDict[str, Attempt] = OrderedDict()
        self._last: dict[str, JoinResult] = {}  # by device

    def note(
        self,
        result: JoinResult,
        dev_eui: str,
        *,
        device: str | None = None,
        join_eui: str | None = None,
        dev_nonce: int | None = None,
        dev_addr: str | None = None,
        gateway: str | None = None,
    ) -> None:
        """One more."""
        attempt = Attempt(
            at_ns=self._wall_ns(),
            dev_eui=dev_eui,
            result=result,
            text=WORDS[result],
            device=device,
            join_eui=join_eui,
            dev_nonce=dev_nonce,
            dev_addr=dev_addr,
            gateway=gateway,
        )
        if device is None:
            self._stranger(attempt)
            return
        recent = list(self._attempts)[-_SAME:]
        if any(a.dev_eui == dev_eui and a.dev_nonce == dev_nonce and a.result is result for a in recent):
            return
        self.results[result] += 1
        self._attempts.append(attempt)
        if self._last.get(device) is not result:
            self._last[device] = result
            tell = logs.info if result in FINE else logs.warning
            tell("join", device=device, result=result.value, detail=WORDS[result], gateway=gateway)

    def _stranger(self, attempt: Attempt) -> None:
        before = self._strangers.pop(attempt.dev_eui, None)
        if before is not None:
            attempt.times = before.times + (before.dev_nonce != attempt.dev_nonce)
        if before is None or before.dev_nonce != attempt.dev_nonce:
            self.results[attempt.result] += 1
        self._strangers[attempt.dev_eui] = attempt
        if len(self._strangers) > MAX_STRANGERS:
            self._strangers.popitem(last=False)

    def attempts(self) -> list[Attempt]:
        """What is remembered, oldest first."""
        return sorted((*self._attempts, *self._strangers.values()), key=lambda a: a.at_ns)
