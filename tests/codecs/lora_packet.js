// One JSON line in, one out: frames made and opened by lora-packet, as an independent peer. Buffers are hex.
// Its 1.1 functions take the two halves' keys as NwkSKey (FNwkSIntKey) and AppKey (SNwkSIntKey), and its way to put them
// together from fields encrypts nothing of FOpts: so each step is asked for by itself.
"use strict";
const lora = require(process.argv[2]);
const hex = (text) => Buffer.from(text, "hex");

function fields(q) {
  return {
    MType: q.number, DevAddr: hex(q.dev_addr), FCnt: q.fcnt & 0xffff, FOpts: hex(q.fopts),
    FCtrl: { ADR: q.adr, ACK: q.ack, ADRACKReq: false, FPending: q.pending }, FPort: q.fport, payload: hex(q.payload),
  };
}

function makeData(q) {
  const msb = upper(q.fcnt);
  if (q.version === "1.0") {
    return { phy: lora.fromFields(fields(q), hex(q.app), hex(q.nwk), null, msb).getPHYPayload().toString("hex") };
  }
  const packet = lora.fromFields(fields(q));
  packet.encryptFOpts(hex(q.enc), null, msb);
  packet.FRMPayload = clear(packet, q.app, q.enc, msb);
  packet._mergeGroupFields();
  lora.recalculateMIC(packet, hex(q.nwk), hex(q.s_int), msb, acknowledged(q));
  return { phy: packet.getPHYPayload().toString("hex") };
}

function openData(q) {
  const packet = lora.fromWire(hex(q.phy));
  const msb = upper(q.fcnt);
  const found = { dev_addr: packet.DevAddr.toString("hex"), fcnt16: packet.getFCnt(), mtype: packet.getMType() };
  if (q.version === "1.0") {
    found.mic = lora.verifyMIC(packet, hex(q.nwk), null, msb);
    found.payload = clear(packet, q.app, q.nwk, msb).toString("hex");
    found.fopts = packet.FOpts.toString("hex");
    return found;
  }
  found.mic = lora.verifyMIC(packet, hex(q.nwk), hex(q.s_int), msb, acknowledged(q));
  found.payload = clear(packet, q.app, q.enc, msb).toString("hex");
  found.fopts = packet.decryptFOpts(hex(q.enc), null, msb).toString("hex");
  return found;
}

// ConfFCnt, and of an uplink data rate and channel. An uplink's ConfFCnt is taken with its bytes the other way round.
function acknowledged(q) {
  const conf = Buffer.alloc(2);
  const value = q.ack ? q.conf_fcnt : 0;
  if (q.is_down) {
    conf.writeUInt16LE(value);
    return conf;
  }
  conf.writeUInt16BE(value);
  return Buffer.concat([conf, Buffer.from([q.tx_dr, q.tx_ch])]);
}

function clear(packet, app, enc, msb) {
  return packet.FRMPayload && packet.FRMPayload.length
    ? lora.decrypt(packet, hex(app), hex(enc), msb) : Buffer.alloc(0);
}

function makeRequest(q) {
  const asked = { AppEUI: hex(q.join_eui), DevEUI: hex(q.dev_eui), DevNonce: hex(q.dev_nonce) };
  return { phy: lora.fromFields(asked, null, null, hex(q.join_key)).getPHYPayload().toString("hex") };
}

function makeAccept(q) {
  const packet = lora.fromFields({
    AppNonce: hex(q.join_nonce), NetID: hex(q.net_id), DevAddr: hex(q.dev_addr), DLSettings: hex(q.dl_settings),
    RxDelay: hex(q.rx_delay), CFList: hex(q.cf_list), AppEUI: hex(q.join_eui), DevNonce: hex(q.dev_nonce),
  });
  if (q.version === "1.0") {
    lora.recalculateMIC(packet, null, hex(q.join_key));
  } else {
    ask11(packet, q);
    lora.recalculateMIC(packet, lora.generateJSKeys(hex(q.join_key), hex(q.dev_eui)).JSIntKey);
  }
  const phy = Buffer.concat([packet.MHDR, lora.decryptJoin(packet, hex(q.join_key))]);
  return { phy: phy.toString("hex") };
}

function ask11(packet, q) {
  packet.JoinReqType = Buffer.from([0xff]);
  packet.JoinEUI = hex(q.join_eui);
  packet.DevNonce = hex(q.dev_nonce);
}

function openRequest(q) {
  const packet = lora.fromWire(hex(q.phy));
  return {
    mic: lora.verifyMIC(packet, null, hex(q.join_key)), join_eui: packet.AppEUI.toString("hex"),
    dev_eui: packet.DevEUI.toString("hex"), dev_nonce: packet.DevNonce.toString("hex"),
  };
}

function openAccept(q) {
  const packet = lora.fromWire(lora.decryptJoinAccept(lora.fromWire(hex(q.phy)), hex(q.join_key)));
  const js = lora.generateJSKeys(hex(q.join_key), hex(q.dev_eui));
  if (q.version !== "1.0") ask11(packet, q);
  const mic = q.version === "1.0"
    ? lora.verifyMIC(packet, null, hex(q.join_key)) : lora.verifyMIC(packet, js.JSIntKey);
  const keys = q.version === "1.0"
    ? lora.generateSessionKeys10(hex(q.join_key), packet.NetID, packet.AppNonce, hex(q.dev_nonce))
    : lora.generateSessionKeys11(hex(q.app), hex(q.join_key), hex(q.join_eui), packet.AppNonce, hex(q.dev_nonce));
  const found = { mic };
  for (const [name, value] of Object.entries({ ...keys, ...js })) found[name] = value.toString("hex");
  const named = {
    join_nonce: packet.AppNonce, net_id: packet.NetID, dev_addr: packet.DevAddr, dl_settings: packet.DLSettings,
    rx_delay: packet.RxDelay, cf_list: packet.CFList,
  };
  for (const [name, value] of Object.entries(named)) found[name] = value.toString("hex");
  return found;
}

function upper(fcnt) {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(Math.floor(fcnt / 65536));
  return bytes;
}

const does = {
  data: [makeData, openData], request: [makeRequest, openRequest], accept: [makeAccept, openAccept],
};
const lines = require("fs").readFileSync(0, "utf8").split("\n").filter((line) => line);
for (const line of lines) {
  const q = JSON.parse(line);
  const [make, open] = does[q.kind];
  process.stdout.write(JSON.stringify(q.phy === undefined ? make(q) : open(q)) + "\n");
}
