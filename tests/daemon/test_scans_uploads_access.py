"""Who may upload: tokens of which only hashes are kept, certificates, and what becomes of wrong logins."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import FakeClock, fake_pdf
from tests.daemon.upload_fakes import UploadBench, b64, with_uploads
from torhaus.daemon.evidence.log import FaultLog
from torhaus.daemon.scans.db import Tx
from torhaus.daemon.scans.events import LoginRefused
from torhaus.daemon.scans.uploads.access import MAX_ADDRESSES, MAX_FAILED, MAX_TOKENS, Access
from torhaus.daemon.scans.uploads.config import HttpStation
from torhaus.daemon.scans.uploads.problem import Problem


async def entries(b: UploadBench, word: str) -> list[str]:
    def work(tx: Tx) -> list[str]:
        return [row[0].decode() for row in tx.conn.execute("SELECT entry FROM evidence ORDER BY seq")]

    return [entry for entry in await b.queue._db.run(work) if word in entry]


def test_tokens_are_good_at_once_and_bad_at_once(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        assert (await b.ask("PUT", "/scans/phone/a", fake_pdf(1))).status == 201
        basic = f"Basic {b64(f'irgendwer:{b.text}'.encode())}"
        assert (await b.ask("PUT", "/scans/phone/b", fake_pdf(2), Authorization=basic)).status == 201
        assert await b.queue.reception.revoke_token("phone", b.token, "uid:0")
        assert not await b.queue.reception.revoke_token("phone", b.token)
        assert (await b.ask("PUT", "/scans/phone/c", fake_pdf(3))).status == 401
        (token,) = await b.queue.reception.tokens("phone")
        assert token.revoked_ns is not None
        assert await b.queue.reception.tokens(None) == [token]
        await b.restart()
        assert (await b.ask("PUT", "/scans/phone/c", fake_pdf(3))).status == 401
        stored = (b.root / "state/scans/scans.db").read_bytes()
        stored += (b.root / "state/scans/scans.db-wal").read_bytes()
        assert b.text.encode() not in stored
        assert len(await entries(b, "rights.token_added")) == 1
        (revoked,) = await entries(b, "rights.token_revoked")
        assert '"account":"uid:0"' in revoked
        for _ in range(MAX_TOKENS):
            await b.queue.reception.add_token("phone")
        with pytest.raises(ValueError, match="revoke one first"):
            await b.queue.reception.add_token("phone")
        with pytest.raises(KeyError):
            await b.queue.reception.add_token("counter")

    with_uploads(tmp_path, work)


def test_wrong_logins_are_refused_counted_and_in_the_journal(tmp_path: Path) -> None:
    async def work(b: UploadBench) -> None:
        async with b.http.put(f"{b.url}/scans/phone/a", data=b"x") as r:  # no login is not a wrong one
            assert (r.status, "Bearer" in r.headers["WWW-Authenticate"]) == (401, True)
        assert b.told(LoginRefused) == []
        for station in ("phone", "nobody"):  # nobody learns which stations there are
            assert (await b.ask("PUT", f"/scans/{station}/a", b"x", Authorization="Bearer nein")).status == 401
        assert (await b.ask("PUT", "/scans/other/a", b"x")).status == 403
        for bad in ("Basic !", "Basic YQ==", "Digest x", "Bearer " + "x" * 2000, "Bearer"):
            assert (await b.ask("PUT", "/scans/phone/a", b"x", Authorization=bad)).status == 401
        assert [(e.station, e.kind) for e in b.told(LoginRefused)][:3] == [
            ("phone", "token"), ("", "token"), ("phone", "station"),
        ]  # fmt: skip
        await b.queue.record_head()
        assert await entries(b, "login_refused") == []
        (nobody, phone) = await entries(b, "fault.login_token")
        assert '"where":null' in nobody
        assert '"count":6' in phone
        await b.queue.record_head()
        assert len(await entries(b, "fault.login_")) == 3

    with_uploads(tmp_path, work)


def test_a_token_that_is_written_down_as_revoked_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(b: UploadBench) -> None:
        real, tried = b.queue._db.run, list[Any]()

        async def once(asked: Any) -> Any:
            if tried:
                raise sqlite3.OperationalError("disk I/O error")
            tried.append(asked)
            return await real(asked)

        with monkeypatch.context() as patch:
            patch.setattr(b.queue._db, "run", once)
            assert await b.queue.reception.revoke_token("phone", b.token)
        assert (await b.ask("PUT", "/scans/phone/a", b"x")).status == 401

    with_uploads(tmp_path, work)


def access(*stations: HttpStation) -> tuple[Access, list[Any], FakeClock, FaultLog]:
    told: list[Any] = []
    clock, faults = FakeClock(), FaultLog()
    return Access(stations, clock, told.append, faults), told, clock, faults


def refused(a: Access, address: str) -> Problem:
    with pytest.raises(Problem) as caught:
        a.admit("phone", "Bearer nein", None, address)
    return caught.value


def test_an_address_that_goes_on_is_told_to_wait() -> None:
    a, told, clock, faults = access(HttpStation("phone"))
    assert [refused(a, "192.0.2.7").status for _ in range(MAX_FAILED + 2)] == [401] * MAX_FAILED + [429] * 2
    assert refused(a, "192.0.2.7").headers["Retry-After"] == "60"
    assert refused(a, "192.0.2.8").status == 401
    for n in range(MAX_FAILED):
        refused(a, f"2001:db8::{n}")
    assert refused(a, "2001:db8::ffff").status == 429  # the same network
    assert refused(a, "::ffff:192.0.2.7").status == 429
    assert faults.take() == {("login_token", "phone"): 2 * MAX_FAILED + 6}
    clock.pass_s(61)
    assert refused(a, "192.0.2.7").status == 401
    for n in range(MAX_ADDRESSES + 10):
        refused(a, f"10.1.{n >> 8}.{n & 255}")
    assert len(a._failed) == MAX_ADDRESSES
    assert len(told) == len([e for e in told if isinstance(e, LoginRefused)])


@pytest.mark.parametrize(
    ("certificate", "who"),
    [
        ({"subjectAltName": (("DNS", "Scanner-3.example.org"),)}, "phone"),
        ({"subject": ((("commonName", "scanner-3.example.org"),),)}, "phone"),
        ({"subject": ((("commonName", "scanner-3.example.org"),),), "subjectAltName": (("DNS", "x"),)}, None),
        ({"subjectAltName": (("IP Address", "192.0.2.1"),), "subject": ((("organizationName", "x"),),)}, None),
        ({}, None),
        (None, None),
    ],
)
def test_certificates(certificate: dict[str, Any] | None, who: str | None) -> None:
    a, _, _, _ = access(HttpStation("phone", certificate_name="scanner-3.example.org"), HttpStation("other"))
    if who is not None:
        assert a.admit("phone", None, certificate, "192.0.2.1").name == who
        with pytest.raises(Problem, match="403"):
            a.admit("other", None, certificate, "192.0.2.1")
    else:
        with pytest.raises(Problem, match="401"):
            a.admit("phone", None, certificate, "192.0.2.1")
