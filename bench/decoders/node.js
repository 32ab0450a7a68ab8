// Runs decoders in plain Node.js: JSON lines in ({file, call, input}), JSON lines out ({result} or {error}). Each case has
// a context of its own, in which the script finds what Node.js gives a CommonJS module. Nothing is kept from the script.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");
const { createRequire } = require("node:module");
const readline = require("node:readline");

const NAMES = {
  uplink: ["decodeUplink", "Decode", "Decoder"],
  encode: ["encodeDownlink", "Encode", "Encoder"],
  downlink: ["decodeDownlink"],
};
const silent = Object.fromEntries(["log", "info", "warn", "error", "debug", "trace", "table"].map((n) => [n, () => {}]));
const texts = new Map();

function source(file) {
  if (!texts.has(file)) texts.set(file, fs.readFileSync(file, "utf8").replace(/^\ufeff/, ""));
  return texts.get(file);
}

function run({ file, call, input }) {
  const module = { exports: {} };
  const { exports } = module;
  const sandbox = {
    module, exports, require: createRequire(path.resolve(file)), console: silent, Buffer, TextDecoder, TextEncoder, atob, btoa,
    context: input.context ?? [],
  };
  sandbox.global = sandbox;
  const context = vm.createContext(sandbox);
  const ask = (text) => vm.runInContext(text, context, { timeout: 5000 });
  vm.runInContext(source(file), context, { timeout: 5000, filename: file });
  for (const name of NAMES[call]) {
    const plain = ask(`typeof ${name} === "function"`);
    const owners = [module.exports, module.exports?.driver, sandbox.driver];
    const owner = owners.find((each) => typeof each?.[name] === "function");
    if (!plain && !owner) continue;
    sandbox.__given = input;
    sandbox.__call = plain ? undefined : owner[name].bind(owner);
    const called = plain ? name : "__call";
    const given = vm.runInContext(`JSON.parse(${JSON.stringify(JSON.stringify(input))})`, context);
    sandbox.__given = given;
    if (name.endsWith("link")) return ask(`${called}(__given)`);
    if (name === "Decode") return ask(`${called}(__given.fPort, __given.bytes, {})`);
    if (name === "Decoder") return ask(`${called}(__given.bytes, __given.fPort)`);
    return ask(name === "Encode" ? `${called}(__given.fPort, __given.data, {})` : `${called}(__given.data, __given.fPort)`);
  }
  throw new Error("the script has none of " + NAMES[call].join(", "));
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  let answer;
  try {
    const result = JSON.stringify(run(JSON.parse(line)));
    answer = result === undefined ? { error: "returned undefined" } : { result };
  } catch (thrown) {
    answer = { error: `${thrown?.name ?? ""}: ${thrown?.message ?? thrown}`.slice(0, 300) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
});
