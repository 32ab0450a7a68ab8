from torhaus.codecs.model import Stamp
from torhaus.daemon.outbox.when import best_wall_ns, known_wall_ns


def test_times() -> None:
    boots = {"b": 1000}
    right, early = Stamp(5000, 7, True), Stamp(0, 7, False)
    assert (known_wall_ns(right, "b", boots), known_wall_ns(right, "c", boots)) == (5000, 5000)
    assert (known_wall_ns(early, "b", boots), best_wall_ns(early, "b", boots)) == (1007, 1007)
    assert (known_wall_ns(early, "c", boots), best_wall_ns(Stamp(9, 7, False), "c", boots)) == (None, 9)
