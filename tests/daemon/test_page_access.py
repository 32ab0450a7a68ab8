from types import SimpleNamespace
from typing import Any

import pytest

from torhaus.daemon.config.model import Http
from torhaus.daemon.page.access import Access, host_of, is_loopback


def asked(host: str = "127.0.0.1:8680", remote: str | None = "127.0.0.1", secure: bool = False, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(headers=named | ({"Host": host} if host else {}), remote=remote, secure=secure)


def access(**http: Any) -> Access:
    return Access(Http(**http), ["kellerbox", "kellerbox.local"])


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8680", "localhost:8680", "[::1]:8680", "192.0.2.7", "[2001:db8::1]:8680", "KELLERBOX:1",
     "kellerbox.local", "gateway.stadt.example:443"],
)  # fmt: skip
def test_hosts_that_are_ours(host: str) -> None:
    assert access(hosts=("gateway.stadt.example",)).knows_host(asked(host))


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "[::1", "a@evil.example", "1.1.1",
     "\ud800",
     "gateway.stadt.example.", "x" * 5000, "[]", "0x7f.1", "evil.example:80:80"],
)  # fmt: skip
def test_hosts_that_are_not(host: str) -> None:
    assert not access(hosts=("gateway.stadt.example",)).knows_host(asked(host))


def test_who_is_near() -> None:
    open_, closed, wide = access(), access(sign_in="always"), access(listen="0.0.0.0:8680")
    near = asked()
    assert open_.is_near(near)
    assert not closed.is_near(near)
    assert not wide.is_near(near)
    for far in (
        asked(remote="192.0.2.1"),
        asked(remote=None),
        asked("kellerbox"),
        asked(X_Forwarded_For="192.0.2.1"),
        asked(Forwarded="for=192.0.2.1"),
        asked(X_Real_IP="127.0.0.1"),
    ):
        assert not open_.is_near(far)
    assert open_.is_near(asked("localhost", "::1"))


def test_where_passwords_are_taken() -> None:
    assert access().may_sign_in(asked())
    assert access().may_sign_in(asked(remote="192.0.2.1", secure=True))
    assert not access().may_sign_in(asked(remote="192.0.2.1"))
    assert not access().may_sign_in(asked(remote="192.0.2.1", X_Forwarded_Proto="https"))
    assert access(allow_plain=True).may_sign_in(asked(remote="192.0.2.1"))


def test_what_a_proxy_says_counts_if_it_is_on_this_machine() -> None:
    assert Access.is_encrypted(asked(X_Forwarded_Proto="https"))
    assert Access.is_encrypted(asked(secure=True))
    assert not Access.is_encrypted(asked(remote="192.0.2.1", X_Forwarded_Proto="https"))
    assert Access.client(asked(X_Forwarded_For="198.51.100.9, 192.0.2.1")) == "192.0.2.1"
    assert Access.client(asked(remote="203.0.113.1", X_Forwarded_For="192.0.2.1")) == "203.0.113.1"
    assert Access.client(asked(X_Forwarded_For="")) == "127.0.0.1"
    assert len(Access.client(asked(X_Forwarded_For="x" * 5000))) == 64


def test_other_sites_pages_get_nothing() -> None:
    assert Access.is_embedded(asked(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors"))
    assert Access.is_embedded(asked(Sec_Fetch_Site="same-site"))
    assert not Access.is_embedded(asked(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate"))
    assert not Access.is_embedded(asked(Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="cors"))
    assert not Access.is_embedded(asked())


def test_forms_come_from_here() -> None:
    own = Access.is_own_form
    assert own(asked())
    assert own(asked(Origin="http://127.0.0.1:8680", Sec_Fetch_Site="same-origin"))
    assert own(asked("KELLERBOX:443", Origin="https://kellerbox:443"))
    assert not own(asked(Origin="http://evil.example"))
    assert not own(asked(Origin="null"))
    assert not own(asked(Origin="http://["))
    assert not own(asked(Sec_Fetch_Site="cross-site"))
    assert not own(asked(Sec_Fetch_Site="same-site", Origin="http://127.0.0.1:8680"))


def test_loopback() -> None:
    assert all(is_loopback(a) for a in ("127.0.0.1", "127.9.9.9", "::1", "localhost", "LocalHost"))
    assert not any(is_loopback(a) for a in ("", "0.0.0.0", "192.0.2.1", "::", "localhost.", "x"))
    assert host_of(asked("[::1]:1")) == "::1"
