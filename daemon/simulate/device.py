"""A simulated end device of class A or C: when it sends, what it hears, and what it does then. Pure: time is given.

TS001-1.0.4 chapters 3 (windows), 4.3.1 (ADR, acknowledgement) and 7 (back-off), LoRaWAN 1.1. Retransmissions: to 1.0.3
a confirmed uplink goes out up to eight times, slower after every second; from 1.0.4 on NbTrans times. Devices that are
personalised (ABP) and class B are not simulated. All times in microseconds of one clock.
"""

from collections import Counter
from random import Random
from typing import Final

from torhaus.codecs.lorawan.airtime import airtime_us
from torhaus.codecs.lorawan.phy import MIN_DATA_BYTES
from torhaus.codecs.lorawan.region import datarate, max_payload, rx1, tx_power_dbm
from torhaus.codecs.lorawan.regions.model import JOIN_ACCEPT_DELAY1_S, Channel, Region
from torhaus.daemon.demo.sensors import KINDS
from torhaus.daemon.simulate.identity import Identity
from torhaus.daemon.simulate.member import Member
from torhaus.daemon.simulate.model import SECOND_US, Habits, Transmission, Window
from torhaus.daemon.simulate.pacing import Pacing
from torhaus.daemon.simulate.settings import Settings

TOLERANCE_US: Final = 20
"""How exactly a window opens (TS001-1.0.4 section 3.3): a downlink beside it is not heard."""
CONTINUOUS: Final = 2
"""The window of class C: RX2 is open whenever nothing else is."""
CONFIRMED_TRIES: Final = 8
_JOIN_BYTES: Final = 23
_RETRANSMIT_S: Final = (1.0, 3.0)
"""RETRANSMIT_TIMEOUT, 2 s ± 1 s."""
_SOON_S: Final = (1.0, 5.0)
_LISTEN_US: Final = 50_000
"""So long after it began RX2 is over when nothing came."""


