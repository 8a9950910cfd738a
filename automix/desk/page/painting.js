/* How the waveform, its ruler, its ride and the reductions are painted.
 *
 * `view` is what is looked at: seconds `from` and `to` of the `length`, `x(time)` and `time(x)`. */

import { clamp, clock, figure, rule, trace } from "./drawing.js";
import { valueAt } from "./ridelines.js";

/** The ruler: times as close as they can be read. */
export function drawRuler({ context, width, height, ink }, view) {
  const span = view.to - view.from;
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
  const step = steps.find((each) => (each / span) * width > 62) ?? 1200;
  const decimals = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  context.strokeStyle = ink("edge");
  context.fillStyle = ink("quiet");
  const parts = step >= 15 ? 3 : 5;
  for (let at = Math.floor(view.from / step) * parts; ; at += 1) {
    const time = (at * step) / parts;
    if (time > view.to) break;
    const x = view.x(time);
    if (x < -60) continue;
    const isMain = at % parts === 0;
    rule(context, x, height, x, height - (isMain ? 8 : 4));
    if (isMain) context.fillText(clock(time, decimals), x + 3, height - 9);
  }
  rule(context, 0, height - 1, width, height - 1);
}

/** The outline of the sound; with the line of a level, as loud as that makes it. */
export function drawOutline({ context, width, height, ink }, view, { lows, highs }, level, color) {
  const middle = height / 2;
  const reach = middle - 6;
  const paint = (gains) => {
    context.beginPath();
    for (let x = 0; x < width; x += 1) {
      context.lineTo(x, middle - reach * Math.min(1, highs[x] * gains(x)) - 0.5);
    }
    for (let x = width - 1; x >= 0; x -= 1) {
      context.lineTo(x, middle - reach * Math.max(-1, lows[x] * gains(x)) + 0.5);
    }
    context.closePath();
    context.fill();
  };
  context.fillStyle = ink(color) || ink("accent");
  const solid = view.to - view.from < 2 ? 0.8 : 0.45; // a close view is a thin line
  context.globalAlpha = level ? 0.16 : solid;
  paint(() => 1);
  if (level) {
    context.globalAlpha = solid;
    paint((x) => 10 ** (valueAt(level, view.time(x)) / 20));
  }
  context.globalAlpha = 1;
}

/**
 * The ride: its scale, its line and its points.
 *
 * @param {object} ride Its `line`, `rest` where it has no point, `scale` from `low` to `high`, `y`
 *   of a value, `word` for a value, the `chosen` points and the `active` one, and whether that one
 *   `isFocused` or `isHeld`; `isAdded` to the setting, whose `unit` it has.
 */
export function drawRide({ context, width, height, ink }, view, ride) {
  const { line, rest, scale, isAdded, active } = ride;
  const { times, values } = line;
  const paper = ink("card") || ink("paper");
  const marks = isAdded ? gridOf(scale, height) : [0, 0.25, 0.5, 0.75, 1];
  for (const mark of marks) {
    const y = ride.y(mark);
    context.strokeStyle = ink("edge");
    context.setLineDash(mark === (isAdded ? 0 : rest) ? [] : [1, 4]);
    rule(context, 0, y, width, y);
    context.setLineDash([]);
    const text = isAdded ? `${mark > 0 ? "+" : ""}${figure(mark, 0)}` : ride.word(mark);
    context.fillStyle = paper;
    context.globalAlpha = 0.75;
    context.fillRect(0, y - 7, context.measureText(text).width + 6, 14);
    context.globalAlpha = 1;
    context.fillStyle = ink("quiet");
    context.fillText(text, 3, y + 4);
  }
  if (isAdded) {
    context.fillStyle = ink("quiet");
    context.textAlign = "right";
    context.fillText(ride.unit, width - 4, 12);
    context.textAlign = "left";
  }
  const color = ink("ride") || ink("focus");
  context.strokeStyle = color;
  context.lineWidth = 2;
  context.lineJoin = "round";
  if (!times.length) context.setLineDash([6, 5]);
  const points = [0, ride.y(valueAt(line, view.from, rest))];
  for (let at = 0; at < times.length; at += 1) {
    if (times[at] > view.from && times[at] < view.to) {
      points.push(view.x(times[at]), ride.y(values[at]));
    }
  }
  points.push(width, ride.y(valueAt(line, view.to, rest)));
  trace(context, points);
  context.save(); // a rim, as the sound may have the color of the line
  context.strokeStyle = paper;
  context.lineWidth = 5;
  context.globalAlpha = 0.7;
  context.setLineDash([]);
  context.stroke();
  context.restore();
  context.stroke();
  context.setLineDash([]);
  const seen = times.filter((time) => time >= view.from && time <= view.to).length;
  const isDense = seen > width / 7; // then the points would hide the line
  for (let at = 0; at < times.length; at += 1) {
    const x = view.x(times[at]);
    if (x < -6 || x > width + 6) continue;
    const y = ride.y(values[at]);
    const isChosen = ride.chosen.has(at);
    if (isDense && at !== active) {
      context.fillStyle = color;
      if (isChosen) context.fillRect(x - 2, y - 2, 4, 4);
      continue;
    }
    context.beginPath();
    context.arc(x, y, isChosen ? 5.5 : 4, 0, 2 * Math.PI);
    context.fillStyle = isChosen ? color : paper;
    context.fill();
    context.lineWidth = 2;
    context.stroke();
    if (at === active && ride.isHeld) {
      drawLabel({ context, width, ink }, x, y, `${clock(times[at], 2)}  ${ride.word(values[at])}`);
    }
    if (at === active && ride.isFocused) {
      context.beginPath();
      context.arc(x, y, 9.5, 0, 2 * Math.PI);
      context.strokeStyle = ink("focus");
      context.stroke();
      context.strokeStyle = color;
    }
  }
  context.lineWidth = 1;
}

