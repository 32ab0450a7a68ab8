// Keeps the serial number of the long message for the short ones, as Actility's drivers do.
function decodeUplink(input) {
  if (input.fPort === 9) {
    context.push("x".repeat(5000));
    return { data: { kept: context.length } };
  }
  if (input.fPort === 8) {
    context = 7;
    return { data: { kept: 7 } };
  }
  if (input.bytes.length > 1) {
    context.length = 0;
    context.push({ serial: input.bytes[0] });
    return { data: { serial: input.bytes[0] } };
  }
  if (!context.length) return { errors: ["nothing is known of this device yet"] };
  return { data: { serial: context[0].serial, value: input.bytes[0] } };
}
function encodeDownlink(input) {
  return { bytes: [context.length ? context[0].serial : 0], fPort: 1 };
}
