"""Who is trusted, who is sent away, and what the way back takes."""

from torhaus.daemon.scripts.protocol import Job
from torhaus.daemon.scripts.trust import FACTOR, FIRST, MOST, Trust


def job(eui: str | None = "a1", name: str = "s.js") -> Job:
    return Job(name, f"hash of {name}", b"", dev_eui=eui)


def proven(*names: str) -> Trust:
    trust = Trust()
    for name in names or ("s.js",):
        assert trust.good(job(name=name))
    return trust


def good_until_trusted(trust: Trust, given: Job) -> int:
    for count in range(1, MOST * 2):
        changed = trust.good(given)
        assert changed == trust.trusts(given)
        if changed:
            return count
    raise AssertionError("never trusted again")


def test_one_good_result_proves_a_script_for_all_devices() -> None:
    trust = Trust()
    assert not trust.trusts(job())
    trust.bad(job())
    assert not trust.trusts(job())
    assert trust.good(job())
    assert trust.trusts(job())
    assert trust.trusts(job("b2"))
    assert trust.trusts(job(None))
    assert not trust.trusts(job(name="other.js"))
    assert not trust.good(job())


def test_one_device_is_sent_away_alone() -> None:
    trust = proven("s.js", "other.js")
    trust.send_away(job("a1"))
    assert not trust.trusts(job("a1"))
    assert trust.trusts(job("b2"))
    assert trust.trusts(job("a1", "other.js"))
    assert trust.sent_away == 1
    assert good_until_trusted(trust, job("a1")) == FIRST


def test_two_devices_in_a_row_are_the_script() -> None:
    trust = proven()
    trust.send_away(job("a1"))
    trust.send_away(job("b2"))
    assert not trust.trusts(job("c3"))
    assert good_until_trusted(trust, job("c3")) == FIRST
    trust.send_away(job("d4"))
    trust.praise(job("c3"))
    trust.send_away(job("e5"))
    assert trust.trusts(job("c3"))


def test_without_a_device_it_is_the_script() -> None:
    trust = proven()
    trust.send_away(job(None))
    assert not trust.trusts(job("a1"))


def test_the_way_back_grows_up_to_a_bound() -> None:
    trust = proven()
    expected = FIRST
    for _ in range(5):
        trust.send_away(job())
        trust.praise(job("b2"))
        assert good_until_trusted(trust, job()) == expected
        expected = min(MOST, expected * FACTOR)
    assert expected == MOST


def test_a_broken_limit_begins_it_anew() -> None:
    trust = proven()
    trust.send_away(job())
    for _ in range(FIRST - 1):
        assert not trust.good(job())
    trust.bad(job())
    assert good_until_trusted(trust, job()) == FIRST


def test_doubt_takes_one_good_result() -> None:
    trust = proven()
    trust.doubt(job("a1"))
    trust.doubt(job(None))
    assert not trust.trusts(job("b2"))
    assert trust.good(job("a1"))
    assert trust.trusts(job("a1"))
    assert trust.trusts(job("b2"))
    trust.send_away(job())
    trust.doubt(job())  # makes it no shorter
    assert good_until_trusted(trust, job()) == FIRST


def test_a_withdrawn_script_is_forgotten() -> None:
    trust = proven("s.js", "other.js")
    for given in (job(), job(name="other.js")):
        trust.send_away(given)
    trust.forget(job().source_hash)
    assert not trust.trusts(job("b2"))
    assert trust.good(job())
    assert trust.trusts(job())
    assert not trust.trusts(job(name="other.js"))
