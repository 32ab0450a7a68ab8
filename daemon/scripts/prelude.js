// What a vendor's script finds around it besides the language, and the things the host asks of it: to load and to call.
// Sources: Node.js API documentation (Modules: CommonJS, Console); calling conventions: LoRa Alliance TS013-1.0.0
// (decodeUplink, encodeDownlink, decodeDownlink), ChirpStack 3 (Decode, Encode), The Things Network 2 (Decoder, Encoder).
// What load and run need of the language is taken here, before a script can replace it.
// Given: our other sources; the line behind which ours stand; and, where the script is one of several files, JSON of
// them: {main, files: [[path in the package, text, the line behind which it stands]]}.
(function (textSource, bufferSource, cryptoSource, localeSource, ownLine, packed) {
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

  const standing = (source, line) => indirectEval("\n".repeat(line) + source); // keeps our lines apart from the script's
  const once = (make) => {
    let made;
    return () => (made ??= make());
  };
  const text = once(() => standing(textSource, ownLine));
  const buffer = once(() => standing(bufferSource, ownLine)(text()));
  const crypto = once(() => standing(cryptoSource, ownLine)(buffer()));
  const locale = once(() => standing(localeSource, ownLine));
  const LAZY = {
    __proto__: null,
    TextDecoder: () => text().TextDecoder,
    TextEncoder: () => text().TextEncoder,
    atob: () => text().atob,
    btoa: () => text().btoa,
    Buffer: buffer,
    Intl: () => locale().Intl,
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

  // Numbers and times as a locale writes them; without a locale that of Node.js, US English.
  const localised = (prototype, name, how) =>
    hidden(prototype, name, { [name](locales, options) { return locale()[how](this.valueOf(), locales, options); } }[name]);
  localised(Number.prototype, "toLocaleString", "number");
  localised(BigInt.prototype, "toLocaleString", "number");
  localised(Date.prototype, "toLocaleString", "date");
  localised(Date.prototype, "toLocaleDateString", "day");
  localised(Date.prototype, "toLocaleTimeString", "time");

  const MODULES = {
    __proto__: null,
    buffer: () => ({ Buffer: LAZY.Buffer(), atob: LAZY.atob(), btoa: LAZY.btoa() }),
    util: () => ({ TextDecoder: LAZY.TextDecoder(), TextEncoder: LAZY.TextEncoder() }),
    crypto,
  };

  // ---- the other files of the script's package: what was sent with it and nothing else

  const { main, files } = packed ? parse(packed) : { main: "", files: [] };
  const filed = { __proto__: null };
  for (const [path, source, line] of files) filed[path] = { source, line, loaded: undefined };

  function pathOf(folder, name) {
    const out = [];
    for (const part of `${folder}/${name}`.split("/"))
      if (part === "..") {
        if (!out.length) return undefined;
        out.pop();
      } else if (part && part !== ".") out.push(part);
    return out.join("/");
  }

  const missing = (name) =>
    Object.assign(new Error(`Cannot find module '${name}' in the script's package`), { code: "MODULE_NOT_FOUND" });

  function requirer(folder) {
    return function require(name) {
      const wanted = string(name);
      const found = MODULES[wanted.replace(/^node:/, "")];
      if (found) return found();
      const path = /^\.{1,2}(\/|$)/.test(wanted) ? pathOf(folder, wanted) : undefined;
      if (path === undefined) throw missing(wanted);
      for (const end of ["", ".js", ".json", "/index.js"]) if (filed[path + end]) return loadFile(path + end);
      throw missing(wanted);
    };
  }

  function loadFile(path) {
    const file = filed[path];
    if (!file.loaded) {
      const own = (file.loaded = { exports: {}, id: path, filename: path });
      if (path.endsWith(".json")) own.exports = parse(file.source);
      else {
        const folder = path.split("/").slice(0, -1).join("/");
        const body = `(function (exports, require, module, __filename, __dirname) {${file.source}\n})`;
        apply(standing(body, file.line), own.exports, [own.exports, requirer(folder), own, path, folder]);
      }
    }
    return file.loaded.exports;
  }
  const require = requirer(main.split("/").slice(0, -1).join("/"));

  const module = { exports: {} };
  hidden(global, "global", global);
  hidden(global, "console", console);
  hidden(global, "require", require);
  hidden(global, "module", module);
  hidden(global, "exports", module.exports);
  const nothing = [];
  hidden(global, "context", nothing);
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
  // Before the JSON of a call may stand "@", what the script has left in `context`, U+0001; or "@?", its length, U+0001
  // where that is too much to be kept. Both may answer "!", what an exception says, U+0001, its stack. What is made by + is made
  // plain: the engine keeps a long sum of strings in another form, which does not reach the host.

  const UP = ["decodeUplink", "Decode", "Decoder"];
  const ENCODE = ["encodeDownlink", "Encode", "Encoder"];
  const DOWN = ["decodeDownlink"];
  const NAMES = [...UP, ...ENCODE, ...DOWN];
  const TAIL = "\n;[" + NAMES.map((name) => `typeof ${name} === "function" ? ${name} : undefined`).join() + "]";
  const KEPT = 4096; // characters: MAX_CONTEXT in protocol.py
  const entries = { __proto__: null };
  let hasContext = true; // false: the script has something of its own by that name
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
    hasContext = global.context === nothing;
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
    // What the script has kept of the device's earlier messages, as Actility's drivers do.
    const given = input.context ?? [];
    const before = input.context ? stringify(given) : "[]";
    if (input.context) delete input.context;
    if (hasContext) global.context = given;
    let result;
    let left = given;
    try {
      if (kind === 0) result = apply(call, owner, [input]);
      else if (what === "encode") result = apply(call, owner, kind === 1 ? [input.fPort, input.data, input.variables] : [input.data, input.fPort]);
      else if (kind === 1) result = apply(call, owner, [input.fPort, input.bytes, input.variables]);
      else result = apply(call, owner, [input.bytes, input.fPort]);
      if (hasContext) left = global.context;
    } finally {
      restore();
    }
    if (typeof result?.then === "function") throw new TypeError("the script returned a promise");
    const out = stringify(result);
    if (out === undefined) return "?" + typeof result;
    if (out.length > most) return ">" + out.length;
    if (what !== "uplink" || (left === given && !left.length && before === "[]")) return out;
    let kept;
    try {
      kept = stringify(left);
    } catch {
      return out; // what cannot be written down cannot be kept: the result is good all the same
    }
    if (kept === before || kept === undefined) return out;
    return plain(kept.length > KEPT ? "@?" + kept.length + "\x01" + out : "@" + kept + "\x01" + out);
  }

  return (what, argument, most) => {
    try {
      return what === "load" ? load(argument) : run(what, argument, most);
    } catch (thrown) {
      return describe(thrown);
    }
  };
});
