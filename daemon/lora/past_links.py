"""How devices were heard, by the newest records of the log: where another network server answers them.

Nothing is noted while frames come in: the log is read when somebody asks. What only the network server knows, such as
power and battery, is not there.
"""

from typing import Final

from torhaus.codecs.model import Frame, Radio
from torhaus.daemon.lora.radio_link import RadioLink, RadioView
from torhaus.daemon.outbox.record import Stored
from torhaus.daemon.outbox.store import MAIN, Outbox

MAX_RECORDS: Final = 10_000
"""The newest ones that are looked at: some tenths of a second."""
_BATCH: Final = 1000


async def past_links(outbox: Outbox) -> list[RadioView]:
    """All devices of which there is an uplink among them. sqlite3.OperationalError when it cannot be read just now."""
    links: dict[str, tuple[RadioLink, Stored]] = {}
    log = outbox.logs[MAIN]
    pos, end = max(log.head, log.tail - MAX_RECORDS), log.tail
    while pos < end:
        batch = await outbox.read(MAIN, pos, min(_BATCH, end - pos))
        if not batch:
            break
        for stored in batch:
            if isinstance(stored, Stored):
                _note(links, stored)
        last = batch[-1]
        pos = last.pos + (1 if isinstance(last, Stored) else last.count)
    return [_view(link, stored) for link, stored in links.values()]


def _note(links: dict[str, tuple[RadioLink, Stored]], stored: Stored) -> None:
    record, lora = stored.record, stored.record.lora
    if record.device is None or lora is None or lora.fcnt is None:
        return
    number = lora.session or 0
    before = links.get(record.device)
    link = before[0] if before is not None else None
    if link is None or link.number != number or (link.fcnt is not None and lora.fcnt < link.fcnt):
        link = RadioLink(number)
    radio = Radio(lora.freq_hz, lora.modulation, lora.datarate, lora.coderate, lora.rx)
    link.note(lora.fcnt, Frame(record.driver, record.raw or b"", stored.at, radio), lora.dr)
    if not link.gateways:
        link.gateways = [rx.gateway for rx in lora.rx[:1]]  # of a driver whose gateways cannot be answered
    links[record.device] = link, stored


def _view(link: RadioLink, stored: Stored) -> RadioView:
    lora, interval = stored.record.lora, link.interval_ns()
    assert lora is not None
    return RadioView(
        device=stored.record.device or "",
        dev_eui=stored.record.dev_eui,
        dev_addr=lora.dev_addr,
        device_class=None,
        last_at_ns=link.last_at_ns,
        expected_at_ns=None if interval is None else link.last_at_ns + interval,
        fcnt=link.fcnt,
        datarate=link.datarate,
        snr_db=link.heard[-1].snr_db if link.heard else None,
        margin_db=link.margin_db(),
        loss=round(link.loss(), 4),
        tx_power=None,
        nb_trans=None,
        gateways=link.gateways,
    )
