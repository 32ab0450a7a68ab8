"""Encryption and authentication of wireless M-Bus telegrams under a meter's key of 16 bytes.

After EN 13757-7:2018 (modes 5 and 7, key derivation, AES-CMAC), EN 13757-4:2019 (counter mode of the extended link
layer), OMS Specification Volume 2, issue 4 (profiles A and B).
"""

from hmac import compare_digest
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from torhaus.codecs.lorawan.aes import check_key, cmac
from torhaus.codecs.meter.wmbus.layers import Authentication, Extended, Header, checked
from torhaus.codecs.model import DecodeError, RejectReason

IDLE: Final = b"\x2f\x2f"
"""What encrypted data begin with: the proof that the key is the right one."""
NONE: Final = 0
CBC: Final = 5
CBC_DERIVED: Final = 7

_REPEATED: Final = 0x12
"""Bits of the communication control field that a repeater changes."""
_ENCRYPTION: Final = b"\x00"
_AUTHENTICATION: Final = b"\x01"
_PADDING: Final = b"\x07" * 7


def opened_link(body: bytes, sender: bytes, extended: Extended, key: bytes | None) -> bytes:
    """What follows an extended link layer with a session number: decrypted, and its checksum verified.

    `sender`: the link layer's eight bytes of manufacturer and address. Raises DecodeError KEY, CRC, UNSUPPORTED.
    """
    session = (extended.session or 0).to_bytes(4, "little")
    if extended.security == 0:
        clear = checked(body)
        if clear is None:
            raise DecodeError(RejectReason.CRC, "checksum of the payload does not match")
        return clear
    if extended.security != 1:
        raise DecodeError(RejectReason.UNSUPPORTED, f"encryption {extended.security} of the link layer")
    if key is None:
        clear = checked(body)
        if clear is not None and clear and clear[0] in {0x78, 0x79}:
            return clear  # somebody between decrypted it; whoever has the key takes nobody's word for that
        raise DecodeError(RejectReason.KEY, "the telegram is encrypted, and there is no key for this meter")
    check_key(key, "the meter's key")
    for control in (extended.control, extended.control & ~_REPEATED):
        counter = sender + bytes((control,)) + session + bytes(3)
        clear = checked(Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor().update(body))
        if clear is not None:
            return clear
    raise DecodeError(RejectReason.KEY, "the key is not that of this meter")


def verify(layer: Authentication, following: bytes, key: bytes, identity: bytes, *, must: bool) -> None:
    """Check the MAC over all that follows the layer; `must`: there has to be one. Constant time.

    Raises DecodeError MIC or UNSUPPORTED.
    """
    if not layer.mac:
        if must:
            raise DecodeError(RejectReason.MIC, "the telegram is not signed, which its security mode asks for")
        return
    if layer.counter is None:
        raise DecodeError(RejectReason.UNSUPPORTED, "an authentication without a message counter")
    mac = cmac(_derived(key, _AUTHENTICATION, layer.counter, identity), layer.signed + following)
    if not compare_digest(mac[: len(layer.mac)], layer.mac):
        raise DecodeError(RejectReason.MIC, "the telegram is not authentic: altered, or the key is another meter's")


def opened_data(data: bytes, header: Header, key: bytes | None, address: bytes, layer: Authentication | None) -> bytes:
    """The data in clear. `address`: the meter's manufacturer and address as the link layer writes them.

    Raises DecodeError KEY, SHORT or UNSUPPORTED.
    """
    if header.mode == NONE or (header.mode == CBC and header.blocks == 0):
        return data
    if header.mode not in {CBC, CBC_DERIVED}:
        raise DecodeError(RejectReason.UNSUPPORTED, f"security mode {header.mode}")
    if key is None:
        if data.startswith(IDLE):
            return data  # somebody between decrypted it
        raise DecodeError(RejectReason.KEY, "the telegram is encrypted, and there is no key for this meter")
    check_key(key, "the meter's key")
    size = 16 * header.blocks
    if len(data) < size:
        raise DecodeError(RejectReason.SHORT, f"{len(data)} bytes of data, {size} of them encrypted")
    if header.mode == CBC:
        vector = address + bytes((header.access or 0,)) * 8
    elif layer is None or layer.counter is None:
        raise DecodeError(RejectReason.UNSUPPORTED, "security mode 7 without a message counter")
    else:
        vector = bytes(16)
        key = _derived(key, _ENCRYPTION, layer.counter, address[2:6])
    clear = Cipher(algorithms.AES(key), modes.CBC(vector)).decryptor().update(data[:size])
    if size and not clear.startswith(IDLE):
        raise DecodeError(RejectReason.KEY, "the key is not that of this meter")
    return clear + data[size:]


def _derived(key: bytes, purpose: bytes, counter: int, identity: bytes) -> bytes:
    """A key for one message of a meter."""
    return cmac(check_key(key, "the meter's key"), purpose + counter.to_bytes(4, "little") + identity + _PADDING)
