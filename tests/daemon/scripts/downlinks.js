// A driver package that exports its functions, and an encoder that says what is wrong.
function encodeDownlink(input) {
  if (input.data === "refuse") return { errors: ["no such command", "second"] };
  if (input.data && input.data.raw) return input.data.raw;
  return { bytes: [1, input.data.level], fPort: input.fPort || 7, warnings: input.data.level > 9 ? ["loud"] : [] };
}
function decodeDownlink(input) {
  return { data: { level: input.bytes[1], port: input.fPort } };
}
exports.driver = { encodeDownlink: encodeDownlink, decodeDownlink: decodeDownlink };
