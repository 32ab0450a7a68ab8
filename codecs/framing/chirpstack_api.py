"""What a ChirpStack server (v4) says of a device's session: DeviceService.GetActivation of its API.

Messages and numbers of fields: api/proto/api/device.proto of ChirpStack. Keys and addresses are hexadecimal text there.
A 1.0 device has its NwkSKey under all three names.
"""

from typing import Annotated, Final

import msgspec

from torhaus.codecs.framing.chirpstack_gw.as_protobuf import from_protobuf, to_protobuf
from torhaus.codecs.framing.chirpstack_gw.fields import Field, Message
from torhaus.codecs.lorawan.eui import parse_dev_addr
from torhaus.codecs.lorawan.keys import KeySet, Version
from torhaus.codecs.model import DecodeError, RejectReason

GET_ACTIVATION: Final = "/api.DeviceService/GetActivation"
_KEY_DIGITS: Final = 32


class GetDeviceActivationRequest(Message, frozen=True):
    """Which device."""

    dev_eui: Annotated[str, Field(1)] = ""


class DeviceActivation(Message, frozen=True):
    """Its session. Prints no key. `f_cnt_up` is the counter of the next uplink that the server expects."""

    dev_eui: Annotated[str, Field(1)] = ""
    dev_addr: Annotated[str, Field(2)] = ""
    app_s_key: Annotated[str, Field(3)] = ""
    nwk_s_enc_key: Annotated[str, Field(4)] = ""
    f_cnt_up: Annotated[int, Field(5)] = 0
    n_f_cnt_down: Annotated[int, Field(6)] = 0
    s_nwk_s_int_key: Annotated[str, Field(8)] = ""
    f_nwk_s_int_key: Annotated[str, Field(9)] = ""
    a_f_cnt_down: Annotated[int, Field(10)] = 0

    def __repr__(self) -> str:
        return "DeviceActivation(…)"


class GetDeviceActivationResponse(Message, frozen=True):
    """None for a device that has no session."""

    device_activation: Annotated[DeviceActivation | None, Field(1)] = None


class Activation(msgspec.Struct, frozen=True, gc=False):
    """A device's session as its server has it. `next_fcnt`: the server has had all uplinks below it."""

    dev_addr: int
    keys: KeySet
    next_fcnt: int


def build_request(dev_eui: str) -> bytes:
    """The message that asks for a device, by its 16 hex digits."""
    return to_protobuf(GetDeviceActivationRequest(dev_eui))


def parse_response(data: bytes, dev_eui: str, version: Version) -> Activation | None:
    """The session of this device, which is one of `version`; None where it has none.

    DecodeError: SYNTAX, LONG; KEY for keys that are none or not of this version, and for an AppSKey that a join server
    keeps; RANGE when it is another device's. No text has a key.
    """
    said = from_protobuf(GetDeviceActivationResponse, data).device_activation
    if said is None or not said.dev_addr:
        return None
    if said.dev_eui.lower() != dev_eui:
        raise DecodeError(RejectReason.RANGE, f"it is of {said.dev_eui[:16]!r}")
    if not said.app_s_key:
        raise DecodeError(RejectReason.KEY, "the server has no AppSKey in clear: a join server keeps it")
    network = [_key(said.f_nwk_s_int_key), _key(said.s_nwk_s_int_key), _key(said.nwk_s_enc_key)]
    if version is Version.V1_0 and len(set(network)) > 1:
        raise DecodeError(RejectReason.KEY, 'a session of LoRaWAN 1.1: set `lorawan = "1.1"` in the list of devices')
    keys = KeySet(version, network[0], network[1], network[2], _key(said.app_s_key))
    return Activation(parse_dev_addr(said.dev_addr), keys, said.f_cnt_up)


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text) if len(text) == _KEY_DIGITS and text.isalnum() else b""
    except ValueError:
        key = b""
    if not key:
        raise DecodeError(RejectReason.KEY, f"a key of {len(text)} characters that is no key")
    return key
