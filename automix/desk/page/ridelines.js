/* The line of a ride as plain data: moved, drawn, thinned, always legal. No drawing here. */

import { clamp, round } from "./drawing.js";

const GAP_S = 0.001; // between two points, whose times must rise
const EDGE_S = 0.03; // from what was before to what was drawn

/** What can be ridden in a part: [{setting, declared, isAdded, low, high}], present sends included. */
export function findRidables(model, owner) {
  const fields = model.state.declared[model.kind(owner)];
  const bounds = fields.rides?.fields?.values ?? { low: -60, high: 24 };
  const found = [];
  const add = (setting, declared) => {
    const isAdded = declared.ridable.is_added;
    const { low, high } = isAdded ? bounds : declared;
    found.push({ setting, declared, isAdded, low, high });
  };
  const walk = (prefix, inner) => {
    for (const [name, declared] of Object.entries(inner)) {
      const setting = prefix + name;
      if (declared.ridable) add(setting, declared);
      else if (declared.kind === "table" && declared.fields) walk(`${setting}.`, declared.fields);
      else if (declared.kind === "list" && declared.fields && setting !== "rides") {
        const entries = model.value(owner, setting) ?? [];
        entries.forEach((_, at) => walk(`${setting}.${at + 1}.`, declared.fields));
      }
    }
  };
  walk("", fields);
  const rank = ({ setting }) =>
    /^(fader_db|gain_db)$/.test(setting) ? 0 : setting === "pan" ? 1 : 2;
  return found.sort((one, other) => rank(one) - rank(other));
}

/** The value of a line at a time; `rest` where there is no point. */
export function valueAt(line, time, rest = 0) {
  const { times, values } = line;
  if (!times.length) return rest;
  if (time <= times[0]) return values[0];
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] <= time) low = middle + 1;
    else high = middle;
  }
  if (low === times.length) return values[low - 1];
  const share = (time - times[low - 1]) / (times[low] - times[low - 1]);
  return values[low - 1] + share * (values[low] - values[low - 1]);
}

/** A line with one more point; gives where it is. A point at that very time moves instead. */
export function insertPoint(line, time, value) {
  const times = [...line.times];
  const values = [...line.values];
  let at = times.findIndex((other) => other > time - GAP_S);
  if (at < 0) at = times.length;
  if (at < times.length && Math.abs(times[at] - time) < GAP_S) values[at] = value;
  else {
    times.splice(at, 0, time);
    values.splice(at, 0, value);
  }
  return { line: { times, values }, at };
}

/** A line without some of its points. */
export function removePoints(line, chosen) {
  const keep = (_, at) => !chosen.has(at);
  return { times: line.times.filter(keep), values: line.values.filter(keep) };
}

/** A line whose chosen points are moved, as far as their neighbors and the limits let them. */
export function movePoints(line, chosen, byTime, byValue, { low, high, end }) {
  let least = -Infinity;
  let most = Infinity;
  for (const at of chosen) {
    const { times } = line;
    if (!chosen.has(at - 1)) least = Math.max(least, (at ? times[at - 1] + GAP_S : 0) - times[at]);
    if (!chosen.has(at + 1)) {
      const next = at + 1 < times.length ? times[at + 1] - GAP_S : Math.max(end, times[at]);
      most = Math.min(most, next - times[at]);
    }
  }
  const shift = clamp(byTime, Math.min(least, 0), Math.max(most, 0));
  return {
    times: line.times.map((time, at) => (chosen.has(at) ? time + shift : time)),
    values: line.values.map((value, at) =>
      chosen.has(at) ? clamp(value + byValue, low, high) : value,
    ),
  };
}

/**
 * A line in which a stretch is drawn anew; before and after it stays as it was.
 *
 * @param {{times: number[], values: number[]}} line What was there.
 * @param {{times: number[], values: number[]}} stroke What was drawn, in rising times.
 * @param {number} rest The value where there was no ride.
 */
export function drawOver(line, stroke, rest) {
  const [start, end] = [stroke.times[0], stroke.times.at(-1)];
  const times = [];
  const values = [];
  const put = (time, value) => {
    if (times.length && time < times.at(-1) + GAP_S) return;
    times.push(time);
    values.push(value);
  };
  line.times.forEach((time, at) => time < start - EDGE_S && put(time, line.values[at]));
  const before = valueAt(line, start - EDGE_S, rest);
  if (start > EDGE_S && isApart(before, stroke.values[0])) put(start - EDGE_S, before);
  stroke.times.forEach((time, at) => put(time, stroke.values[at]));
  const after = valueAt(line, end + EDGE_S, rest);
  if (isApart(after, stroke.values.at(-1))) put(end + EDGE_S, after);
  line.times.forEach((time, at) => time > end + EDGE_S && put(time, line.values[at]));
  return { times, values };
}

function isApart(one, other) {
  return Math.abs(one - other) > 0.01;
}

/** Fewer points, none further than a tolerance from the line (Ramer, Douglas and Peucker). */
export function thin(line, perTime, perValue, tolerance) {
  const { times, values } = line;
  const keep = new Set([0, times.length - 1]);
  const parts = [[0, times.length - 1]];
  while (parts.length) {
    const [from, to] = parts.pop();
    const [dx, dy] = [(times[to] - times[from]) * perTime, (values[to] - values[from]) * perValue];
    const length = Math.hypot(dx, dy) || 1;
    let [worst, apart] = [-1, tolerance];
    for (let at = from + 1; at < to; at += 1) {
      const x = (times[at] - times[from]) * perTime;
      const y = (values[at] - values[from]) * perValue;
      const distance = Math.abs(x * dy - y * dx) / length;
      if (distance > apart) [worst, apart] = [at, distance];
    }
    if (worst < 0) continue;
    keep.add(worst);
    parts.push([from, worst], [worst, to]);
  }
  const chosen = [...keep].sort((one, other) => one - other);
  return { times: chosen.map((at) => times[at]), values: chosen.map((at) => values[at]) };
}

/** A line as the plan holds it: rising, within its limits; what is new is rounded, what was stays. */
export function legalize(line, { low, high }, before = { times: [], values: [] }) {
  const kept = new Map(before.times.map((time, at) => [time, before.values[at]]));
  const times = [];
  const values = [];
  line.times.forEach((time, at) => {
    const value = line.values[at];
    const legal = kept.has(time) ? time : round(Math.max(0, time), 4);
    if (times.length && legal <= times.at(-1)) return;
    times.push(legal);
    values.push(kept.get(time) === value ? value : clamp(round(value, 3), low, high));
  });
  return { times, values };
}
