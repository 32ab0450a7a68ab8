// ChirpStack 3: the values themselves, without a wrapper.
function Decode(fPort, bytes, variables) {
  return { port: fPort, first: bytes[0], count: bytes.length, variables: typeof variables, plain: Array.isArray(bytes) };
}
