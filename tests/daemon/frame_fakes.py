"""LoRaWAN records and downlinks for the tests of the frame log and of what shows it."""

from torhaus.codecs.lorawan.build import build_downlink, build_uplink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.downlink import After, Downlink, Immediately, TxItem
from torhaus.codecs.lorawan.join import build_join_request
from torhaus.codecs.model import Radio, Reception, Stamp, Value
from torhaus.daemon.outbox.record import Lora, Record, Stored

ROOF, TOWER = "aa555a0000000101", "aa555a0000000202"
KEYS = SessionKeys.v1_0(b"\x01" * 16, b"\x02" * 16)
ADDR = 0x26011BDA
WALL_NS = 1_795_000_000_000_000_000
RADIO = Radio(868_100_000, "LORA", "SF7BW125", "4/5")


def uplink(n: int = 7, *, gateway: str = ROOF, device: str | None = "flur", **more: object) -> Record:
    """A decoded uplink; `more` changes the record."""
    rx = [Reception(gateway, rssi_dbm=-97, snr_db=7.5, channel=2)]
    known = device is not None
    lora = Lora(
        868_100_000,
        "LORA",
        "SF7BW125",
        "4/5",
        5,
        "26011bda",
        0x10000 + n if known else None,
        5 if known else None,
        rx=rx,
    )
    record = Record("reading", "dach", device, "a81758fffe0312ab" if known else None, lora=lora)
    record.raw = build_uplink(KEYS, ADDR, n, 5, b"abc", adr=True)
    if known:
        record.codec, record.fields = "elsys", {"temperature": Value(21.4, "Cel")}
    for name, value in more.items():
        setattr(record, name, value)
    return record


def stranger(n: int = 7, reason: str = "unknown_device", *, gateway: str = ROOF) -> Record:
    """One that nobody knows."""
    return uplink(n, gateway=gateway, device=None, kind="frame", reason=reason, codec=None, fields=None)


def join(dev_eui: int = 0xA81758FFFE0312AB) -> Record:
    record = stranger()
    record.detail = "join-request"
    record.raw = build_join_request(bytes(16), 1, dev_eui, 3)
    return record


def stored(record: Record, pos: int = 0, at_ns: int = WALL_NS) -> Stored:
    return Stored(pos, "3f2a91c0", 100 + pos, "boot", Stamp(at_ns, 1, synced=True), record)


def downlink(gateway: str = ROOF, items: int = 2) -> Downlink:
    data = build_downlink(KEYS, ADDR, 3, 10, b"on", ack=True)
    rx1 = TxItem(data, 868_100_000, "LORA", "SF7BW125", After(1_000_000, b"\x01"), power_dbm=14)
    rx2 = TxItem(data, 869_525_000, "LORA", "SF12BW125", Immediately(), power_dbm=27)
    return Downlink(gateway, (rx1, rx2)[:items], dev_eui="a81758fffe0312ab")
