// One JSON line in, one out: frames made and opened by lora-packet, as an independent peer.
"use strict";
const lora = require(process.argv[2]);
const hex = (text) => Buffer.from(text, "hex");

function make(q) {
  const fields = {
    MType: q.number, DevAddr: hex(q.dev_addr), FCnt: q.fcnt & 0xffff, FOpts: hex(q.fopts),
    FCtrl: { ADR: q.adr, ACK: q.ack, ADRACKReq: false, FPending: q.pending }, FPort: q.fport, payload: hex(q.payload),
  };
  return { phy: lora.fromFields(fields, hex(q.app), hex(q.nwk), null, upper(q.fcnt)).getPHYPayload().toString("hex") };
}

function open(q) {
  const packet = lora.fromWire(hex(q.phy));
  const clear = packet.FRMPayload && packet.FRMPayload.length
    ? lora.decrypt(packet, hex(q.app), hex(q.nwk), upper(q.fcnt)) : Buffer.alloc(0);
  return {
    mic: lora.verifyMIC(packet, hex(q.nwk), null, upper(q.fcnt)), payload: clear.toString("hex"),
    dev_addr: packet.DevAddr.toString("hex"), fcnt16: packet.getFCnt(), mtype: packet.getMType(),
  };
}

function upper(fcnt) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(Math.floor(fcnt / 65536));
  return bytes;
}

const lines = require("fs").readFileSync(0, "utf8").split("\n").filter((line) => line);
for (const line of lines) {
  const q = JSON.parse(line);
  process.stdout.write(JSON.stringify(q.phy === undefined ? make(q) : open(q)) + "\n");
}
