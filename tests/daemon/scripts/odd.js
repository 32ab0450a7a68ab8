// Values that JSON has no word for.
function decodeUplink() {
  return {
    data: {
      notANumber: NaN, infinite: Infinity, minus: -Infinity, missing: undefined, nothing: null, yes: true,
      when: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)), big: 12345678901234567890n, small: 7n, negativeZero: -0,
      call: function () {}, symbol: Symbol("s"), list: [1, undefined, "two", { three: 3 }], empty: {}, none: [],
      bytes: Buffer.from([1, 2]),
    },
  };
}
