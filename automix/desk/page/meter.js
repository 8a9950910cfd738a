/* A level meter: peak and RMS with hold, a mark that clips stay, and what is taken away. */

import { clamp, make } from "./drawing.js";

const LOW_DB = -60;
const HIGH_DB = 6;
const HOLD_MS = 1500;
const FALL_DB_S = 24;
const MOST_REDUCTION_DB = 18;

function placeOf(gain) {
  const db = gain > 0 ? 20 * Math.log10(gain) : LOW_DB;
  return clamp((db - LOW_DB) / (HIGH_DB - LOW_DB), 0, 1);
}

/** The zones of the scale, from where each begins. */
const ZONES = [
  [0, "level"],
  [(-12 - LOW_DB) / (HIGH_DB - LOW_DB), "level-high"],
  [(0 - LOW_DB) / (HIGH_DB - LOW_DB), "level-over"],
];
const NAMES = ["track", "ink", "reduction", "level", "level-high", "level-over"];
const SIDE_PX = 7;
const TAKEN_PX = 4;
const PEAK_ALPHA = 0.5;

let colors = null;
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (colors = null));

function readColors(element) {
  const style = getComputedStyle(element);
  return Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

/** One canvas: nothing is laid out to draw it, and only what it covers is painted anew. */
export class Meter {
  #canvas = make("canvas", { "aria-hidden": "true" });
  #sides = [0, 1].map(() => ({ rms: 0, peak: 0, held: 0, since: 0, at: 0 }));
  #taken = 0;
  #clip;
  #shown = ""; // what is drawn, which is not drawn again

  constructor() {
    this.#clip = make("button", {
      type: "button",
      class: "meter-clip",
      tabindex: -1,
      hidden: true,
      "aria-label": "Went above 0 dBFS; press to clear",
      title: "Went above 0 dBFS; press to clear",
      onclick: () => (this.#clip.hidden = true),
    });
    this.element = make("div", { class: "meter" }, this.#clip, this.#canvas);
    new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect)).observe(this.#canvas);
  }

  #resize({ width, height }) {
    const ratio = devicePixelRatio || 1;
    Object.assign(this.#canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    this.#shown = "";
    this.#paint();
  }

  /**
   * Shows a level {peak: [l, r], rms: [l, r]}, as linear gains, and a reduction in dB.
   *
   * @returns {boolean} Whether it still falls.
   */
  draw(level, reductionDb, isPlaying) {
    const now = performance.now();
    const isHeard = Boolean(isPlaying && level);
    this.#sides.forEach((side, index) => {
      const peak = isHeard ? placeOf(level.peak[index]) : 0;
      const fallen = side.peak - ((now - side.at) / 1000) * (FALL_DB_S / (HIGH_DB - LOW_DB));
      side.peak = Math.max(peak, fallen, 0);
      side.rms = Math.min(isHeard ? placeOf(level.rms[index]) : 0, side.peak);
      side.at = now;
      if (peak >= side.held || now - side.since > HOLD_MS) {
        side.held = peak;
        side.since = now;
      }
      if (isHeard && level.peak[index] > 1 && this.#clip.hidden) this.#clip.hidden = false;
    });
    this.#taken = isPlaying ? clamp(reductionDb / MOST_REDUCTION_DB, 0, 1) : 0;
    this.#paint();
    return this.#sides.some(({ peak, held }) => peak > 0 || held > 0);
  }

  #paint() {
    const { width: across, height: down } = this.#canvas;
    if (!across || !down) return;
    const px = (share) => Math.round(share * down);
    const levels = this.#sides.flatMap(({ rms, peak, held }) => [px(rms), px(peak), px(held)]);
    colors ??= readColors(this.#canvas);
    const shown = [...levels, px(this.#taken), colors.track].join();
    if (shown === this.#shown) return;
    this.#shown = shown;
    const context = this.#canvas.getContext("2d");
    const ratio = devicePixelRatio || 1;
    const bar = (x, from, to, width, color) => {
      context.fillStyle = colors[color];
      context.fillRect(Math.round(x * ratio), down - to, Math.round(width * ratio), to - from);
    };
    context.clearRect(0, 0, across, down);
    [0, 1].forEach((index) => {
      const x = index * (SIDE_PX + 1);
      const [rms, peak, held] = levels.slice(3 * index, 3 * index + 3);
      bar(x, 0, down, SIDE_PX, "track");
      for (const [top, alpha] of [[peak, PEAK_ALPHA], [rms, 1]]) {
        context.globalAlpha = alpha;
        ZONES.forEach(([start, color], at) => {
          const from = px(start);
          const to = Math.min(top, px(ZONES[at + 1]?.[0] ?? 1));
          if (to > from) bar(x, from, to, SIDE_PX, color);
        });
      }
      context.globalAlpha = 1;
      if (held > 0) bar(x, Math.max(held - Math.round(2 * ratio), 0), held, SIDE_PX, "ink");
    });
    const x = 2 * (SIDE_PX + 1);
    bar(x, 0, down, TAKEN_PX, "track");
    bar(x, down - px(this.#taken), down, TAKEN_PX, "reduction");
  }
}
