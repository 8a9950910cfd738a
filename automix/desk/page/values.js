/* Values of settings: where they lie on a scale, by what steps they move, how they are written. */

import { clamp, figure, hertz, round } from "./drawing.js";

const DECIBELS = new Set(["dB", "dBTP", "dB/s"]);
/** A level whose range goes as far down as this is silent there. */
const SILENCE_DB = -60;

/** Where on a fader a level lies: finer around 0 dB, as on mixing desks. */
const FADER = [
  [-60, 0],
  [-50, 0.05],
  [-40, 0.11],
  [-30, 0.2],
  [-20, 0.33],
  [-10, 0.5],
  [-5, 0.61],
  [5, 0.87],
  [12, 1],
];
/** Where faders end; the next is used only where a value lies beyond. */
const FADER_ENDS_DB = [12, 24, 36, 60];

/** The levels that are written beside a fader, as far as it goes. */
export const FADER_FIGURES_DB = [60, 48, 36, 24, 12, 6, 0, -6, -12, -20, -30, -40, -60];

/** Whether a setting is a position between left and right. */
function isPan(declared) {
  return declared.low === 0 && declared.high === 1 && /\bleft\b.*\bright\b/.test(declared.about ?? "");
}

/** Whether a setting is a share of a whole, which people write in percent. */
function isShare(declared) {
  return declared.low === 0 && declared.high <= 1 && !declared.unit && !isPan(declared);
}

/**
 * A scale: `toShare` leads from a value to 0 … 1, `toValue` back.
 *
 * @param {object} declared The setting.
 * @param {"fader"|"knob"|"row"} look Faders have a scale of their own.
 * @param {number[]} values What has to lie on it.
 * @returns {{low: number, high: number, toShare: (value: number) => number,
 *   toValue: (share: number) => number}}
 */
export function makeScale(declared, look, values = []) {
  if (look === "fader") return makeFaderScale(declared, values);
  const { low, high } = declared;
  if (declared.scale === "log") {
    const ratio = Math.log(high / low);
    return {
      low,
      high,
      toShare: (value) => clamp(Math.log(Math.max(value, low) / low) / ratio, 0, 1),
      toValue: (share) => low * Math.exp(clamp(share, 0, 1) * ratio),
    };
  }
  return {
    low,
    high,
    toShare: (value) => clamp((value - low) / (high - low), 0, 1),
    toValue: (share) => low + clamp(share, 0, 1) * (high - low),
  };
}

function makeFaderScale({ low, high }, values) {
  const top = Math.max(...values, FADER_ENDS_DB[0]);
  const end = Math.min(high, FADER_ENDS_DB.find((db) => db >= top) ?? high);
  const [lastDb, lastShare] = FADER.at(-1);
  const [beforeDb, beforeShare] = FADER.at(-2);
  const rise = (lastShare - beforeShare) / (lastDb - beforeDb);
  const points = [...FADER, [Math.max(end, lastDb + 1e-9), lastShare + (end - lastDb) * rise]];
  const whole = points.at(-1)[1];
  const interpolate = (value, from, to) => {
    let at = 1;
    while (at < points.length - 1 && points[at][from] < value) at += 1;
    const [a, b] = [points[at - 1], points[at]];
    return a[to] + ((value - a[from]) / (b[from] - a[from])) * (b[to] - a[to]);
  };
  return {
    low: Math.max(low, FADER[0][0]),
    high: end,
    toShare: (value) => interpolate(clamp(value, FADER[0][0], end), 0, 1) / whole,
    toValue: (share) => interpolate(clamp(share, 0, 1) * whole, 1, 0),
  };
}

/** How far a key moves a value that lies on a linear scale, `[usual, fine]`. */
function stepsOf(declared) {
  if (DECIBELS.has(declared.unit)) return [0.5, 0.1];
  if (isPan(declared)) return [0.01, 0.005];
  const least = (declared.high - declared.low) / 100;
  const power = 10 ** Math.floor(Math.log10(least * 1.0001));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power * 1.0001 >= least);
  return [step, step / 10];
}

/**
 * The value some steps away.
 *
 * @param {number} count Steps; negative is down.
 * @param {boolean} isFine Whether they are small.
 */
export function stepValue(declared, scale, value, count, isFine) {
  if (declared.scale === "log") {
    const share = scale.toShare(value) + (count * (isFine ? 0.2 : 1)) / 100;
    return tidy(declared, clamp(scale.toValue(share), declared.low, declared.high), isFine);
  }
  const step = stepsOf(declared)[isFine ? 1 : 0];
  return tidy(declared, clamp(value + count * step, declared.low, declared.high), isFine);
}

