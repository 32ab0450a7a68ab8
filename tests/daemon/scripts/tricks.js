// Tricks, one for each port; port 50 is honest.
function forever() { return Promise.resolve().then(forever); }
function decodeUplink(input) {
  var good = { data: { a: 1 } };
  switch (input.fPort) {
    case 1: Object.freeze(Object.prototype); Object.freeze(Array.prototype); return good;
    case 2: Object.prototype.toJSON = function () { while (true); }; return good;
    case 3: Object.defineProperty(Object.prototype, "data", { get: function () { throw new Error("poison"); } }); return good;
    case 4: return new Proxy(good, { ownKeys: function () { while (true); } });
    case 5: return new Proxy({}, { get: function (_, name) { return name === "toJSON" ? undefined : good[name]; } });
    case 6: return { data: { toJSON: function () { return "x".repeat(1e7); } } };
    case 7: var odd = { data: { a: 1 } }; odd.data[Symbol("s")] = 2; odd[Symbol.toPrimitive] = function () { while (true); }; return odd;
    case 8: forever(); return good;
    case 9: return eval("while (true);");
    case 10: return new Function("for (;;);")();
    case 11: return { data: { big: "x".repeat(10 * 1024 * 1024) } };
    case 12: return { data: { found: /^(([a-z])+.)+[A-Z]([a-z])+$/.test("a".repeat(100)) } };
    case 13: var n = 3n; for (;;) n *= n;
    case 14: return { data: { a: [].indexOf.call({ length: Math.pow(2, 53) - 1 }, 1) } };
    case 15: return { data: { a: "x".repeat(Math.pow(2, 30) - 1).length } };
    case 16: JSON.stringify = JSON.parse = Array.prototype.push = String.prototype.slice = function () { while (true); }; return good;
    case 17: globalThis.decodeUplink = function () { while (true); }; return good;
    case 18: async function run() { for (;;) await 1; } run(); return good;
    case 19: function* all() { for (;;) yield 1; } return { data: { a: Array.from(all()).length } };
    case 20: var deep = "["; for (var i = 0; i < 18; i++) deep += deep; JSON.parse(deep); return good;
    case 21: return { data: new Array(4e7).fill(0).sort() };
    case 22: globalThis.console = globalThis.Object = globalThis.Array = globalThis.JSON = undefined; return good;
    case 23: Reflect.apply = String.prototype.toWellFormed = function () { while (true); }; return good;
    case 24: throw { get message() { while (true); } };
    case 25: return { data: { a: 1, __proto__: null, constructor: "c", __defineGetter__: 5 } };
  }
  return { data: { port: input.fPort } };
}
