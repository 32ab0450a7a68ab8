"""Small catalogues of devices in the three public forms, written for the tests."""

import json
from pathlib import Path

SCRIPT = """// Copyright 2026 Example, MIT
function decodeUplink(i) {
  if (i.fPort === 9) return { errors: ["no such port"] };
  return { data: { level: i.bytes[0], off: "off" } };
}
function encodeDownlink(i) { return { fPort: 7, bytes: [i.data.level] }; }
"""
ENCODER = "function encodeDownlink(i) { return { fPort: 8, bytes: [i.data.level + 1] }; }"


def write(root: Path, files: dict[str, str]) -> Path:
    """These files below `root`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def actility(root: Path, **more: str) -> Path:
    examples = [
        {"type": "uplink", "description": "up",
         "input": {"bytes": "05", "fPort": 2, "recvTime": "2026-01-02T03:04:05Z"},
         "output": {"data": {"level": 5, "off": "off"}, "errors": [], "warnings": []}},
        {"type": "uplink", "description": "bad port", "input": {"bytes": "05", "fPort": 9, "thing": {"a": 1}},
         "output": {"errors": ["no such port"]}},
        {"type": "downlink-encode", "description": "down", "input": {"data": {"level": 3}},
         "output": {"bytes": "03", "fPort": 7}},
        {"type": "uplink", "description": "without bytes", "input": {}},
        "no example",
    ]  # fmt: skip
    v = "vendors/boke"
    return write(
        root,
        {
            f"{v}/drivers/level/driver.yaml": "name: Level driver\nprotocolId: boke:level:1\nuseContext: true\n",
            f"{v}/drivers/level/index.js": SCRIPT,
            f"{v}/drivers/level/examples.json": json.dumps(examples),
            f"{v}/drivers/spare/driver.yaml": "name: Spare\nprotocolId: boke:spare:1\n",
            f"{v}/drivers/spare/package.json": '{"main": "src/start.js", "license": "ISC"}',
            f"{v}/drivers/spare/src/start.js": "exports.decodeUplink = require('./lib').decode;",
            f"{v}/drivers/spare/src/lib.js": "exports.decode = () => ({ data: { a: 1 } });",
            f"{v}/drivers/empty/driver.yaml": "name: nothing",
            f"{v}/drivers/broken/driver.yaml": "a: [",
            f"{v}/models/pegel-1/model.yaml": "name: Pegel 1\nprotocolId: [boke:older:1, boke:level:1]\n",
            f"{v}/models/secret/model.yaml": "name: Secret\nprotocolId: boke:secret:1\n",
            **more,
        },
    )


def ttn(root: Path, **more: str) -> Path:
    codec = """
uplinkDecoder:
  fileName: level.js
  examples:
    - description: up
      input: {fPort: 2, bytes: [0x05]}
      output: {data: {level: 5, off: off}}
    - description: bad port
      input: {fPort: 9, bytes: []}
      output: {errors: [no such port]}
downlinkEncoder:
  fileName: encoder.js
  examples:
    - description: down
      input: {data: {level: 3}}
      output: {bytes: [4], fPort: 8}
"""
    device = "name: Pegel 1\nfirmwareVersions:\n  - version: '1'\n    profiles:\n      {}: {{id: x, codec: {}}}\n"
    v = "vendor/boke"
    return write(
        root,
        {
            f"{v}/index.yaml": "endDevices: [pegel-1]",
            f"{v}/pegel-1.yaml": device.format("EU863-870", "level-codec"),
            f"{v}/pegel-2.yaml": device.format("US902-928", "none-codec"),
            f"{v}/bare.yaml": "name: Bare\nfirmwareVersions: [{version: '1'}]",
            f"{v}/eu868-profile.yaml": "supportsClassB: false",
            f"{v}/level-codec.yaml": codec,
            f"{v}/gone-codec.yaml": "uplinkDecoder: {fileName: ../../../out.js}",
            f"{v}/level.js": SCRIPT,
            f"{v}/encoder.js": ENCODER,
            **more,
        },
    )


def chirpstack(root: Path, **more: str) -> Path:
    v = "vendors/boke"
    example = {"name": "up", "input": {"bytes": [5], "fPort": 2}, "expected": {"data": {"level": 5, "off": "off"}}}
    return write(
        root,
        {
            f"{v}/vendor.toml": '[vendor]\nname = "Boke"\n',
            f"{v}/devices/boke-pegel-1.toml": '[device]\nname = "Pegel 1"\n[[device.firmware]]\ncodec = "level.js"\n',
            f"{v}/devices/boke-bare.toml": '[device]\nname = "Bare"\n',
            f"{v}/devices/boke-lost.toml": '[device]\n[[device.firmware]]\ncodec = "../../../lost.js"\n',
            f"{v}/codecs/level.js": SCRIPT,
            f"{v}/codecs/spare.js": SCRIPT,
            f"{v}/codecs/test_decode_level.json": json.dumps([example]),
            f"{v}/codecs/test_encode_level.json": "[{]",
            **more,
        },
    )
