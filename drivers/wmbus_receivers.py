"""The receivers of wireless M-Bus: how each is set up, and how a telegram is found in what it sends.

Nothing that a receiver keeps without power is changed, but for one setting of the AMB8465 (see `Amber`).
"""

from typing import ClassVar, Final, Protocol

from torhaus.codecs.framing import amber_serial, imst_hci
from torhaus.codecs.framing.lines import LineFramer
from torhaus.codecs.framing.wmbus import Heard
from torhaus.codecs.framing.wmbus_lines import MAX_LINE, parse_line
from torhaus.codecs.model import Reject


class Receiver(Protocol):
    """One conversation with a receiver, from when its link was opened.

    `is_ready`: it has confirmed what it was told. `is_inside`: the beginning of a message has arrived. `feed`, `flush`,
    `reset`: as those of a framer.
    """

    BAUD: ClassVar[int]
    is_ready: bool

    def __init__(self, mode: str) -> None: ...

    @property
    def is_inside(self) -> bool:
        """Whether it waits for the rest of a message."""
        ...

    def greeting(self) -> list[bytes]:
        """What is sent first."""
        ...

    def feed(self, data: bytes) -> list[bytes | Reject]:
        """Take the next bytes; whole messages come back."""
        ...

    def flush(self) -> list[bytes | Reject]:
        """Nothing more of a message that has begun will come."""
        ...

    def reset(self) -> list[Reject]:
        """Forget what is incomplete."""
        ...

    def take(self, message: bytes) -> Heard | None:
        """The telegram in a message, None when it is about something else. Raises DecodeError."""
        ...

    def to_send(self) -> list[bytes]:
        """What is to be sent in answer to the messages that were taken."""
        ...


class Imst(imst_hci.ImstFramer):
    """IMST iM871A (USB). It is told the mode, and to attach the signal strength; it forgets that without power."""

    BAUD: ClassVar[int] = 57600

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.is_ready = False
        self._mode = mode

    def greeting(self) -> list[bytes]:
        """The mode."""
        return [imst_hci.set_mode(self._mode)]

    def take(self, message: bytes) -> Heard | None:
        """The telegram in a message."""
        said = imst_hci.unwrap(message)
        if (said.endpoint, said.number) == (imst_hci.DEVICE, imst_hci.CONFIG_SET):
            self.is_ready = True
        return imst_hci.heard(said, self._mode if self._mode != "C1T1" else None)

    def to_send(self) -> list[bytes]:
        """Nothing."""
        return []


class Amber(amber_serial.AmberFramer):
    """AMB8465 and AMB8665 (AMBER, Würth). Telegrams must come as messages with a checksum (UART_CMD_Out_Enable).

    Where that is switched off it is switched on, which the module keeps for good, and the module is started anew.
    """

    BAUD: ClassVar[int] = 9600

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.is_ready = False
        self._mode = mode
        self._has_rssi = False
        self._sends: list[bytes] = []

    def greeting(self) -> list[bytes]:
        """What is set now, and the mode."""
        ask = [
            amber_serial.build(amber_serial.GET, bytes((s, 1))) for s in (amber_serial.COMMANDS_OUT, amber_serial.RSSI)
        ]
        return [*ask, self._set_mode()]

    def _set_mode(self) -> bytes:
        return amber_serial.build(amber_serial.SET_MODE, bytes((amber_serial.MODES[self._mode],)))

    def take(self, message: bytes) -> Heard | None:
        """The telegram in a message; a confirmation may have something sent in turn."""
        said = amber_serial.unwrap(message)
        confirmed = said.command & ~amber_serial.CONFIRM
        if said.command & amber_serial.CONFIRM:
            if confirmed == amber_serial.GET and len(said.payload) >= 3:
                self._is_set(said.payload[0], said.payload[2])
            elif confirmed == amber_serial.SET:
                self._sends.append(amber_serial.build(amber_serial.RESET))
            elif confirmed == amber_serial.RESET:
                self._sends.append(self._set_mode())  # it has forgotten it
            elif confirmed == amber_serial.SET_MODE:
                self.is_ready = True
        if not self.is_ready:
            return None  # whether the RSSI is attached is not known yet
        return amber_serial.heard(said, has_rssi=self._has_rssi, mode=self._mode if self._mode != "C1T1" else None)

    def _is_set(self, setting: int, value: int) -> None:
        if setting == amber_serial.RSSI:
            self._has_rssi = value != 0
        elif setting == amber_serial.COMMANDS_OUT and value == 0:
            self._sends.append(amber_serial.build(amber_serial.SET, bytes((amber_serial.COMMANDS_OUT, 1, 1))))

    def to_send(self) -> list[bytes]:
        """What the confirmations call for."""
        sends, self._sends = self._sends, []
        return sends


class Lines(LineFramer):
    """Software that prints a line for each telegram, behind a socket or a serial port. It is told nothing."""

    BAUD: ClassVar[int] = 115200

    def __init__(self, mode: str) -> None:  # noqa: ARG002 - see Receiver
        super().__init__(b"\n", MAX_LINE)
        self.is_ready = True

    @property
    def is_inside(self) -> bool:
        """No: a slow line is a line."""
        return False

    def greeting(self) -> list[bytes]:
        """Nothing."""
        return []

    def flush(self) -> list[bytes | Reject]:
        """Nothing: a line ends when its end is there."""
        return []

    def take(self, message: bytes) -> Heard | None:
        """The telegram of a line."""
        return parse_line(message)

    def to_send(self) -> list[bytes]:
        """Nothing."""
        return []


RECEIVERS: Final[dict[str, type[Receiver]]] = {"im871a": Imst, "amb8465": Amber, "lines": Lines}
