// Breaks what it can reach, then answers.
Error.prototype.toString = function () { while (true); };
Object.defineProperty(Error.prototype, "stack", { get: function () { while (true); } });

function decodeUplink(input) {
  if (input.fPort === 2) while (true);
  if (input.fPort === 3) throw new Error("after tampering");
  JSON.stringify = function () { return "forged"; };
  JSON.parse = function () { return { bytes: [9] }; };
  String.prototype.slice = String.prototype.toWellFormed = function () { return "forged"; };
  Array.prototype.push = Array.prototype.map = function () { throw new Error("no push"); };
  Array.prototype[Symbol.iterator] = function () { throw new Error("no iterator"); };
  Function.prototype.call = Function.prototype.apply = function () { return "forged"; };
  Object.keys = function () { return ["forged"]; };
  globalThis.String = globalThis.Reflect = undefined;
  return { data: { first: input.bytes[0] } };
}
