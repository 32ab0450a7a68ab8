// A vendor's decoder as one finds them: the payload of the simulated room sensor (Elsys), type by type.
var TYPES = {
  1: ['temperature', 2, function (n) { return (n > 32767 ? n - 65536 : n) / 10; }],
  2: ['humidity', 1, function (n) { return n; }],
  4: ['light', 2, function (n) { return n; }],
  5: ['motion', 1, function (n) { return n; }],
  6: ['co2', 2, function (n) { return n; }],
  7: ['battery_voltage', 2, function (n) { return n / 1000; }]
};

function decodeUplink(input) {
  var data = {}, bytes = input.bytes, i = 0;
  while (i < bytes.length) {
    var type = TYPES[bytes[i]];
    if (!type) {
      return { errors: ['unknown type ' + bytes[i]] };
    }
    var n = 0;
    for (var k = 1; k <= type[1]; k++) {
      n = n * 256 + bytes[i + k];
    }
    data[type[0]] = type[2](n);
    i += 1 + type[1];
  }
  return { data: data };
}
