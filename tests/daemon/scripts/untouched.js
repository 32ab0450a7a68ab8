// What tamper.js broke, looked at from another script.
function decodeUplink(input) {
  return { data: { text: JSON.stringify([1, 2].map(String)), first: input.bytes.slice(0, 1)[0], error: String(new Error("e")) } };
}
