"""What devices say by MAC commands, as answers to one of each request, in two regions."""

from typing import Final

import msgspec

from torhaus.codecs.lorawan.mac_commands import decode
from torhaus.daemon.config.lorawan import Mac
from torhaus.daemon.config.model import Lorawan
from torhaus.daemon.lora.adr import Setting
from torhaus.daemon.lora.mac_answers import answers, asks
from torhaus.daemon.lora.mac_requests import MAX_REFUSED, answered, wanted
from torhaus.daemon.lora.plan import Plan
from torhaus.daemon.outbox.mac_state import STARTED

SEEDS: Final = [
    b"\x03\x07\x05\x07\x08\x07\x03\x04\x06\xfe\x1f\x09\x0f\x01\x0c\x0a\x03",
    b"\x02\x0d\x0b\x01\x20\x02\x01\x01",
]
MAC: Final = Mac(
    rx2_dr=3,
    max_duty_cycle=1,
    rejoin_count_n=1,
    rejoin_time_n=1,
    adr_ack_limit_n=1,
    adr_ack_delay_n=1,
    dl_channels_hz=((868_100_000, 867_100_000),),
)
PLANS: Final = (
    Plan(Lorawan(rx1_delay_s=3, mac=MAC)),
    Plan(Lorawan(region="AU915", mac=Mac(sub_band=2, dwell_time=True, rx1_dr_offset=2))),
)


def read(data: bytes) -> object:
    """The commands; what they change is checked for sense."""
    commands = decode(data, uplink=True)[0]
    for plan in PLANS:
        pending = wanted(plan, STARTED, "", is_1_1=True, adr=Setting(3, 1), dr=2, status_due=True)
        mac = msgspec.structs.replace(STARTED, pending=b"".join(pending).hex())
        after, outcomes = answered(plan, mac, "", commands, 1)
        assert len(outcomes) == len(pending)
        assert not after.pending
        assert len(after.refused) <= MAX_REFUSED
        plan.receive(after), plan.limits(after), plan.new_channels(after, "")
        wanted(plan, after, "", is_1_1=True, adr=None, dr=2, status_due=True)
        msgspec.json.encode(after)
    assert len(answers(asks(commands), "SF7BW125", [], 1)) <= 15
    return commands
