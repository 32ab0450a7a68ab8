// What a vendor's script finds around it besides the language, and the things the host asks of it: to load and to call.
// Sources: Node.js API documentation (Modules: CommonJS, Console); calling conventions: LoRa Alliance TS013-1.0.0
// (decodeUplink, encodeDownlink, decodeDownlink), ChirpStack 3 (Decode, Encode), The Things Network 2 (Decoder, Encoder).
// What load and run need of the language is taken here, before a script can replace it.
(function (textSource, bufferSource) {
  "use strict";
  const { apply, defineProperty } = Reflect;
  const { parse, stringify } = JSON;
  const { keys } = Object;
  const { slice: cut, toWellFormed } = String.prototype;
  const string = String;
  const global = globalThis;
  const indirectEval = global.eval;
  const hidden = (target, name, value) => defineProperty(target, name, { value, writable: true, configurable: true });

  // ---- what scripts expect to be there

  let texts;
  let buffer;
  const text = () => (texts ??= indirectEval(textSource));
  const LAZY = {
    __proto__: null,
    TextDecoder: () => text().TextDecoder,
    TextEncoder: () => text().TextEncoder,
    atob: () => text().atob,
    btoa: () => text().btoa,
    Buffer: () => (buffer ??= indirectEval(bufferSource)(text())),
  };
  for (const name of keys(LAZY))
    defineProperty(global, name, {
      get: LAZY[name],
      set: (value) => hidden(global, name, value),
      configurable: true,
    });

  // Output is not kept: a script may print at every byte. The methods exist so that it does not fail.
  const console = {};
  for (const name of ["log", "info", "warn", "error", "debug", "trace", "dir", "table", "assert", "group", "groupEnd"])
    console[name] = () => undefined;

  // Scripts that load crypto often need it for some messages only: using it fails, loading it does not.
  const crypto = new Proxy(
    {},
    {
      get: (_, name) => () => {
        throw new Error(`crypto.${string(name)} is not available to scripts`);
      },
    },
  );

  const MODULES = {
    __proto__: null,
    buffer: () => ({ Buffer: LAZY.Buffer(), atob: LAZY.atob(), btoa: LAZY.btoa() }),
    util: () => ({ TextDecoder: LAZY.TextDecoder(), TextEncoder: LAZY.TextEncoder() }),
    crypto: () => crypto,
  };
  function require(name) {
    const found = MODULES[string(name).replace(/^node:/, "")];
    if (!found) throw Object.assign(new Error(`Cannot find module '${name}'`), { code: "MODULE_NOT_FOUND" });
    return found();
  }

  const module = { exports: {} };
  hidden(global, "global", global);
  hidden(global, "console", console);
  hidden(global, "require", require);
  hidden(global, "module", module);
  hidden(global, "exports", module.exports);
  hidden(global, "context", []);
  hidden(BigInt.prototype, "toJSON", function () {
    const number = Number(this);
    return Number.isSafeInteger(number) ? number : this.toString();
  });

  // The one exception that JavaScript cannot catch (out of time) is put into words by the engine after the time limit
  // is over: none of a script's own functions may run there.
  const internal = global.InternalError.prototype;
  for (const name of ["toString", "stack"])
    defineProperty(internal, name, Object.getOwnPropertyDescriptor(Error.prototype, name));
  defineProperty(internal, Symbol.toPrimitive, { value: undefined });
  Object.freeze(internal);

  // ---- the host's side. load answers "0" for a script with decodeUplink, "1" or "2" for one with an older function,
  // "-1" for one that has functions for downlinks only. A call ("uplink", "encode", "downlink") answers with JSON; or ">" and the length of a result that is too large, or "?" and the type of no value.
  // Both may answer "!", what an exception says, U+0001, its stack. What is made by + is made
  // plain: the engine keeps a long sum of strings in another form, which does not reach the host.

  const UP = ["decodeUplink", "Decode", "Decoder"];
  const ENCODE = ["encodeDownlink", "Encode", "Encoder"];
  const DOWN = ["decodeDownlink"];
  const NAMES = [...UP, ...ENCODE, ...DOWN];
  const TAIL = "\n;[" + NAMES.map((name) => `typeof ${name} === "function" ? ${name} : undefined`).join() + "]";
  const entries = { __proto__: null };
  let names = [];
  const values = [];

  const plain = (value) => apply(toWellFormed, value, []);
  const clip = (value, most) => apply(cut, string(value), [0, most]);

  function describe(thrown) {
    try {
      if (thrown === null || typeof thrown !== "object") return plain("!" + clip(thrown, 300));
      const { name, message, stack } = thrown;
      const said = message === undefined ? string(thrown) : string(name ?? "Error") + ": " + string(message);
      return plain("!" + clip(said, 300) + "\x01" + clip(stack ?? "", 2000));
    } catch {
      return "!an exception that cannot be described";
    }
  }

  function load(source) {
    const found = indirectEval(source + TAIL); // sees the script's let, const and strict functions, too
    for (const [what, those] of [["uplink", UP], ["encode", ENCODE], ["downlink", DOWN]])
      for (let i = 0; i < those.length && !entries[what]; i++) entries[what] = entryOf(those[i], found, i);
    if (!entries.uplink && !entries.encode && !entries.downlink)
      throw new Error(`the script has none of ${NAMES.join(", ")}`);
    names = keys(global);
    for (let i = 0; i < names.length; i++) values[i] = global[names[i]];
    return string(entries.uplink ? entries.uplink.kind : -1);
  }

  // A function is a global of the script, or exported by it, or of the driver that it exports or leaves as a global
  // (bundled driver packages).
  function entryOf(name, found, kind) {
    const plainly = found[NAMES.indexOf(name)];
    if (plainly) return { call: plainly, owner: undefined, kind };
    for (const owner of [module.exports, module.exports?.driver, global.driver])
      if (typeof owner?.[name] === "function") return { call: owner[name], owner, kind };
  }

  // A global variable that a call has changed or made is put back, as if each call had a context of its own.
  function restore() {
    const now = keys(global);
    if (now.length !== names.length)
      for (let i = 0; i < now.length; i++) if (now[i] !== names[i] && !known(now[i])) delete global[now[i]];
    for (let i = 0; i < names.length; i++) if (global[names[i]] !== values[i]) global[names[i]] = values[i];
  }
  function known(name) {
    for (let i = 0; i < names.length; i++) if (names[i] === name) return true;
    return false;
  }

  function run(what, json, most) {
    const entry = entries[what];
    if (!entry) throw new Error(`the script has no ${(what === "uplink" ? UP : what === "encode" ? ENCODE : DOWN)[0]}`);
    const { call, owner, kind } = entry;
    const input = parse(json);
    global.context = input.context ?? []; // earlier messages of the device: none, unless the job brings some
    let result;
    try {
      if (kind === 0) result = apply(call, owner, [input]);
      else if (what === "encode") result = apply(call, owner, kind === 1 ? [input.fPort, input.data, input.variables] : [input.data, input.fPort]);
      else if (kind === 1) result = apply(call, owner, [input.fPort, input.bytes, input.variables]);
      else result = apply(call, owner, [input.bytes, input.fPort]);
    } finally {
      restore();
    }
    if (typeof result?.then === "function") throw new TypeError("the script returned a promise");
    const out = stringify(result);
    if (out === undefined) return "?" + typeof result;
    return out.length > most ? ">" + out.length : out;
  }

  return (what, argument, most) => {
    try {
      return what === "load" ? load(argument) : run(what, argument, most);
    } catch (thrown) {
      return describe(thrown);
    }
  };
});
