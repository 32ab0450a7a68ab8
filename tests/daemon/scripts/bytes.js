// Node's Buffer and the web's text functions, as decoders use them. Each value says what was read.
const { Buffer: Required } = require("node:buffer");
const { TextDecoder: Decoder16 } = require("util");
const crypto = require("crypto");

function caught(action) {
  try {
    return action();
  } catch (error) {
    return error.name + (error.code ? " " + error.code : "");
  }
}

function decodeUplink(input) {
  const b = Buffer.from(input.bytes);
  const w = Buffer.alloc(8);
  return {
    data: {
      u8: b.readUInt8(0), i8: b.readInt8(0), u16be: b.readUInt16BE(0), u16le: b.readUInt16LE(0), i16be: b.readInt16BE(0),
      i16le: b.readInt16LE(0), u32be: b.readUInt32BE(0), u32le: b.readUInt32LE(), i32be: b.readInt32BE(0), i32le: b.readInt32LE(0),
      alias: b.readUint16BE(0), f32: Buffer.from("41ac0000", "hex").readFloatBE(0), f64: Buffer.from("4035800000000000", "hex").readDoubleBE(),
      u24be: b.readUIntBE(0, 3), i24be: b.readIntBE(0, 3), u24le: b.readUIntLE(0, 3), i48le: b.readIntLE(0, 6), u64: b.readBigUInt64BE(0),
      i64: b.readBigInt64LE(0), hex: b.toString("hex"), part: b.slice(1, 3).toString("hex"), base64: b.toString("base64"), url: b.toString("base64url"),
      latin1: Buffer.from("e4", "hex").toString("latin1"), utf8: Buffer.from("Grüße €").toString("hex"), text: Buffer.from("4772c3bcc39f65", "hex").toString(),
      ascii: Buffer.from([0xc1]).toString("ascii"), utf16: Buffer.from("a€", "utf16le").toString("hex"), odd: Buffer.from("abc", "hex").length,
      badhex: Buffer.from("12zz34", "hex").toString("hex"), b64: Buffer.from("3q2+7w==", "base64").toString("hex"), concat: Buffer.concat([b.subarray(0, 1), Buffer.from([9])]).toString("hex"),
      cut: Buffer.concat([b, b], 3).toString("hex"), isBuffer: Buffer.isBuffer(b.subarray(1)), isBytes: b instanceof Uint8Array, equals: b.equals(Buffer.from(input.bytes)),
      index: b.indexOf(0x80), missing: b.indexOf("xyz"), swapped: Buffer.from(b).swap16().toString("hex"), same: Required === Buffer, legacy: new Buffer([1, 2]).length,
      outside: caught(() => b.readUInt32BE(6)), kind: caught(() => b.readUInt8("0")), unknown: caught(() => b.toString("klingon")), module: caught(() => require("fs")),
      written: (w.writeUInt16BE(0x1234, 0), w.writeInt16LE(-2, 2), w.writeUIntBE(0x010203, 4, 3), w.toString("hex")), range: caught(() => w.writeUInt8(256, 0)),
      filled: Buffer.alloc(3, "ab").toString(), length: Buffer.byteLength("€"), crypto: caught(() => crypto.createHash("md5")),
      decoded: new TextDecoder().decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x47, 0xff, 0xe2, 0x82, 0x41])), sixteen: new Decoder16("utf-16le").decode(new Uint8Array([0x61, 0, 0xac, 0x20])),
      windows: new TextDecoder("windows-1252").decode(Buffer.from([0x80, 0xe4])), fatal: caught(() => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([0xff]))),
      encoded: Array.from(new TextEncoder().encode("ß€")).join(), atob: atob("AQID").charCodeAt(2), btoa: btoa("\x01\x02\x03"), json: JSON.stringify(Buffer.from([7])),
      surrogates: new TextDecoder().decode(new Uint8Array([0xed, 0xa0, 0x80])), emoji: Buffer.from("😀").toString("hex"), long: new TextDecoder().decode(new Uint8Array([0xf0, 0x9f, 0x98, 0x80])),
    },
  };
}
