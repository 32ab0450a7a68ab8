"""Messages of a station as release 2.0.6 writes them, and the frames they were made of.

The four at the top are the golden strings of lorabasics/basicstation at ba4f85d, src/selftest_lora.c (BSD-3-Clause).
"""

from typing import Any

EUI = "aa555a0000000101"
UPINFO = {"rctx": 0, "xtime": 19_422_017_551_421_418, "gpstime": 0, "fts": -1, "rssi": -50, "snr": 9, "rxtime": 1.5}
HEARD: dict[str, Any] = {"RefTime": 0.0, "DR": 5, "Freq": 868_100_000, "upinfo": UPINFO}

GOLDEN = (
    ('"msgtype":"jacc","FRMPayload":"205F5F5F5F5F5F5F5F5F5F5F5F5F5F5F"', b"\x20" + b"_" * 15),
    ('"msgtype":"propdf","FRMPayload":"E05F5F5F5F5F5F5F5F5F5F5F5F5F5F5F"', b"\xe0" + b"_" * 15),
    (
        (
            '"msgtype":"jreq","MHdr":0,"JoinEui":"EF-CD-AB-89-67-45-23-01","DevEui":"EF-FD-EB-F9-E7-F5-E3-F1",'
            '"DevNonce":61936,"MIC":-1549622880'
        ),
        bytes.fromhex("000123456789ABCDEFF1E3F5E7F9EBFDEFF0F1A0A1A2A3"),
    ),
    (
        (
            '"msgtype":"updf","MHdr":64,"DevAddr":-1061461,"FCtrl":1,"FCnt":62707,"FOpts":"FF","FPort":32,'
            '"FRMPayload":"2122","MIC":-1549622880'
        ),
        bytes.fromhex("40ABCDEFFF01F3F4FF202122A0A1A2A3"),
    ),
)
TAIL = (
    ',"RefTime":0.000000,"DR":5,"Freq":868100000,"upinfo":{"rctx":0,"xtime":19422017551421418,"gpstime":0,"fts":-1,'
    '"rssi":-50,"snr":9,"rxtime":1795655582.725011}'
)


def golden(number: int) -> bytes:
    """The whole message, as on the wire."""
    return f"{{{GOLDEN[number][0]}{TAIL}}}".encode()


def s32(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def said(phy: bytes, **changes: Any) -> dict[str, Any]:
    """What a station makes of a frame (s2e_parse_lora_frame), members changed by name."""
    kind = phy[0] & 0xE0
    message: dict[str, Any]
    if kind in {0xE0, 0x20}:
        message = {"msgtype": "propdf" if kind == 0xE0 else "jacc", "FRMPayload": phy.hex().upper()}
    elif kind in {0x00, 0xC0}:
        assert len(phy) == 23
        message = {
            "msgtype": "rejoin" if kind else "jreq",
            "MHdr": phy[0],
            "JoinEui": phy[8:0:-1].hex("-").upper(),
            "DevEui": phy[16:8:-1].hex("-").upper(),
            "DevNonce": int.from_bytes(phy[17:19], "little"),
            "MIC": s32(phy[19:]),
        }
    else:
        port = 8 + (phy[5] & 0x0F)
        message = {
            "msgtype": "dndf" if kind in {0x60, 0xA0} else "updf",
            "MHdr": phy[0],
            "DevAddr": s32(phy[1:5]),
            "FCtrl": phy[5],
            "FCnt": int.from_bytes(phy[6:8], "little"),
            "FOpts": phy[8:port].hex().upper(),
            "FPort": phy[port] if port < len(phy) - 4 else -1,
            "FRMPayload": phy[port + 1 : -4].hex().upper(),
            "MIC": s32(phy[-4:]),
        }
    return message | HEARD | changes