class EndDevice:
    """`act` is to be called at `due_us`; `counts` says what happened to it, in the words of `WORDS`."""

    def __init__(
        self,
        identity: Identity,
        region: Region,
        seed: object = 0,
        habits: Habits | None = None,
        now_us: int = 0,
        nonces: Random | None = None,
    ) -> None:
        self.habits = habits or Habits()
        self.region = region
        self.random = Random(f"{seed} {identity.dev_eui}")  # the same device does the same with the same seed
        self.member = Member(identity, nonces or Random(f"nonces {seed} {identity.dev_eui}"))
        self.settings = Settings(region)
        self.pacing = Pacing(region.name, now_us, is_limited=self.habits.is_limited)
        self.counts: Counter[str] = Counter()
        self.windows: tuple[Window, ...] = ()
        self.uplinks = 0  # payloads, by number
        self.on_since_us = now_us
        self.joined_us: int | None = None
        self.due_us = 0
        self.busy_until_us = 0  # it transmits, and hears nothing
        self._is_joining = False
        self._attempts = 0
        self._join_dr = 0  # what it is heard with, and goes on with
        self._tries_left = 0  # of the frame that is repeated
        self._is_confirmed = False
        self._planned_us = 0
        self._adr_ack_cnt = 0
        self.reset(now_us)

    @property
    def is_joined(self) -> bool:
        """Whether it has a session."""
        return self.member.keys is not None

    def reset(self, now_us: int) -> None:
        """Power was cut and comes back now."""
        self.member.forget()
        self.settings = Settings(self.region)
        self._is_joining = self._is_confirmed = False
        self.windows, self._tries_left, self._attempts, self.joined_us = (), 0, 0, None
        self.on_since_us = now_us
        self.pacing.restart(now_us)
        self.due_us = now_us + self._random_us(0.0, self.habits.spread_s)

    def act(self, now_us: int) -> Transmission | None:
        """What it does at its time: something goes out, or the windows are over; `due_us` is set anew."""
        if self.windows:
            self.windows = ()
            self._unheard(now_us)
            return None
        if not self.is_joined:
            return self._join(now_us)
        if self.settings.rejoin is not None and self.member.has_1_1_session:
            return self._rejoin(now_us)
        return self._repeat(now_us) if self._tries_left else self._uplink(now_us)

    def hear(self, now_us: int, phy: bytes, freq_hz: int, rate: str, snr_db: float = 0.0) -> bool:
        """A downlink begins now: whether it was heard in a window, and was for this device."""
        found = self.window_at(now_us, freq_hz, rate)
        if found is None:
            return False
        is_window = found != CONTINUOUS
        end_us = now_us + airtime_us("LORA" if rate.startswith("SF") else "FSK", rate, len(phy), uplink=False)
        if self._is_joining and is_window and self.member.take(phy):
            self._joined(end_us)
        elif self.is_joined and (down := self.member.hear(phy)) is not None:
            self.settings.margin_db = round(snr_db)
            self.settings.take(down.commands)
            self.pacing.max_duty_cycle = self.settings.max_duty_cycle
            self._adr_ack_cnt = 0
            self.counts["downlinks"] += 1
            if self._is_confirmed and down.ack:
                self.counts["acked"] += 1
            if not self._is_confirmed or down.ack:
                self._tries_left, self._is_confirmed = 0, False
            if is_window or down.pending or down.confirmed:
                self.windows = ()
                self._rest(end_us, soon=down.pending or (down.confirmed and self.habits.class_c))
        else:
            self.counts["foreign"] += 1
            return False
        self.counts[f"rx{found + 1}" if is_window else "class_c"] += 1
        return True

    def window_at(self, now_us: int, freq_hz: int, rate: str) -> int | None:
        """Where a downlink that begins now is heard: 0 in RX1, 1 in RX2, CONTINUOUS in class C; None: nowhere."""
        for n, w in enumerate(self.windows):
            if abs(w.at_us - now_us) <= TOLERANCE_US and w.freq_hz == freq_hz and w.datarate == rate:
                return n
        if self.habits.class_c and self.is_joined and now_us >= self.busy_until_us:
            rx2 = self.settings.rx2_hz, datarate(self.region, self.settings.rx2_dr).datarate
            return CONTINUOUS if rx2 == (freq_hz, rate) else None
        return None

    # -- joins ---------------------------------------------------------------------------------------------------------

    def _join(self, now_us: int) -> Transmission | None:
        channels = self.region.join_channels
        rates = sorted({dr for c in channels for dr in range(c.min_dr, c.max_dr + 1)}, reverse=True)
        dr = rates[self._attempts // 2 % len(rates)]  # two tries each, ever slower, then from the start
        fits = {n: c for n, c in enumerate(channels) if c.min_dr <= dr <= c.max_dr}
        air_us = self._air_us(dr, _JOIN_BYTES)
        when = self.pacing.join_us(now_us, air_us)
        hz = self._free(fits, when, now_us)
        if hz is None:
            return None
        self._attempts += 1
        self._is_joining, self._join_dr = True, dr
        self.counts["join_requests"] += 1
        return self._send(now_us, self.member.ask(), hz[1], dr, JOIN_ACCEPT_DELAY1_S, is_join=True)

    def _rejoin(self, now_us: int) -> Transmission | None:
        assert self.settings.rejoin is not None
        dr, kind = self.settings.rejoin
        dr = dr if self.settings.has_rate(dr) else self.settings.dr
        hz = self._free(self._channels(dr), now_us, now_us)
        if hz is None:
            return None
        self.settings.rejoin = None
        self._is_joining, self._join_dr = True, dr
        self.counts["rejoin_requests"] += 1
        return self._send(now_us, self.member.rejoin(kind), hz[1], dr, JOIN_ACCEPT_DELAY1_S, is_join=True)

    def _joined(self, now_us: int) -> None:
        assert self.member.body is not None
        self.counts["joined"] += 1
        self._is_joining, self._attempts, self._adr_ack_cnt = False, 0, 0
        self.joined_us = now_us
        self.settings = Settings(self.region, self._join_dr, is_1_1=self.member.has_1_1_session)
        self.settings.joined(self.member.body)
        self.windows, self._tries_left, self._is_confirmed = (), 0, False
        self.due_us = now_us + self._random_us(1.0, max(1.0, min(self.habits.period_s, 30.0)))
        self._planned_us = self.due_us

    # -- uplinks -------------------------------------------------------------------------------------------------------

    def _uplink(self, now_us: int) -> Transmission | None:
        s = self.settings
        hz = self._free(self._channels(s.dr), now_us, now_us)
        if hz is None:
            return None
        make, fport = KINDS[self.member.identity.codec]
        payload: bytes = make(self.uplinks, self.member.identity.dev_eui & 0xFF)
        port: int | None = fport
        fopts = s.answers()
        room = max_payload(self.region, s.dr) - len(fopts)
        if room < len(payload):
            self.counts["too_long"] += 1
            payload, port = b"", None
        else:
            self.uplinks += 1
        every = self.habits.confirmed_every
        self._is_confirmed = bool(every) and (self.uplinks % every == 0)
        asks = self.habits.adr and self._adr_ack_cnt >= s.adr_ack_limit
        if asks and self._adr_ack_cnt > s.adr_ack_limit and not (self._adr_ack_cnt - s.adr_ack_limit) % s.adr_ack_delay:
            s.back_off()
            hz = self._free(self._channels(s.dr), now_us, now_us) or hz
        self._adr_ack_cnt += 1
        phy = self.member.uplink(
            payload,
            fport=port,
            confirmed=self._is_confirmed,
            adr=self.habits.adr,
            adr_ack_req=asks,
            fopts=fopts,
            tx_dr=s.dr,
            tx_ch=hz[0],
        )
        is_old = self.member.identity.version in {"1.0.2", "1.0.3"}
        self._tries_left = CONFIRMED_TRIES if self._is_confirmed and is_old else s.nb_trans
        self._tries_left -= 1
        self.counts["uplinks"] += 1
        self.counts["confirmed"] += self._is_confirmed
        return self._send(now_us, phy, hz[1], s.dr, s.rx1_delay_s)

    def _repeat(self, now_us: int) -> Transmission | None:
        s = self.settings
        is_old = self._is_confirmed and self.member.identity.version in {"1.0.2", "1.0.3"}
        if is_old and not self._tries_left % 2 and s.dr > 0 and s.has_rate(s.dr - 1):
            s.dr -= 1
        hz = self._free(self._channels(s.dr), now_us, now_us)
        if hz is None:
            return None
        self._tries_left -= 1
        self.counts["repeats"] += 1
        phy = self.member.repeat(tx_dr=s.dr, tx_ch=hz[0])
        return self._send(now_us, phy, hz[1], s.dr, s.rx1_delay_s)

    # -- both ----------------------------------------------------------------------------------------------------------

    def _send(
        self, now_us: int, phy: bytes, freq_hz: int, dr: int, delay_s: int, *, is_join: bool = False
    ) -> Transmission:
        s = self.settings
        rate = datarate(self.region, dr)
        air_us = self._air_us(dr, len(phy))
        self.pacing.sent(now_us, freq_hz, air_us, is_join=is_join)
        end_us = self.busy_until_us = now_us + air_us
        offset = 0 if is_join else s.rx1_dr_offset
        hz1, dr1 = rx1(self.region, freq_hz, dr, offset)
        if not is_join:
            number = next((n for n, c in s.channels.items() if c.freq_hz == freq_hz), -1)
            hz1 = s.down_hz.get(number, hz1)
        fresh = self.region if is_join else s
        hz2, dr2 = fresh.rx2_hz, fresh.rx2_dr
        at_us = end_us + delay_s * SECOND_US
        self.windows = (
            Window(at_us, hz1, datarate(self.region, dr1).datarate),
            Window(at_us + SECOND_US, hz2, datarate(self.region, dr2).datarate),
        )
        self.due_us = at_us + SECOND_US + _LISTEN_US
        power = tx_power_dbm(self.region, s.tx_power)
        return Transmission(phy, freq_hz, dr, rate.datarate, power, now_us, end_us, is_join)

    def _unheard(self, now_us: int) -> None:
        """Nothing came in either window."""
        if self._is_joining:
            self._is_joining = False
            self.due_us = now_us + self._random_us(*self.habits.join_pause_s)
        elif self._tries_left:
            self.due_us = now_us + self._random_us(*_RETRANSMIT_S)
        else:
            self._rest(now_us)

    def _rest(self, now_us: int, *, soon: bool = False) -> None:
        """Until the next uplink; a frame that was acknowledged, or given up, is done with."""
        if self._tries_left:  # an answer without the acknowledgement
            self.due_us = now_us + self._random_us(*_RETRANSMIT_S)
            return
        self.counts["unacked"] += self._is_confirmed
        self._is_confirmed = False
        if soon:
            self.due_us = now_us + self._random_us(*_SOON_S)
            return
        while self._planned_us <= now_us:
            self._planned_us += self._random_us(0.9 * self.habits.period_s, 1.1 * self.habits.period_s)
        self.due_us = self._planned_us

    def _channels(self, dr: int) -> dict[int, Channel]:
        s = self.settings
        return {n: s.channels[n] for n in sorted(s.enabled) if s.channels[n].min_dr <= dr <= s.channels[n].max_dr}

    def _free(self, channels: dict[int, Channel], when_us: int, now_us: int) -> tuple[int, int] | None:
        """A channel that may be used now, at random; None: not before `due_us`, which is set."""
        free = {n: max(self.pacing.free_us(c.freq_hz), when_us) for n, c in channels.items()}
        now = [n for n, at_us in free.items() if at_us <= now_us]
        if now:
            n = self.random.choice(now)
            return n, channels[n].freq_hz
        self.due_us = min(free.values(), default=now_us + 60 * SECOND_US) + self._random_us(0.0, 1.0)
        return None

    def _air_us(self, dr: int, size: int) -> int:
        rate = datarate(self.region, dr)
        return airtime_us(rate.modulation, rate.datarate, max(size, MIN_DATA_BYTES), rate.coderate)

    def _random_us(self, low_s: float, high_s: float) -> int:
        return round(self.random.uniform(low_s, high_s) * SECOND_US)
