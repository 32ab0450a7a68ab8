// One misdeed for each port.
function nest(depth) {
  var out = 1;
  for (var i = 0; i < depth; i++) out = [out];
  return out;
}

function decodeUplink(input) {
  switch (input.fPort) {
    case 1: while (true);
    case 2: for (var hoard = []; ; ) hoard.push(new Array(1000).fill("x" + hoard.length));
    case 3: return decodeUplink(input);
    case 4: return { data: { found: /(a+)+$/.test("a".repeat(60) + "b") } };
    case 5: return { data: { text: "x".repeat(100000) } };
    case 6: return { data: nest(40) };
    case 7: return { data: nest(100000) };
    case 8: for (var i = 0; i < 100000; i++) console.log("line", i, { a: i }); return { data: { lines: i } };
    case 9: return Promise.resolve({ data: { a: 1 } });
    case 10: return;
    case 11: return 5;
    case 12: throw { toString: function () { while (true); } };
    case 13: throw null;
    case 14: throw "only a text";
    case 15: return { data: { get a() { throw new RangeError("from a getter"); } } };
    case 16: var data = {}; for (var k = 0; k < 1100; k++) data["v" + k] = k; return { data: data };
    case 17: return { data: new Uint8Array(1e9) };
    case 18: throw new Proxy({}, { get: function () { throw 5; } });
    case 19: var loop = {}; loop.loop = loop; return { data: loop };
    case 20: return { data: { half: "\ud800", zero: "a\0b" } };
    case 21: try { while (true); } finally { while (true); }
  }
  return { data: { port: input.fPort } };
}
