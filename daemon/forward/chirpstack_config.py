"""What the forwarder `chirpstack` is configured with."""

import re
from typing import Annotated, Final, Literal

import msgspec

from torhaus.codecs.framing.chirpstack_gw.as_protobuf import needed
from torhaus.daemon.lora.filters import FrameFilter
from torhaus.daemon.mqtt.broker_config import BrokerConfig
from torhaus.daemon.mqtt.topic import check_template

_COMMAND: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Argument = Annotated[str, msgspec.Meta(max_length=1024)]
Argv = Annotated[tuple[Argument, ...], msgspec.Meta(min_length=1, max_length=32)]


class Config(BrokerConfig, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys of a `[[forwarder]]` of type `chirpstack`.

    `exec` names the programs that the server may have run: command name to program and arguments.
    """

    type: Literal["chirpstack"] = "chirpstack"
    topic_prefix: Annotated[str, msgspec.Meta(max_length=200)] = "eu868"
    encoding: Literal["json", "protobuf"] = "json"
    filter: FrameFilter = FrameFilter()
    spacing_s: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.25
    join_max_age_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 5.0
    late_confirmed: Literal["send", "drop"] = "send"
    downlinks: bool = True
    exec: Annotated[dict[str, Argv], msgspec.Meta(max_length=32)] = msgspec.field(default_factory=dict)
    exec_timeout_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 20.0

    def __post_init__(self) -> None:
        BrokerConfig.__post_init__(self)
        if self.topic_prefix:
            try:
                check_template(self.topic_prefix, ())
            except ValueError as error:
                raise ValueError(f"topic_prefix: {error}") from None
        if self.encoding == "protobuf":
            try:
                needed()
            except ModuleNotFoundError:
                raise ValueError(
                    "encoding: protobuf needs a library that is not installed: pip install 'torhaus[chirpstack]', "
                    'or use "json", which ChirpStack takes as well'
                ) from None
        for name, argv in self.exec.items():
            if _COMMAND.fullmatch(name) is None:
                raise ValueError(f"exec: {name!r} is no name; take letters, digits, '.', '_' and '-'")
            if not argv[0].startswith("/"):
                raise ValueError(
                    f'exec: {name}: begins with {argv[0]!r}, must begin with a path such as "/usr/bin/uptime"'
                )
            if any("\0" in argument for argument in argv):
                raise ValueError(f"exec: {name}: an argument holds U+0000")
