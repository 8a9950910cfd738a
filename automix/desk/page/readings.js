/* The readings of the mix: loudness, true peak, correlation; as text and as small meters. */

import { clamp, figure, make } from "./drawing.js";

const LOW_LUFS = -36;
const EDGE_DBTP = -1; // above this a lossy encoder may clip

/**
 * Shows the readings.
 *
 * @param {HTMLElement} element Where they go.
 * @param {import("./model.js").Model} model For the last full render.
 * @param {import("./engine.js").Engine} engine Whose `readings` are shown.
 */
export function showReadings(element, model, engine) {
  element.classList.add("readings");
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", "Readings of the mix");
  const loudness = (value) => (Number.isFinite(value) && value > -70 ? figure(value) : "−∞");
  const rows = {
    momentary: makeReading("M", "Momentary loudness, of 0.4 s", "LUFS", true),
    shortTerm: makeReading("S", "Short-term loudness, of 3 s", "LUFS", true),
    integrated: makeReading("I", "Integrated loudness since the start", "LUFS", false),
    range: makeReading("LRA", "Loudness range", "LU", false),
    truePeak: makeReading("TP", "Highest true peak; click for a new start", "dBTP", true, "button"),
  };
  const needle = make("span", { class: "reading-needle" });
  const together = make("span", { class: "reading-value", "aria-live": "off" }, "–");
  const correlation = make(
    "div",
    {
      class: "reading reading-correlation",
      title: "Correlation of left and right: below 0 they cancel in mono",
    },
    make("span", { class: "reading-name", "aria-hidden": "true" }, "φ"),
    make("span", { class: "unseen" }, "Correlation of left and right"),
    make("span", { class: "reading-scale", "aria-hidden": "true" }, needle),
    together,
  );
  const last = make("p", { class: "reading-last hint", hidden: true });
  element.replaceChildren(...Object.values(rows).map((row) => row.element), correlation, last);

  let held = -Infinity;
  const reset = () => {
    held = -Infinity;
    rows.truePeak.set("−∞", 0);
    rows.truePeak.element.classList.remove("over");
  };
  rows.truePeak.element.addEventListener("click", reset);

  const share = (value) =>
    Number.isFinite(value) ? clamp((value - LOW_LUFS) / -LOW_LUFS, 0, 1) : 0;
  const update = () => {
    const now = engine.readings?.master;
    if (!now) return;
    rows.momentary.set(loudness(now.momentary), share(now.momentary));
    rows.shortTerm.set(loudness(now.shortTerm), share(now.shortTerm));
    rows.integrated.set(loudness(now.integrated), 0);
    const hasRange = Number.isFinite(now.range);
    rows.range.element.hidden = !hasRange;
    if (hasRange) rows.range.set(figure(now.range), 0);
    held = Math.max(held, now.truePeak ?? -Infinity);
    const peak = now.truePeak ?? -Infinity;
    rows.truePeak.set(held > -70 ? figure(held) : "−∞", share(peak), share(held));
    rows.truePeak.element.classList.toggle("over", held > EDGE_DBTP);
    const isHeard = Number.isFinite(now.correlation) && now.momentary > -70;
    together.textContent = isHeard ? figure(now.correlation, 2) : "–";
    needle.style.transform = `translateX(${(isHeard ? clamp(now.correlation, -1, 1) : 0) * 50}%)`;
    correlation.classList.toggle("over", isHeard && now.correlation < 0);
  };
  engine.addEventListener("readings", update);
  let wasPlaying = false;
  engine.addEventListener("state", () => {
    if (engine.playing && !wasPlaying) reset();
    wasPlaying = engine.playing;
  });
  model.addEventListener("master", ({ detail }) => {
    if (detail.state !== "ready" || !detail.loudness) return;
    const { lufs, range_lu: range, true_peak_dbtp: peak } = detail.loudness;
    last.hidden = false;
    const levels = [
      Number.isFinite(lufs) ? `${figure(lufs)} LUFS` : null, // none of a mix that is silent or too short
      Number.isFinite(peak) ? `${figure(peak)} dBTP` : null,
      Number.isFinite(range) ? `range ${figure(range)} LU` : null,
    ].filter(Boolean);
    last.textContent = `finished mix ${levels.join(", ") || "is silent"}`;
    last.title = "The mix with its limiter, as it was last rendered whole";
  });
  model.addEventListener("change", () => last.classList.add("stale"));
  model.addEventListener("master", () => last.classList.remove("stale"));
  update();
}

function makeReading(name, about, unit, hasBar, kind = "div") {
  const value = make("span", { class: "reading-value", "aria-live": "off" }, "−∞");
  const element = make(
    kind,
    { class: "reading", title: about, ...(kind === "button" ? { type: "button" } : {}) },
    make("span", { class: "reading-name", "aria-hidden": "true" }, name),
    make("span", { class: "unseen" }, about),
    hasBar ? make("span", { class: "reading-bar", "aria-hidden": "true" }) : null,
    value,
    make("span", { class: "reading-unit" }, unit),
  );
  let shown = "";
  const set = (text, share, hold = 0) => {
    if (text !== shown) value.textContent = shown = text;
    if (!hasBar) return;
    element.style.setProperty("--share", share);
    element.style.setProperty("--hold", hold);
  };
  return { element, set };
}
