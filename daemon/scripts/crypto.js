// What scripts get from require("crypto"): AES, for telegrams that are encrypted inside their LoRaWAN frame. Evaluated
// when a script first asks for it, with Buffer. Sources: FIPS 197 (AES), NIST SP 800-38A (ECB, CBC, CTR), SP 800-38C and
// RFC 3610 (CCM); Node.js API documentation, "Crypto": createCipheriv, createDecipheriv.
(function (Buffer) {
  "use strict";
  const SIZE = 16;
  const SBOX = new Uint8Array(256);
  const BACK = new Uint8Array(256);
  const twice = (b) => ((b << 1) ^ (b & 0x80 ? 0x11b : 0)) & 0xff;
  const rotate = (b, n) => ((b << n) | (b >> (8 - n))) & 0xff;

  // 3 generates all non-zero bytes: p runs through its powers, q through those of its inverse.
  for (let p = 1, q = 1, first = true; first || p !== 1; first = false) {
    p ^= twice(p);
    q ^= q << 1;
    q ^= q << 2;
    q = (q ^ (q << 4)) & 0xff;
    if (q & 0x80) q ^= 0x09;
    SBOX[p] = q ^ rotate(q, 1) ^ rotate(q, 2) ^ rotate(q, 3) ^ rotate(q, 4) ^ 0x63;
  }
  SBOX[0] = 0x63;
  for (let i = 0; i < 256; i++) BACK[SBOX[i]] = i;

  function times(a, b) {
    let out = 0;
    for (; b; b >>= 1, a = twice(a)) if (b & 1) out ^= a;
    return out;
  }

  function expand(key) {
    const words = key.length / 4;
    const out = new Uint8Array(SIZE * (words + 7));
    out.set(key);
    let round = 1;
    for (let i = key.length; i < out.length; i += 4) {
      let word = [out[i - 4], out[i - 3], out[i - 2], out[i - 1]];
      const n = i / 4;
      if (n % words === 0) {
        word = [SBOX[word[1]] ^ round, SBOX[word[2]], SBOX[word[3]], SBOX[word[0]]];
        round = twice(round);
      } else if (words > 6 && n % words === 4) word = word.map((b) => SBOX[b]);
      for (let k = 0; k < 4; k++) out[i + k] = out[i + k - key.length] ^ word[k];
    }
    return out;
  }

  const mix = (state, round, keys) => {
    for (let i = 0; i < SIZE; i++) state[i] ^= keys[round * SIZE + i];
  };

  function columns(state, factors) {
    for (let c = 0; c < SIZE; c += 4) {
      const old = state.slice(c, c + 4);
      for (let r = 0; r < 4; r++) {
        state[c + r] = 0;
        for (let k = 0; k < 4; k++) state[c + r] ^= times(old[k], factors[(k - r + 4) & 3]);
      }
    }
  }

  function encryptBlock(keys, block) {
    let state = Uint8Array.from(block);
    const last = keys.length / SIZE - 1;
    mix(state, 0, keys);
    for (let round = 1; round <= last; round++) {
      state = state.map((_, i) => SBOX[state[(i + 4 * (i & 3)) & 15]]);
      if (round < last) columns(state, [2, 3, 1, 1]);
      mix(state, round, keys);
    }
    return state;
  }

  function decryptBlock(keys, block) {
    let state = Uint8Array.from(block);
    const last = keys.length / SIZE - 1;
    mix(state, last, keys);
    for (let round = last - 1; round >= 0; round--) {
      state = state.map((_, i) => BACK[state[(i - 4 * (i & 3)) & 15]]);
      mix(state, round, keys);
      if (round) columns(state, [14, 11, 13, 9]);
    }
    return state;
  }

  const xor = (a, b) => a.map((byte, i) => byte ^ b[i]);
  const fault = (code, text, kind = Error) => Object.assign(new kind(text), { code });

  function bytesOf(value, encoding) {
    if (typeof value === "string") return Buffer.from(value, encoding);
    if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    throw fault("ERR_INVALID_ARG_TYPE", "The data must be a string or bytes", TypeError);
  }

  // One direction of one message: `block(bytes)` for each whole block, or `stream` for modes that take any length.
  const MODES = {
    __proto__: null,
    ecb: (keys, iv, back) => ({ block: (b) => (back ? decryptBlock(keys, b) : encryptBlock(keys, b)) }),
    cbc(keys, iv, back) {
      let previous = iv;
      return {
        block(b) {
          const out = back ? xor(decryptBlock(keys, b), previous) : encryptBlock(keys, xor(b, previous));
          previous = back ? b : out;
          return out;
        },
      };
    },
    ctr(keys, iv) {
      const counter = Uint8Array.from(iv);
      let pad = [];
      return {
        stream: (data) =>
          data.map((byte) => {
            if (!pad.length) {
              pad = [...encryptBlock(keys, counter)];
              for (let i = SIZE - 1; i >= 0 && ++counter[i] === 256; i--);
            }
            return byte ^ pad.shift();
          }),
      };
    },
  };

  // CBC-MAC over the header, the associated data and the plain text, hidden by the first block of the key stream.
  function ccmTag(keys, nonce, associated, plain, size) {
    const blocks = [];
    const width = 15 - nonce.length;
    const length = (value, bytes) => Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** (bytes - 1 - i)) & 255);
    const padded = (bytes) => [...bytes, ...new Uint8Array(-bytes.length & 15)];
    blocks.push((associated.length ? 64 : 0) + ((size - 2) / 2) * 8 + width - 1, ...nonce, ...length(plain.length, width));
    if (associated.length) blocks.push(...padded([...length(associated.length, 2), ...associated]));
    blocks.push(...padded(plain));
    let mac = new Uint8Array(SIZE);
    for (let i = 0; i < blocks.length; i += SIZE) mac = encryptBlock(keys, xor(mac, blocks.slice(i, i + SIZE)));
    const first = encryptBlock(keys, [width - 1, ...nonce, ...new Uint8Array(width)]);
    return xor(mac, first).slice(0, size);
  }

  function ccm(keys, nonce, back, { authTagLength: size }) {
    if (nonce.length < 7 || nonce.length > 13) throw fault("ERR_CRYPTO_INVALID_IV", "Invalid initialization vector", TypeError);
    if (![4, 6, 8, 10, 12, 14, 16].includes(size))
      throw fault("ERR_CRYPTO_INVALID_AUTH_TAG", "authTagLength required for aes-ccm", TypeError);
    const { stream } = MODES.ctr(keys, [14 - nonce.length, ...nonce, ...new Uint8Array(14 - nonce.length), 1]);
    let associated = [];
    let given;
    let made;
    return {
      stream(data) {
        const out = stream(data);
        made = ccmTag(keys, nonce, associated, back ? out : data, size);
        return out;
      },
      end() {
        made ??= ccmTag(keys, nonce, associated, [], size);
        if (back && !(given?.length === size && made.every((byte, i) => byte === given[i])))
          throw new Error("Unsupported state or unable to authenticate data");
      },
      aad: (data) => (associated = data),
      setTag: (tag) => (given = tag),
      tag: () => Buffer.from(made),
    };
  }

  function cipher(back, algorithm, key, iv, options = {}) {
    const [, bits, name] = /^aes-?(128|192|256)-(ecb|cbc|ctr|ccm)$/i.exec(algorithm) ?? [];
    if (!bits) throw fault("ERR_CRYPTO_UNKNOWN_CIPHER", `crypto: ${algorithm} is not available to scripts, AES in ECB, CBC, CTR and CCM is`);
    const secret = bytesOf(key);
    if (secret.length * 8 !== Number(bits)) throw fault("ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length", RangeError);
    const mode = name.toLowerCase();
    const start = iv === null || iv === undefined ? new Uint8Array(0) : bytesOf(iv);
    if (mode !== "ccm" && start.length !== (mode === "ecb" ? 0 : SIZE))
      throw fault("ERR_CRYPTO_INVALID_IV", "Invalid initialization vector", TypeError);
    const keys = expand(secret);
    const run = mode === "ccm" ? ccm(keys, start, back, options) : MODES[mode](keys, start, back);
    const written = (bytes, encoding) => (encoding ? Buffer.from(bytes).toString(encoding) : Buffer.from(bytes));
    let held = [];
    let padding = true;
    const whole = (keep) => {
      const out = [];
      while (held.length >= SIZE + keep) out.push(...run.block(Uint8Array.from(held.splice(0, SIZE))));
      return out;
    };
    const self = {
      update(data, encoding, as) {
        const bytes = Uint8Array.from(bytesOf(data, encoding));
        if (run.stream) return written(run.stream(bytes), as);
        held.push(...bytes);
        return written(whole(back && padding ? 1 : 0), as); // the last block of a padded text is only known at its end
      },
      final(as) {
        run.end?.();
        if (run.stream) return written([], as);
        const wrong = (text) => fault("ERR_OSSL_WRONG_FINAL_BLOCK_LENGTH", text);
        if (padding && !back) held.push(...Array(SIZE - (held.length % SIZE)).fill(SIZE - (held.length % SIZE)));
        if (held.length % SIZE) throw wrong("wrong final block length");
        const out = whole(0);
        if (padding && back) {
          const count = out.at(-1);
          if (!(count >= 1 && count <= SIZE && out.length >= count && out.slice(-count).every((b) => b === count)))
            throw fault("ERR_OSSL_BAD_DECRYPT", "bad decrypt");
          out.length -= count;
        }
        return written(out, as);
      },
      setAutoPadding: (on = true) => ((padding = Boolean(on)), self),
      setAAD: (data) => (run.aad?.(Uint8Array.from(bytesOf(data))), self),
      setAuthTag: (tag) => (run.setTag?.(Uint8Array.from(bytesOf(tag))), self),
      getAuthTag: () => run.tag?.(),
    };
    return self;
  }

  const known = {
    __proto__: null,
    createCipheriv: (algorithm, key, iv, options) => cipher(false, algorithm, key, iv, options),
    createDecipheriv: (algorithm, key, iv, options) => cipher(true, algorithm, key, iv, options),
    timingSafeEqual: (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]),
  };
  // What is not there fails when it is used, not when the module is loaded.
  return new Proxy(known, {
    get: (_, name) =>
      known[name] ??
      (() => {
        throw new Error(`crypto.${String(name)} is not available to scripts`);
      }),
  });
});
