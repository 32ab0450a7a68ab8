"""A driver's door to the daemon: what it is run with."""

from collections.abc import Callable
from typing import Protocol

from torhaus.codecs.model import Frame, Reject
from torhaus.daemon.clock import Clock
from torhaus.drivers.base import Answer, Delivery, Done, Event, GatewayStats, Tickets

AcceptAll = Callable[[str, list[Delivery], Answer], None]
"""Takes what the driver of that name delivers."""


class DriverWatch(Protocol):
    """Whom a driver's states and acknowledgements are told to."""

    def event(self, driver: str, event: Event) -> None:
        """A driver's state changed."""
        ...

    def acked(self, driver: str, seconds: float, count: int) -> None:
        """So many acknowledgements left."""
        ...

    def ack_withheld(self, driver: str) -> None:
        """An acknowledgement did not leave."""
        ...


class DriverHost:
    """A driver's door to the daemon (torhaus.drivers.base.Host)."""

    def __init__(self, accept: AcceptAll, watch: DriverWatch, clock: Clock, driver: str) -> None:
        self._accept = accept
        self._watch = watch
        self._driver = driver
        self.stamp = clock.stamp
        self.boot_ns = clock.boot_ns
        self.sleep = clock.sleep

    def deliver(
        self, frames: list[Frame], rejects: list[Reject], done: Done | None = None, stats: GatewayStats | None = None
    ) -> None:
        """Store what was received; then `done`."""
        self._accept(self._driver, [(frames, rejects, done, stats)], call_each)

    def deliver_all(self, deliveries: list[Delivery], answer: Answer) -> None:
        """Store what was received in several deliveries, in order; then `answer`."""
        self._accept(self._driver, deliveries, answer)

    def overheard_by(self, hear: Callable[[Frame], None]) -> None:
        """Have every frame told to somebody else, too."""
        accept = self._accept

        def both(driver: str, deliveries: list[Delivery], answer: Answer) -> None:
            accept(driver, deliveries, answer)
            for frames, *_ in deliveries:
                for frame in frames:
                    hear(frame)

        self._accept = both

    def event(self, event: Event) -> None:
        """A change of state."""
        self._watch.event(self._driver, event)

    def acked(self, seconds: float, count: int = 1) -> None:
        """So many acknowledgements left."""
        self._watch.acked(self._driver, seconds, count)

    def ack_withheld(self) -> None:
        """An acknowledgement did not leave."""
        self._watch.ack_withheld(self._driver)


def call_each(dones: Tickets, stored: bool) -> None:
    """The answer to deliveries whose tickets are their `done`."""
    for done in dones:
        done(stored)
