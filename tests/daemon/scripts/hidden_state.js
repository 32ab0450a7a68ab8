// State where nobody sees it from outside: a top-level let, and the inside of an object.
let calls = 0;
const seen = [];
function decodeUplink(input) {
  seen.push(input.bytes[0]);
  return { data: { calls: ++calls, seen: seen.length } };
}
