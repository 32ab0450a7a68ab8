"""thingsboard-gateway as a whole: MQTT connector, SQLite storage, MQTT uplink, without any of its limits."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from bench.venv import installed

NO_LIMIT: Final = "0:0,"
_LIMITS: Final = (
    "rateLimits",
    "dpRateLimits",
    "messagesRateLimits",
    "deviceMessagesRateLimits",
    "deviceRateLimits",
    "deviceDpRateLimits",
)
_FIELDS: Final = ("temperature", "humidity", "light", "motion", "co2", "vdd")


def start(place: Path, source: int, target: int) -> "subprocess.Popen[bytes]":
    """Start it; it is ready when it subscribes at the source and sends to the target. Raises NotMeasured."""
    python = installed("peers") / "bin" / "python"
    config = place / "config"
    for folder in (config, place / "logs", place / "data"):
        folder.mkdir()
    write(config / "tb_gateway.json", _gateway(target, place / "data"))
    write(config / "source.json", _connector(source))
    write(config / "logs.json", _logs())
    command = [str(python), "-c", "from thingsboard_gateway.tb_gateway import daemon; daemon()"]
    environment = {"TB_GW_CONFIG_DIR": f"{config}/", "PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(place)}
    log = (place / "output.txt").open("wb")
    with log:
        return subprocess.Popen(command, cwd=place, env=environment, stdout=log, stderr=log)


def write(path: Path, content: Any) -> None:  # noqa: ANN401 - JSON
    """As JSON."""
    path.write_text(json.dumps(content, indent=1))


def _gateway(target: int, data: Path) -> dict[str, Any]:
    return {
        "thingsboard": {
            "host": "127.0.0.1",
            "port": target,
            "remoteShell": False,
            "remoteConfiguration": False,
            "statistics": {"enable": False},
            "deviceFiltering": {"enable": False},
            "maxPayloadSizeBytes": 65_000,
            "minPackSendDelayMS": 0,
            "minPackSizeToSend": 500,
            "checkConnectorsConfigurationInSeconds": 3600,
            "security": {"type": "accessToken", "accessToken": "bench"},
            "qos": 1,
            "reportStrategy": {"type": "ON_RECEIVED"},
            "checkingDeviceActivity": {"checkDeviceInactivity": False},
            **dict.fromkeys(_LIMITS, NO_LIMIT),
        },
        "storage": {"type": "sqlite", "data_file_path": f"{data}/", "max_read_records_count": 1000},
        "grpc": {"enabled": False},
        "connectors": [{"type": "mqtt", "name": "source", "configuration": "source.json"}],
    }


def _connector(source: int) -> dict[str, Any]:
    constant = "constant"
    return {
        "broker": {
            "host": "127.0.0.1",
            "port": source,
            "clientId": "thingsboard",
            "version": 5,
            "maxMessageNumberPerWorker": 10,
            "maxNumberOfWorkers": 100,
            "security": {"type": "anonymous"},
        },
        "mapping": [
            {
                "topicFilter": "in/+",
                "subscriptionQos": 1,
                "converter": {
                    "type": "json",
                    "deviceInfo": {
                        "deviceNameExpressionSource": "message",
                        "deviceNameExpression": "${device}",
                        "deviceProfileExpressionSource": constant,
                        "deviceProfileExpression": "default",
                    },
                    "timeout": 60_000,
                    "attributes": [],
                    "timeseries": [
                        {"type": "integer", "key": "n", "value": "${n}"},
                        *({"type": "double", "key": f, "value": f"${{fields.{f}.value}}"} for f in _FIELDS),
                    ],
                },
            }
        ],
        "requestsMapping": {},
    }


def _logs() -> dict[str, Any]:
    return {"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR", "handlers": []}}
