// TS013 with warnings and errors. Channels: 1 temperature (0.1 °C, signed), 2 humidity, 3 battery (mV).
"use strict";

const CHANNELS = {
  1: { name: "temperature", size: 2, read: (b, i) => (((b[i] << 24) >> 16) | b[i + 1]) / 10 },
  2: { name: "humidity", size: 1, read: (b, i) => b[i] },
  3: { name: "batteryVoltage", size: 2, read: (b, i) => (b[i] << 8) | b[i + 1] },
};

function decodeUplink(input) {
  if (input.fPort === 99) return { errors: ["unknown port"] };
  const data = {};
  const warnings = [];
  const bytes = input.bytes;
  while (bytes.length) {
    const channel = CHANNELS[bytes.shift()];
    if (channel === undefined) throw new Error("unknown channel");
    const own = bytes.splice(0, channel.size);
    if (own.length < channel.size) return { data, warnings, errors: ["too short"] };
    data[channel.name] = channel.read(own, 0);
  }
  if (data.batteryVoltage < 3000) warnings.push("battery low");
  return { data, warnings, errors: [] };
}
