// Text and bytes for scripts: evaluated when a script first asks for TextDecoder, TextEncoder or Buffer.
// Sources: WHATWG Encoding Standard; Node.js API documentation, "Buffers and character encodings".
(function () {
  "use strict";
  const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const SEXTET = Object.create(null);
  for (let i = 0; i < 62; i++) SEXTET[BASE64[i]] = i;
  SEXTET["+"] = SEXTET["-"] = 62;
  SEXTET["/"] = SEXTET["_"] = 63;
  // What windows-1252 has at 0x80 to 0x9f; elsewhere it is Latin-1.
  const WINDOWS =
    "\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f" +
    "\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178";

  function utf8Bytes(string) {
    const out = [];
    for (const char of string) {
      let code = char.codePointAt(0);
      if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
      if (code < 0x80) out.push(code);
      else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
      else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
      else out.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    }
    return out;
  }

  // Encoding Standard, UTF-8 decoder: a broken sequence becomes one U+FFFD, the byte that broke it is looked at again.
  function utf8Text(bytes, fatal) {
    let out = "";
    let code = 0;
    let left = 0;
    let low = 0x80;
    let high = 0xbf;
    const bad = () => {
      if (fatal) throw new TypeError("The encoded data was not valid for encoding utf-8");
      out += "\ufffd";
    };
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (left) {
        if (byte < low || byte > high) {
          left = 0;
          bad();
          i--;
        } else {
          code = (code << 6) | (byte & 63);
          if (!--left) out += String.fromCodePoint(code);
        }
        low = 0x80;
        high = 0xbf;
      } else if (byte < 0x80) out += String.fromCharCode(byte);
      else if (byte >= 0xc2 && byte <= 0xdf) [left, code] = [1, byte & 31];
      else if (byte >= 0xe0 && byte <= 0xef) {
        [left, code] = [2, byte & 15];
        if (byte === 0xe0) low = 0xa0;
        if (byte === 0xed) high = 0x9f;
      } else if (byte >= 0xf0 && byte <= 0xf4) {
        [left, code] = [3, byte & 7];
        if (byte === 0xf0) low = 0x90;
        if (byte === 0xf4) high = 0x8f;
      } else bad();
    }
    if (left) bad();
    return out;
  }

  function join(bytes, of) {
    let out = "";
    for (let i = 0; i < bytes.length; i++) out += of(bytes[i]);
    return out;
  }

  function codes(string, mask) {
    const out = [];
    for (let i = 0; i < string.length; i++) out.push(string.charCodeAt(i) & mask);
    return out;
  }

  function base64Text(bytes, last, pad) {
    const letters = BASE64 + last;
    let out = "";
    for (let i = 0; i < bytes.length; i += 3) {
      const n = (bytes[i] << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
      out += letters[n >> 18] + letters[(n >> 12) & 63];
      out += i + 1 < bytes.length ? letters[(n >> 6) & 63] : pad;
      out += i + 2 < bytes.length ? letters[n & 63] : pad;
    }
    return out;
  }

  function base64Bytes(string) {
    const out = [];
    let bits = 0;
    let held = 0;
    for (const char of string) {
      if (char === "=") break;
      const value = SEXTET[char];
      if (value === undefined) continue;
      bits = ((bits << 6) | value) & 0xffff;
      held += 6;
      if (held >= 8) out.push((bits >> (held -= 8)) & 255);
    }
    return out;
  }

  function hexBytes(string) {
    const out = [];
    for (let i = 0; i + 1 < string.length; i += 2) {
      const pair = string.slice(i, i + 2);
      if (!/^[0-9a-f]{2}$/i.test(pair)) break;
      out.push(parseInt(pair, 16));
    }
    return out;
  }

  function utf16Text(bytes) {
    let out = "";
    for (let i = 0; i + 1 < bytes.length; i += 2) out += String.fromCharCode(bytes[i] | (bytes[i + 1] << 8));
    return out;
  }

  const utf8 = { read: (b) => utf8Text(b, false), bytes: utf8Bytes };
  const utf16 = { read: utf16Text, bytes: (s) => codes(s, 0xffff).flatMap((c) => [c & 255, c >> 8]) };
  const latin1 = { read: (b) => join(b, (c) => String.fromCharCode(c)), bytes: (s) => codes(s, 255) };
  const ascii = { read: (b) => join(b, (c) => String.fromCharCode(c & 127)), bytes: latin1.bytes };
  const base64 = { read: (b) => base64Text(b, "+/", "="), bytes: base64Bytes };
  const base64url = { read: (b) => base64Text(b, "-_", ""), bytes: base64Bytes };
  const hex = { read: (b) => join(b, (c) => (c < 16 ? "0" : "") + c.toString(16)), bytes: hexBytes };
  const encodings = {
    __proto__: null, utf8, "utf-8": utf8, utf16le: utf16, "utf-16le": utf16, ucs2: utf16, "ucs-2": utf16,
    latin1, binary: latin1, ascii, base64, base64url, hex,
  };

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(string = "") {
      return new Uint8Array(utf8Bytes(String(string)));
    }
  }

  class TextDecoder {
    #read;
    #ignoreBOM;
    constructor(label = "utf-8", { fatal = false, ignoreBOM = false } = {}) {
      const name = String(label).trim().toLowerCase();
      const windows = (c) => (c >= 0x80 && c < 0xa0 ? WINDOWS[c - 0x80] : String.fromCharCode(c));
      if (name === "utf-8" || name === "utf8") [this.encoding, this.#read] = ["utf-8", (b) => utf8Text(b, fatal)];
      else if (name === "utf-16" || name === "utf-16le") [this.encoding, this.#read] = ["utf-16le", utf16Text];
      else if (["latin1", "iso-8859-1", "ascii", "us-ascii", "windows-1252"].includes(name))
        [this.encoding, this.#read] = ["windows-1252", (b) => join(b, windows)];
      else throw new RangeError(`The encoding label '${label}' is not supported`);
      this.#ignoreBOM = ignoreBOM;
    }
    decode(input = new Uint8Array(0)) {
      const whole = ArrayBuffer.isView(input);
      const bytes = whole ? new Uint8Array(input.buffer, input.byteOffset, input.byteLength) : new Uint8Array(input);
      const out = this.#read(bytes);
      return this.#ignoreBOM ? out : out.replace(/^\ufeff/, "");
    }
  }

  // HTML Living Standard, "Base64 utility methods": white space is skipped; a character above U+00FF has no byte.
  function invalid(what) {
    return Object.assign(new Error(what), { name: "InvalidCharacterError" });
  }
  function btoa(value) {
    const bytes = Array.from(String(value), (char) => char.codePointAt(0));
    if (bytes.some((code) => code > 0xff)) throw invalid("a character that is no byte");
    return base64.read(bytes);
  }
  function atob(value) {
    const string = String(value).replace(/[\t\n\f\r ]/g, "");
    const bare = string.length % 4 === 0 ? string.replace(/={1,2}$/, "") : string;
    if (bare.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(bare)) throw invalid("the text is not base64");
    return join(base64Bytes(bare), (byte) => String.fromCharCode(byte));
  }

  return { TextDecoder, TextEncoder, atob, btoa, encodings, utf8Bytes };
})();
