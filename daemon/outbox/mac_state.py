"""What is kept of one session's MAC layer: what its device has confirmed, and what it was asked last. Values only."""

from typing import Final

import msgspec


class Mac(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """None: as the region has it from the start, or never confirmed. Requests are in hex, as they are sent.

    `channels`: number and frequency in Hz of those that NewChannelReq set, 0 Hz for one that it took away. `down_hz`:
    uplink's frequency and RX1's, where DlChannelReq made these differ.
    `channels_on`: those that LinkADRReq left on. `max_dr` and `max_tx_power`: the device refused more. `dwell`,
    `rejoin` and `adr_param`: the byte of TxParamSetupReq, RejoinParamSetupReq and ADRParamSetupReq. `force_rejoin`: the
    type of rejoin (0 or 2) that somebody wants of the device. `pending`: sent last, and not answered yet.
    `battery` and `margin_db` as DevStatusAns has them, of the wall clock's `status_at_ns`. `gateway`: that a device of
    class C is reached through. `device_class`: what a 1.1 device says it is (DeviceModeInd: 0 A, 2 C).
    """

    rx1_delay_s: int | None = None
    rx1_dr_offset: int = 0
    rx2_dr: int | None = None
    rx2_hz: int | None = None
    channels: tuple[tuple[int, int], ...] = ()
    down_hz: tuple[tuple[int, int], ...] = ()
    channels_on: tuple[int, ...] | None = None
    data_rate: int | None = None
    tx_power: int = 0
    nb_trans: int = 1
    max_dr: int | None = None
    max_tx_power: int | None = None
    max_duty_cycle: int = 0
    dwell: int | None = None
    rejoin: int | None = None
    adr_param: int | None = None
    force_rejoin: int | None = None
    refused: tuple[str, ...] = ()
    pending: str = ""
    battery: int | None = None
    margin_db: int | None = None
    status_at_ns: int = 0
    gateway: str = ""
    device_class: int = 0


STARTED: Final = Mac(rx1_delay_s=1)
"""What a personalised device has when it has just been switched on: all as its region has it."""
