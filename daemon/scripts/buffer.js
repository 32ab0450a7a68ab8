// Node's Buffer for scripts: evaluated when a script first asks for it, with what text.js returns.
// Source: Node.js API documentation, "Buffer". A Buffer is a Uint8Array with reading and writing methods.
(function (text) {
  "use strict";
  const { encodings, utf8Bytes } = text;
  const hidden = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true });

  function encoding(name) {
    const found = encodings[String(name ?? "utf8").toLowerCase()];
    if (!found) throw Object.assign(new TypeError(`Unknown encoding: ${name}`), { code: "ERR_UNKNOWN_ENCODING" });
    return found;
  }

  function outside(name, low, high, got) {
    const rule = `It must be >= ${low} and <= ${high}. Received ${got}`;
    const error = new RangeError(`The value of "${name}" is out of range. ${rule}`);
    return Object.assign(error, { code: "ERR_OUT_OF_RANGE" });
  }

  function place(bytes, offset, size) {
    if (typeof offset !== "number") throw new TypeError(`The "offset" argument must be a number, not ${typeof offset}`);
    const last = bytes.length - size;
    if (!Number.isInteger(offset) || offset < 0 || offset > last) throw outside("offset", 0, last, offset);
    return offset;
  }

  class Bytes extends Uint8Array {}

  function Buffer(value, enc, length) {
    return typeof value === "number" ? Buffer.alloc(value) : Buffer.from(value, enc, length);
  }
  const proto = Bytes.prototype;
  Buffer.prototype = proto;
  hidden(proto, "constructor", Buffer);
  Object.defineProperty(Buffer, Symbol.species, { get: () => Bytes });

  const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sought = (value) => {
    if (typeof value === "string") return utf8Bytes(value);
    return typeof value === "number" ? [value & 255] : value;
  };

  Object.assign(Buffer, {
    alloc: (size, fill, enc) => (fill === undefined ? new Bytes(size) : new Bytes(size).fill(fill, enc)),
    allocUnsafe: (size) => new Bytes(size),
    allocUnsafeSlow: (size) => new Bytes(size),
    from(value, enc, length) {
      if (typeof value === "string") return new Bytes(encoding(enc).bytes(value));
      if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return new Bytes(value, enc, length);
      if (value?.type === "Buffer" && Array.isArray(value.data)) return new Bytes(value.data);
      if (value !== null && typeof value === "object") return Bytes.from(value);
      throw new TypeError("The first argument must be a string, a buffer or an array");
    },
    concat(list, total = list.reduce((n, part) => n + part.length, 0)) {
      const out = new Bytes(total);
      let at = 0;
      for (const part of list) {
        const fits = part.subarray(0, total - at);
        out.set(fits, at);
        at += fits.length;
      }
      return out;
    },
    byteLength: (value, enc) => (typeof value === "string" ? encoding(enc).bytes(value).length : value.byteLength),
    isBuffer: (value) => value instanceof Bytes,
    isEncoding: (name) => typeof name === "string" && name.toLowerCase() in encodings,
    compare(a, b) {
      for (let i = 0; i < a.length && i < b.length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1;
      return Math.sign(a.length - b.length);
    },
  });

  // Node has each UInt method under the name Uint as well.
  function method(name, body) {
    hidden(proto, name, body);
    if (name.includes("UInt")) hidden(proto, name.replace("UInt", "Uint"), body);
  }

  // prettier-ignore
  const NUMBERS = [
    // name, DataView's name, bytes, lowest and highest value that may be written
    ["UInt8", "Uint8", 1, 0, 2 ** 8 - 1], ["Int8", "Int8", 1, -(2 ** 7), 2 ** 7 - 1],
    ["UInt16", "Uint16", 2, 0, 2 ** 16 - 1], ["Int16", "Int16", 2, -(2 ** 15), 2 ** 15 - 1],
    ["UInt32", "Uint32", 4, 0, 2 ** 32 - 1], ["Int32", "Int32", 4, -(2 ** 31), 2 ** 31 - 1],
    ["BigUInt64", "BigUint64", 8, 0n, 2n ** 64n - 1n], ["BigInt64", "BigInt64", 8, -(2n ** 63n), 2n ** 63n - 1n],
    ["Float", "Float32", 4, -Infinity, Infinity], ["Double", "Float64", 8, -Infinity, Infinity],
  ];
  for (const [name, kind, size, low, high] of NUMBERS) {
    const get = DataView.prototype["get" + kind];
    const set = DataView.prototype["set" + kind];
    for (const order of size === 1 ? [""] : ["LE", "BE"]) {
      const little = order === "LE";
      method("read" + name + order, function (offset = 0) {
        return get.call(view(this), place(this, offset, size), little);
      });
      method("write" + name + order, function (value, offset = 0) {
        if (value < low || value > high) throw outside("value", low, high, value);
        set.call(view(this), place(this, offset, size), value, little);
        return offset + size;
      });
    }
  }

  // Integers of one to six bytes.
  for (const order of ["LE", "BE"]) {
    const nth = (offset, size, i) => offset + (order === "LE" ? size - 1 - i : i);
    const check = (bytes, offset, size) => {
      if (!(Number.isInteger(size) && size >= 1 && size <= 6)) throw outside("byteLength", 1, 6, size);
      place(bytes, offset, size);
    };
    for (const [name, signed] of [["UInt", false], ["Int", true]]) {
      method("read" + name + order, function (offset, size) {
        check(this, offset, size);
        let value = 0;
        for (let i = 0; i < size; i++) value = value * 256 + this[nth(offset, size, i)];
        return signed && value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value;
      });
      method("write" + name + order, function (value, offset, size) {
        check(this, offset, size);
        const low = signed ? -(2 ** (8 * size - 1)) : 0;
        const high = low + 2 ** (8 * size) - 1;
        if (value < low || value > high) throw outside("value", low, high, value);
        let rest = Math.trunc(value < 0 ? value + 2 ** (8 * size) : value);
        for (let i = size - 1; i >= 0; i--, rest = Math.floor(rest / 256)) this[nth(offset, size, i)] = rest % 256;
        return offset + size;
      });
    }
  }

  const methods = {
    toString(enc, start = 0, end = this.length) {
      return encoding(enc).read(this.subarray(Math.max(0, start), Math.max(0, end)));
    },
    toJSON() {
      return { type: "Buffer", data: Array.from(this) };
    },
    slice: Uint8Array.prototype.subarray, // unlike a Uint8Array's, a Buffer's slice shares its memory
    equals(other) {
      return Buffer.compare(this, other) === 0;
    },
    compare(other) {
      return Buffer.compare(this, other);
    },
    copy(target, to = 0, from = 0, end = this.length) {
      const part = this.subarray(from, Math.min(end, from + Math.max(0, target.length - to)));
      target.set(part, to);
      return part.length;
    },
    write(string, offset = 0, length = undefined, enc = undefined) {
      if (typeof offset === "string") [offset, enc] = [0, offset];
      if (typeof length === "string") [length, enc] = [undefined, length];
      const room = Math.min(length ?? Infinity, this.length - offset);
      const bytes = encoding(enc).bytes(string).slice(0, room);
      this.set(bytes, offset);
      return bytes.length;
    },
    fill(value, ...rest) {
      const enc = typeof rest.at(-1) === "string" ? rest.pop() : undefined;
      const [start = 0, end = this.length] = rest;
      const bytes = typeof value === "string" ? encoding(enc).bytes(value) : sought(value);
      for (let i = start; i < end && i < this.length; i++) this[i] = bytes.length ? bytes[(i - start) % bytes.length] : 0;
      return this;
    },
    indexOf(value, from = 0) {
      const wanted = sought(value);
      for (let i = from < 0 ? Math.max(0, this.length + from) : from; i + wanted.length <= this.length; i++) {
        let n = 0;
        while (n < wanted.length && this[i + n] === wanted[n]) n++;
        if (n === wanted.length) return i;
      }
      return -1;
    },
    includes(value, from) {
      return this.indexOf(value, from) !== -1;
    },
  };
  for (const size of [2, 4, 8])
    methods["swap" + 8 * size] = function () {
      if (this.length % size) throw new RangeError(`Buffer size must be a multiple of ${8 * size}-bits`);
      for (let i = 0; i < this.length; i += size) this.subarray(i, i + size).reverse();
      return this;
    };
  for (const [name, body] of Object.entries(methods)) hidden(proto, name, body);

  return Buffer;
});
