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

/**
 * Bars that are scaled and moved by the compositor alone: nothing is laid out to draw them.
 *
 * The zones of the scale are painted once; what is above the peak is covered.
 */
export class Meter {
  #sides;
  #reduction;
  #clip;
  #shown = new Map(); // element → what it shows, which is not set again

  constructor() {
    this.#sides = [0, 1].map(() => {
      const parts = {
        rms: make("span", { class: "meter-rms" }),
        cover: make("span", { class: "meter-cover" }),
        hold: make("span", { class: "meter-hold" }),
      };
      return { ...parts, element: make("span", { class: "meter-side" }, Object.values(parts)), held: 0, since: 0, last: 0, at: 0 };
    });
    this.#reduction = make("span", { class: "meter-reduction" });
    this.#clip = make("button", {
      type: "button",
      class: "meter-clip",
      tabindex: -1,
      hidden: true,
      "aria-label": "Went above 0 dBFS; press to clear",
      title: "Went above 0 dBFS; press to clear",
    });
    this.#clip.addEventListener("click", (event) => {
      event.stopPropagation();
      this.#clip.hidden = true;
    });
    this.element = make(
      "div",
      { class: "meter" },
      this.#clip,
      make("span", { class: "meter-sides", "aria-hidden": "true" }, this.#sides.map(({ element }) => element)),
      make("span", { class: "meter-taken", "aria-hidden": "true", title: "Gain reduction" }, this.#reduction),
    );
  }

  /**
   * Shows a level {peak: [l, r], rms: [l, r]}, as linear gains, and a reduction in dB.
   *
   * @returns {boolean} Whether it still falls.
   */
  draw(level, reductionDb, isPlaying) {
    const now = performance.now();
    const isHeard = Boolean(isPlaying && level);
    let isFalling = false;
    this.#sides.forEach((side, index) => {
      const peak = isHeard ? placeOf(level.peak[index]) : 0;
      const rms = isHeard ? placeOf(level.rms[index]) : 0;
      const fallen = side.last - ((now - side.at) / 1000) * (FALL_DB_S / (HIGH_DB - LOW_DB));
      side.last = Math.max(peak, fallen, 0);
      side.at = now;
      if (peak >= side.held || now - side.since > HOLD_MS) {
        side.held = peak;
        side.since = now;
      }
      isFalling ||= side.last > 0 || side.held > 0;
      this.#set(side.cover, `scaleY(${(1 - side.last).toFixed(3)})`);
      this.#set(side.rms, `scaleY(${Math.min(rms, side.last).toFixed(3)})`);
      this.#set(side.hold, `translateY(${(-100 * side.held).toFixed(1)}%)`);
      if (isHeard && level.peak[index] > 1 && this.#clip.hidden) this.#clip.hidden = false;
    });
    const taken = isPlaying ? clamp(reductionDb / MOST_REDUCTION_DB, 0, 1) : 0;
    this.#set(this.#reduction, `scaleY(${taken.toFixed(3)})`);
    return isFalling;
  }

  #set(element, transform) {
    if (this.#shown.get(element) === transform) return;
    this.#shown.set(element, transform);
    element.style.transform = transform;
  }
}
