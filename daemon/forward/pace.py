"""How fast a figure moves: a few samples of it against boot time. Pure but for the clock it is given."""

from collections import deque

from torhaus.daemon.clock import Clock


class Pace:
    """Samples of one figure over the last `longest_s` seconds, at most one each `step_s`.

    What it says is about what was seen since the daemon began: nothing is known before.
    """

    def __init__(self, clock: Clock, longest_s: float, step_s: float = 1.0) -> None:
        self._clock = clock
        self._longest_ns = round(longest_s * 1e9)
        self._step_ns = round(step_s * 1e9)
        self._samples: deque[tuple[int, float]] = deque()  # boot time, figure

    def look(self, figure: float) -> None:
        """Note what the figure is now; the newest sample is replaced while its step is not over."""
        now, samples = self._clock.boot_ns(), self._samples
        if len(samples) > 1 and now - samples[-2][0] < self._step_ns:
            samples.pop()
        samples.append((now, figure))
        while len(samples) > 2 and now - samples[1][0] >= self._longest_ns:
            samples.popleft()

    def per_s(self, over_s: float, least_s: float = 0.0) -> float | None:
        """How much more it became a second over about the last `over_s`; None when less than `least_s` is known."""
        if len(self._samples) < 2:
            return None
        now, figure = self._samples[-1]
        since, before = self._samples[0]
        for at, then in reversed(self._samples):
            since, before = at, then
            if now - at >= over_s * 1e9:
                break
        passed_s = (now - since) / 1e9
        return (figure - before) / passed_s if passed_s > 0 and passed_s >= least_s else None
