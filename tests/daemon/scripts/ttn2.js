// The Things Network 2.
var Decoder = function (bytes, port) {
  return { port: port, sum: bytes.reduce(function (a, b) { return a + b; }, 0) };
};
