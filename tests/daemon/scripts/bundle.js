// As bundlers write it: nothing global, the function leaves through module.exports.
(() => {
  const table = { scale: 10 };
  module.exports = {
    scale: 10,
    decodeUplink: function (input) {
      return { data: { value: input.bytes[0] / this.scale, time: new Date(input.recvTime), eui: input.devEui, none: input.nothing } };
    },
  };
  exports.unused = table;
})();
