"""Who is at the other end of the control socket: a system account's number, which is no name but leads to one."""

import socket
from struct import Struct
from typing import Final

from aiohttp import web

_UCRED: Final = Struct("3i")  # pid, uid, gid: unix(7), SO_PEERCRED


def account_of(request: web.Request) -> str:
    """`uid:1000`; `unknown` where the question came another way."""
    peer = request.transport.get_extra_info("socket") if request.transport is not None else None
    if peer is None or peer.family != socket.AF_UNIX:
        return "unknown"
    _, uid, _ = _UCRED.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return f"uid:{uid}"
