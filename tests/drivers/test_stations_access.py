"""Who may connect: by certificate, token or name; and whoever may not is told why."""

from hashlib import sha256
from pathlib import Path

import pytest

from tests.drivers.fakes import run
from tests.drivers.station_fakes import EUI, OTHER, Host, Refused, config, running, station
from torhaus.drivers.stations.access import Access, names_of, strip

TOKEN = "NXVE.4711-secret"
HASH = sha256(TOKEN.encode()).hexdigest()
LINE = f"Authorization: Bearer {TOKEN}"


def certificate(*names: str, common: str = "") -> dict[str, object]:
    """As ssl.SSLSocket.getpeercert gives it."""
    subject = ((("organizationName", "Stadt Delbrück"),), (("commonName", common),)) if common else ()
    return {"subject": subject, "subjectAltName": (*tuple(("DNS", n) for n in names), ("IP Address", "192.0.2.1"))}


def access(**values: object) -> Access:
    return Access(config(**values))


TLS = {"cert_file": "c", "key_file": "k", "client_ca_file": "ca"}


@pytest.mark.parametrize(
    "shown",
    [
        certificate(common=EUI),
        certificate(common=EUI.upper()),
        certificate(common="AA-55-5A-00-00-00-01-01"),
        certificate(common="aa55:5a00:0:101"),
        certificate("dach.delbrueck.example", EUI),
    ],
)
def test_a_certificate_names_the_gateway(shown: dict[str, object]) -> None:
    assert access(**TLS).refusal(EUI, shown, None) is None
    assert access(**TLS, gateway=[{"eui": EUI}]).refusal(EUI, shown, None) is None
    why = access(**TLS).refusal(OTHER, shown, None)
    assert why is not None
    assert "must be its EUI, aa555a00000001ff" in why


@pytest.mark.parametrize("shown", [None, {}, certificate(), certificate(common="router-1"), certificate("1")])
def test_no_certificate_or_one_of_nobody(shown: dict[str, object] | None) -> None:
    assert access(**TLS).refusal(EUI, shown, None) is not None


def test_what_the_refusal_says_of_a_certificate() -> None:
    why = access(**TLS).refusal(EUI, certificate("dach", common="router-1"), None)
    assert (
        why == f"its certificate is for router-1, dach; the common name or an alternative name must be its EUI, {EUI}"
    )
    assert access(**TLS).refusal(EUI, None, None) == "it shows no certificate"
    assert len(access(**TLS).refusal(EUI, certificate(common="x" * 9999), None) or "") < 250


@pytest.mark.parametrize(
    "line", [LINE, LINE + "\r\n", f"Bearer {TOKEN}", f"bearer  {TOKEN}", TOKEN, f"authorization:{TOKEN}"]
)
def test_a_token_in_all_its_spellings(line: str, tmp_path: Path) -> None:
    header = strip(line) if line.lower().startswith("authorization") else line
    file = tmp_path / "token"
    for content in (LINE, TOKEN, f"Bearer {TOKEN}\n"):
        file.write_text(content)
        by_file, by_hash = {"eui": EUI, "token_file": str(file)}, {"eui": EUI, "token_sha256": HASH.upper()}
        for gateway in (by_file, by_hash):
            assert access(gateway=[gateway]).refusal(EUI, None, header) is None


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer ", TOKEN[:-1], TOKEN + "x", f"Basic {TOKEN}", "\udcff", "x" * 9000]
)
def test_a_wrong_token(shown: str) -> None:
    assert access(gateway=[{"eui": EUI, "token_sha256": HASH}]).refusal(EUI, None, shown) == "its token is wrong"


def test_no_token_and_a_file_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "token"
    guarded = access(gateway=[{"eui": EUI, "token_file": str(file)}, {"eui": OTHER, "token_sha256": HASH}])
    assert guarded.refusal(OTHER, None, None) == "it shows no token (a line Authorization: Bearer TOKEN in its tc.key)"
    assert guarded.refusal(EUI, None, TOKEN) == "the file with its token cannot be read: No such file or directory"
    file.write_bytes(b"\xff")
    assert guarded.refusal(EUI, None, TOKEN) == "the file with its token cannot be read: not UTF-8 text"
    for empty in (b"", b"\n", b"Authorization: Bearer \n"):
        file.write_bytes(empty)
        for shown in (TOKEN, "", "Bearer"):
            assert guarded.refusal(EUI, None, shown) == "the file with its token is empty"
    file.write_text(TOKEN)
    assert guarded.refusal(EUI, None, TOKEN) is None  # renewed while it runs


def test_either_proof_will_do_where_there_are_both() -> None:
    both = access(**TLS, gateway=[{"eui": EUI, "token_sha256": HASH}, {"eui": OTHER}])
    assert both.refusal(EUI, certificate(common=EUI), None) is None
    assert both.refusal(EUI, None, TOKEN) is None
    assert both.refusal(EUI, certificate(common=OTHER), TOKEN) is None
    assert both.refusal(EUI, certificate(common=OTHER), "x") == "its token is wrong"
    assert both.refusal(EUI, certificate(common=OTHER), None) is not None
    assert both.refusal(OTHER, None, TOKEN) == "it shows no certificate"


def test_by_name_alone_on_this_machine() -> None:
    assert access().refusal(EUI, None, None) is None
    assert not access().is_listed
    listed = access(gateway=[{"eui": EUI.upper()}])
    assert listed.is_listed
    assert listed.refusal(EUI, None, None) is None
    assert listed.refusal(OTHER, None, None) == "this gateway is not listed in the driver's [[driver.gateway]]"


def test_names_of_odd_certificates() -> None:
    assert names_of({}) == []
    assert names_of({"subjectAltName": (("URI", "urn:x"), ("email", "a@b"))}) == ["urn:x"]


def test_tokens_are_asked_for_in_discovery_and_for_data() -> None:
    async def main() -> None:
        host = Host()
        gateways = [{"eui": EUI, "token_sha256": HASH}]
        async with running(host, gateway=gateways) as server:
            for token in (None, "Authorization: Bearer wrong"):
                async with station(server, token=token) as stranger:
                    with pytest.raises(Refused, match="token"):
                        await stranger.discover()
                    with pytest.raises(Refused, match="403"):
                        await stranger.connect()
            async with station(server, token=LINE) as known:
                await known.start()
                await known.heard_frame()
                await host.until_frames(1)
            assert len(host.refused()) == 4
            assert all(TOKEN not in e.detail and "wrong'" not in e.detail for e in host.refused())

    run(main())
