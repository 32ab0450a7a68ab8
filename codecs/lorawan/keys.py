"""Session keys: what they are called and how a join derives them.

LoRaWAN 1.0.3 section 6.2.5, LoRaWAN 1.1 sections 6.1.1.3, 6.1.2 and 6.2.5.
"""

from enum import IntEnum, StrEnum
from typing import Final

import msgspec

from torhaus.codecs.lorawan.aes import check_key, ecb_context
from torhaus.codecs.model import DecodeError, RejectReason

_NET_ID_BYTES: Final = 3
_EUI_BYTES: Final = 8


class Version(StrEnum):
    """Which security scheme a session uses. A 1.1 device that joined through a 1.0 server has a 1.0 session."""

    V1_0 = "1.0"
    V1_1 = "1.1"


class KeyType(IntEnum):
    """First byte of the derivation block."""

    F_NWK_S_INT = 0x01  # NwkSKey in 1.0
    APP_S = 0x02
    S_NWK_S_INT = 0x03
    NWK_S_ENC = 0x04
    JS_ENC = 0x05
    JS_INT = 0x06


class KeySet(msgspec.Struct, frozen=True, gc=False):
    """The keys of one session, 16 bytes each. In 1.0 the three network keys are all NwkSKey. Prints no key."""

    version: Version
    f_nwk_s_int_key: bytes
    s_nwk_s_int_key: bytes
    nwk_s_enc_key: bytes
    app_s_key: bytes

    def __post_init__(self) -> None:
        check_key(self.f_nwk_s_int_key, "f_nwk_s_int_key")
        check_key(self.s_nwk_s_int_key, "s_nwk_s_int_key")
        check_key(self.nwk_s_enc_key, "nwk_s_enc_key")
        check_key(self.app_s_key, "app_s_key")
        if self.version is Version.V1_0 and not self.f_nwk_s_int_key == self.s_nwk_s_int_key == self.nwk_s_enc_key:
            raise DecodeError(RejectReason.KEY, "a 1.0 session has one network key")

    def __repr__(self) -> str:
        return f"KeySet({self.version.value}, …)"


class JoinServerKeys(msgspec.Struct, frozen=True, gc=False):
    """The two 1.1 keys of a device's life: integrity of join-accepts, encryption of those that answer a rejoin."""

    js_int_key: bytes
    js_enc_key: bytes

    def __repr__(self) -> str:
        return "JoinServerKeys(…)"


def keys_1_0(nwk_s_key: bytes, app_s_key: bytes) -> KeySet:
    """A 1.0 session, as activation by personalisation gives it. DecodeError(KEY) for a wrong length."""
    return KeySet(Version.V1_0, nwk_s_key, nwk_s_key, nwk_s_key, app_s_key)


def keys_1_1(f_nwk_s_int_key: bytes, s_nwk_s_int_key: bytes, nwk_s_enc_key: bytes, app_s_key: bytes) -> KeySet:
    """A 1.1 session. DecodeError(KEY) for a wrong length."""
    return KeySet(Version.V1_1, f_nwk_s_int_key, s_nwk_s_int_key, nwk_s_enc_key, app_s_key)


def session_key(root_key: bytes, key_type: KeyType, join_nonce: int, third: bytes, dev_nonce: int) -> bytes:
    """One derivation: AES(root_key, type | JoinNonce | third | DevNonce | zeros).

    `third` is the NetID (3 bytes) or the JoinEUI (8 bytes), little-endian as on air. For keys that a rejoin-accept
    brings, `dev_nonce` is RJcount0 or RJcount1. DecodeError: KEY for a wrong key length, RANGE for numbers that do
    not fit.
    """
    context = ecb_context(check_key(root_key, "root key"))
    if not (0 <= join_nonce < 1 << 24 and 0 <= dev_nonce < 1 << 16 and len(third) in {_NET_ID_BYTES, _EUI_BYTES}):
        raise DecodeError(RejectReason.RANGE, "JoinNonce has 24 bits, DevNonce 16, NetID 24, JoinEUI 64")
    block = bytes((key_type,)) + join_nonce.to_bytes(3, "little") + third + dev_nonce.to_bytes(2, "little")
    return context.update(block.ljust(16, b"\0"))


def derive_1_0(root_key: bytes, join_nonce: int, net_id: int, dev_nonce: int) -> KeySet:
    """The session of a join-accept without OptNeg. `root_key` is AppKey; of a 1.1 device behind a 1.0 server, NwkKey.

    JoinNonce is called AppNonce before 1.0.4. DecodeError: KEY, RANGE.
    """
    third = little(net_id, _NET_ID_BYTES, "NetID")
    return keys_1_0(
        session_key(root_key, KeyType.F_NWK_S_INT, join_nonce, third, dev_nonce),
        session_key(root_key, KeyType.APP_S, join_nonce, third, dev_nonce),
    )


def derive_1_1(nwk_key: bytes, app_key: bytes, join_nonce: int, join_eui: int, dev_nonce: int) -> KeySet:
    """The session of a join-accept with OptNeg set. DecodeError: KEY, RANGE."""
    third = little(join_eui, _EUI_BYTES, "JoinEUI")
    return keys_1_1(
        session_key(nwk_key, KeyType.F_NWK_S_INT, join_nonce, third, dev_nonce),
        session_key(nwk_key, KeyType.S_NWK_S_INT, join_nonce, third, dev_nonce),
        session_key(nwk_key, KeyType.NWK_S_ENC, join_nonce, third, dev_nonce),
        session_key(app_key, KeyType.APP_S, join_nonce, third, dev_nonce),
    )


def derive_join_server(nwk_key: bytes, dev_eui: int) -> JoinServerKeys:
    """JSIntKey and JSEncKey of a 1.1 device. DecodeError: KEY, RANGE."""
    context = ecb_context(check_key(nwk_key, "NwkKey"))
    tail = little(dev_eui, _EUI_BYTES, "DevEUI").ljust(15, b"\0")
    return JoinServerKeys(
        js_int_key=context.update(bytes((KeyType.JS_INT,)) + tail),
        js_enc_key=context.update(bytes((KeyType.JS_ENC,)) + tail),
    )


def little(value: int, size: int, name: str) -> bytes:
    """A number as it goes on air. DecodeError(RANGE) if it does not fit `size` bytes."""
    if not 0 <= value < 1 << (8 * size):
        raise DecodeError(RejectReason.RANGE, f"{name} does not fit {size} bytes")
    return value.to_bytes(size, "little")
