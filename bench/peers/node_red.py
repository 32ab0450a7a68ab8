"""Node-RED: MQTT in, a function that keeps each record in file context, MQTT out, removed when that is complete."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

from bench.processes import BUILD, program
from bench.scenario import NotMeasured

VERSION: Final = "4.1.15"
PLACE: Final = BUILD / "node-red"
RED: Final = PLACE / "node_modules" / "node-red" / "red.js"
KEEP: Final = (
    'const kept = flow.get("kept", "file") || {}; const n = JSON.parse(msg.payload).n; kept[n] = msg.payload; '
    'flow.set("kept", kept, "file"); msg.n = n; msg.topic = "out/" + msg.topic.slice(3); return msg;'
)
DROP: Final = 'const kept = flow.get("kept", "file") || {}; delete kept[msg.n]; flow.set("kept", kept, "file");'


def install() -> Path:
    """Node-RED in build/, by npm, when it is not there. Raises NotMeasured."""
    node = program("node", "nodejs")
    if not RED.exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        npm = program("npm", "npm")
        command = [npm, "install", "--no-audit", "--no-fund", "--silent", f"node-red@{VERSION}"]
        done = subprocess.run(command, cwd=PLACE, capture_output=True, text=True, check=False)
        if done.returncode or not RED.exists():
            raise NotMeasured(f"node-red {VERSION} cannot be installed: {done.stderr.strip()[-200:]}")
    return Path(node)


def start(place: Path, source: int, target: int) -> "subprocess.Popen[bytes]":
    """Start it without editor and without a port."""
    node = install()
    (place / "settings.js").write_text(
        'module.exports = {httpAdminRoot: false, httpNodeRoot: false, uiHost: "127.0.0.1", uiPort: 0, '
        "telemetry: {enabled: false, updateNotification: false}, "
        'contextStorage: {default: {module: "memory"}, file: {module: "localfilesystem"}}, '
        'flowFile: "flows.json", logging: {console: {level: "error"}}};\n'
    )
    (place / "flows.json").write_text(json.dumps(flows(source, target)))
    with (place / "output.txt").open("wb") as log:
        return subprocess.Popen(
            [str(node), str(RED), "--userDir", str(place), "--settings", str(place / "settings.js")],
            stdout=log,
            stderr=log,
        )


def flows(source: int, target: int) -> list[dict[str, Any]]:
    """The flow."""
    return [
        {"id": "tab", "type": "tab", "label": "bench"},
        _broker("source", source),
        _broker("target", target),
        {"id": "in", "type": "mqtt in", "z": "tab", "topic": "in/#", "qos": "1", "datatype": "utf8",
         "broker": "source", "wires": [["keep"]]},
        {"id": "keep", "type": "function", "z": "tab", "func": KEEP, "outputs": 1, "wires": [["out"]]},
        {"id": "out", "type": "mqtt out", "z": "tab", "topic": "", "qos": "1", "retain": "false", "broker": "target",
         "wires": []},
        {"id": "done", "type": "complete", "z": "tab", "scope": ["out"], "wires": [["drop"]]},
        {"id": "drop", "type": "function", "z": "tab", "func": DROP, "outputs": 1, "wires": [[]]},
    ]  # fmt: skip


def _broker(name: str, port: int) -> dict[str, Any]:
    return {"id": name, "type": "mqtt-broker", "broker": "127.0.0.1", "port": str(port), "clientid": f"nodered-{name}",
            "autoConnect": True, "protocolVersion": "5", "keepalive": "60", "cleansession": False}  # fmt: skip
