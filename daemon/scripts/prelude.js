// What a vendor's script finds around it besides the language, and the two things the host asks of it: load and run.
// Sources: Node.js API documentation (Modules: CommonJS, Console); calling conventions: LoRa Alliance TS013-1.0.0
// (decodeUplink), ChirpStack 3 (Decode) and The Things Network 2 (Decoder).
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
    buffer: () => ({ Buffer: LAZY.Buffer() }),
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

  // ---- the host's side. load answers "0" for a script with decodeUplink, "1" or "2" for one with an older function.
  // run answers with JSON; or ">" and the length of a result that is too large, or "?" and the type of no value.
  // Both may answer "!", what an exception says, U+0001, its stack. What is made by + is made
  // plain: the engine keeps a long sum of strings in another form, which does not reach the host.

  const NAMES = ["decodeUplink", "Decode", "Decoder"];
  const TAIL = "\n;[" + NAMES.map((name) => `typeof ${name} === "function" ? ${name} : undefined`).join() + "]";
  let entry;
  let owner;
  let kind = -1;
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
    for (let i = 0; i < NAMES.length && kind < 0; i++) {
      owner = found[i] ? undefined : module.exports;
      entry = found[i] ?? module.exports?.[NAMES[i]];
      if (typeof entry === "function") kind = i;
    }
    if (kind < 0) throw new Error(`the script has none of ${NAMES.join(", ")}`);
    names = keys(global);
    for (let i = 0; i < names.length; i++) values[i] = global[names[i]];
    return string(kind);
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

  function run(json, most) {
    const input = parse(json);
    global.context = []; // earlier messages of the device: none
    let result;
    try {
      if (kind === 0) result = apply(entry, owner, [input]);
      else if (kind === 1) result = apply(entry, owner, [input.fPort, input.bytes, input.variables]);
      else result = apply(entry, owner, [input.bytes, input.fPort]);
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
      return what === "run" ? run(argument, most) : load(argument);
    } catch (thrown) {
      return describe(thrown);
    }
  };
});