/** Rounds what a hand set, so that a plan reads as a person would write it. */
export function tidy(declared, value, isFine = false) {
  if (declared.scale === "log") return Number(value.toPrecision(isFine ? 4 : 3));
  const [step, fine] = stepsOf(declared);
  const decimals = Math.max(0, Math.ceil(-Math.log10(isFine ? fine : step) - 1e-9));
  return round(value, isFine || DECIBELS.has(declared.unit) ? Math.max(decimals, 1) : decimals);
}

/** A value with its unit: "−3.0 dB", "+1.5 dB", "L20", "2.5 kHz", "30 %", "on". */
export function formatValue(declared, value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value)) return `${value.length} ${value.length === 1 ? "entry" : "entries"}`;
  if (typeof value !== "number") return String(value).replaceAll("_", " ");
  const { unit } = declared;
  if (isPan(declared)) return formatPan(value);
  if (isShare(declared)) return `${figure(100 * value, Number.isInteger(round(100 * value, 1)) ? 0 : 1)} %`;
  if (unit === "Hz") return hertz(value);
  if (DECIBELS.has(unit)) {
    const near = round(value, 1);
    const text = `${figure(near, 1)} ${unit}`;
    return near > 0 && declared.low < 0 && declared.high > 0 && unit === "dB" ? `+${text}` : text;
  }
  const text = String(Number(value.toPrecision(3))).replace("-", "−");
  return unit ? `${text} ${unit}` : text;
}

function formatPan(value) {
  const side = round(200 * (value - 0.5), Math.abs(value - 0.5) < 0.005 ? 1 : 0);
  if (side === 0) return "C";
  return `${side < 0 ? "L" : "R"}${Math.abs(side)}`;
}

/**
 * Reads a value that a person typed: "-3", "−3 dB", "-inf", "1.2k", "300 ms", "20 %", "3:1", "L20".
 *
 * A pan without a letter counts from −100 to 100. What is out of range becomes the nearest legal
 * value.
 *
 * @returns {number | null} Null where it is no value.
 */
export function parseValue(declared, text) {
  const plain = text.trim().replaceAll("−", "-").replace(",", ".").toLowerCase();
  const value = isPan(declared) ? readPan(plain) : readNumber(declared, plain);
  if (value === null || !Number.isFinite(value)) return null;
  return clamp(value, declared.low ?? -Infinity, declared.high ?? Infinity);
}

function readPan(text) {
  const plain = text.replace(/ ?%$/, "");
  if (/^(c|center|centre|0)$/.test(plain)) return 0.5;
  const number = "(\\d+\\.?\\d*|\\.\\d+)";
  const [, sign, bare] = new RegExp(`^([-+]?)${number}$`).exec(plain) ?? [];
  if (bare !== undefined) return 0.5 + (sign === "-" ? -1 : 1) * (Number(bare) / 200);
  const told =
    new RegExp(`^(l|left|r|right) ?${number}$`).exec(plain) ??
    new RegExp(`^${number} ?(l|left|r|right)$`).exec(plain);
  if (/^(l|left|r|right)$/.test(plain)) return plain[0] === "l" ? 0 : 1;
  if (!told) return null;
  const [side, much] = /^\d|^\./.test(told[1]) ? [told[2], told[1]] : [told[1], told[2]];
  return 0.5 + (side[0] === "l" ? -1 : 1) * (Number(much) / 200);
}

/** The value at which a setting does nothing, as far as there is one. */
function readOff({ about, low }, unit) {
  const told = /(-?\d+(?:\.\d+)?) is off/.exec(about ?? "");
  if (told) return Number(told[1]);
  return unit === "db" && low <= SILENCE_DB ? low : null;
}

/** What units count, in the first of their kind. */
const UNITS = {
  hz: { hz: 1, khz: 1000 },
  s: { s: 1, ms: 0.001 },
  ms: { ms: 1, s: 1000 },
  db: { db: 1 },
  dbtp: { dbtp: 1, db: 1 },
  "db/s": { "db/s": 1, db: 1 },
};

function readNumber(declared, plain) {
  const unit = (declared.unit ?? "").toLowerCase();
  if (/^(off|-?(inf|infinity|∞)( ?db)?)$/.test(plain)) return readOff(declared, unit);
  const found = /^([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?) ?(k?)([a-z%/]*)(?: ?: ?1)?$/.exec(plain);
  if (!found) return null;
  const [, digits, kilo, told] = found;
  const number = Number(digits);
  if (isShare(declared)) {
    if (kilo || (told && told !== "%")) return null;
    return told || Math.abs(number) > 1 ? number / 100 : number;
  }
  if (!told && kilo) return unit === "hz" ? 1000 * number : null;
  if (!told) return number;
  const factor = UNITS[unit]?.[kilo + told];
  return factor === undefined ? null : factor * number;
}