/** Tells beside a point that is dragged where it is. */
function drawLabel({ context, width, ink }, x, y, text) {
  const long = context.measureText(text).width + 12;
  const left = clamp(x - long / 2, 2, width - long - 2);
  const top = y > 34 ? y - 32 : y + 14;
  context.save();
  context.fillStyle = ink("ink");
  context.beginPath();
  context.roundRect(left, top, long, 19, 4);
  context.fill();
  context.fillStyle = ink("card") || ink("paper");
  context.fillText(text, left + 6, top + 13);
  context.restore();
}

/** How far processors turn the track down, hanging from the top. */
export function drawReductions({ context, width, height, ink }, view, reductions) {
  let deepest = 6;
  for (const { db } of reductions) for (const value of db) deepest = Math.max(deepest, -value);
  deepest = Math.min(24, 3 * Math.ceil(deepest / 3));
  const colors = [ink("reduction") || ink("accent"), ink("quiet"), ink("focus")];
  let label = 4;
  reductions.forEach(({ title, per_second: rate, db }, number) => {
    context.fillStyle = colors[number % colors.length];
    context.beginPath();
    context.moveTo(0, 0);
    for (let x = 0; x <= width; x += 1) {
      const first = Math.floor(view.time(x) * rate);
      const last = Math.max(first + 1, Math.floor(view.time(x + 1) * rate));
      let least = 0;
      for (let at = Math.max(0, first); at < Math.min(last, db.length); at += 1) {
        least = Math.min(least, db[at]);
      }
      context.lineTo(x, (Math.min(-least, deepest) / deepest) * (height - 2));
    }
    context.lineTo(width, 0);
    context.closePath();
    context.globalAlpha = 0.5;
    context.fill();
    context.globalAlpha = 1;
    const text = `${title} reduction`;
    context.fillStyle = ink("quiet");
    context.fillText(text, label, height - 5);
    label += context.measureText(text).width + 14;
  });
  context.fillStyle = ink("quiet");
  context.textAlign = "right";
  context.fillText(`−${deepest} dB`, width - 4, height - 5);
  context.textAlign = "left";
  context.strokeStyle = ink("edge");
  rule(context, 0, 0, width, 0);
}

/** Which part of the song is in view. */
export function drawScrollBar({ context, width, height, ink }, view) {
  const isAll = view.to - view.from >= view.length - 0.001;
  context.fillStyle = ink("edge");
  context.globalAlpha = 0.5;
  context.beginPath();
  context.roundRect(0, height / 2 - 2, width, 4, 2);
  context.fill();
  if (isAll) return;
  context.globalAlpha = 1;
  context.fillStyle = ink("quiet");
  const left = (view.from / view.length) * width;
  const right = (view.to / view.length) * width;
  context.beginPath();
  context.roundRect(left, height / 2 - 4, Math.max(10, right - left), 8, 4);
  context.fill();
}

function gridOf({ low, high }, height) {
  const steps = [1, 3, 6, 12, 24];
  const step = steps.find((each) => (each / (high - low)) * height > 22) ?? 24;
  const marks = [];
  for (let mark = step * Math.ceil(low / step); mark <= high; mark += step) marks.push(mark);
  return marks;
}
