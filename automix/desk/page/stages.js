/* What buses and the master do to sound: filters, compressor and delay, as automix.dsp has them. */

import { Fade, MOST_FRAMES } from "./gains.js";

const SILENCE = 1e-60; // far below any sample and far above the denormal numbers, which are slow
const CHANGE_S = 0.015;

/** Second-order sections in series, both sides alike. */
class Sections {
  constructor(stage, before) {
    this.rows = stage.rows;
    this.state = new Float64Array(4 * this.rows.length); // s1, s2 left, s1, s2 right
    if (before?.rows.length === this.rows.length) this.state.set(before.state);
  }

  process(left, right, count) {
    for (let row = 0; row < this.rows.length; row += 1) {
      this.filter(left, count, this.rows[row], 4 * row);
      if (right) this.filter(right, count, this.rows[row], 4 * row + 2);
    }
  }

  filter(samples, count, row, at) {
    const [b0, b1, b2, a1, a2] = row;
    let s1 = this.state[at];
    let s2 = this.state[at + 1];
    for (let n = 0; n < count; n += 1) {
      const x = samples[n];
      const y = b0 * x + s1;
      s1 = b1 * x - a1 * y + s2;
      s2 = b2 * x - a2 * y;
      samples[n] = y;
    }
    this.state[at] = Math.abs(s1) < SILENCE ? 0 : s1;
    this.state[at + 1] = Math.abs(s2) < SILENCE ? 0 : s2;
  }
}

/** The compressor with a hard knee; both sides get the gain keyed on their mean. */
class Compressor {
  constructor(stage, before) {
    this.stage = stage;
    this.smoothed = before ? before.smoothed : 0; // reduction in nepers
  }

  process(left, right, count) {
    const { threshold, slope, attack, release, makeup } = this.stage;
    const logThreshold = Math.log(threshold);
    let { smoothed } = this;
    for (let n = 0; n < count; n += 1) {
      const level = Math.abs(right ? 0.5 * (left[n] + right[n]) : left[n]);
      const target = level > threshold ? slope * (Math.log(level) - logThreshold) : 0;
      smoothed = target + (target > smoothed ? attack : release) * (smoothed - target);
      let gain = makeup;
      if (smoothed < 1e-9 && target === 0) smoothed = 0;
      else gain *= Math.exp(-smoothed);
      left[n] *= gain;
      if (right) right[n] *= gain;
    }
    this.smoothed = smoothed;
  }
}

const KINDS = { sections: Sections, compressor: Compressor };

/** Stages in signal order that can be changed while they are heard. */
export class Chain {
  constructor(rate) {
    this.rate = rate;
    this.told = "[]";
    this.stages = [];
    this.leaving = null; // stages that are being faded out
    this.waiting = null;
    this.fade = new Fade(rate, CHANGE_S, 1);
    this.copyLeft = new Float64Array(MOST_FRAMES);
    this.copyRight = new Float64Array(MOST_FRAMES);
  }

  /** Changes the stages; what stays of a kind keeps its state, and the rest is crossfaded. */
  set(stages, isAtOnce = false) {
    const told = JSON.stringify(stages);
    if (told === this.told) return;
    if (this.leaving && !isAtOnce) {
      this.waiting = stages;
      return;
    }
    this.waiting = null;
    this.told = told;
    const before = [...this.stages];
    const made = stages.map((stage) => {
      const Kind = KINDS[stage.kind];
      const index = before.findIndex((old) => old instanceof Kind);
      return new Kind(stage, index < 0 ? undefined : before.splice(index, 1)[0]);
    });
    this.leaving = isAtOnce ? null : this.stages;
    this.stages = made;
    this.fade.share = isAtOnce ? 1 : 0;
    this.fade.target = 1;
  }

  /** Forgets all sound that went through. */
  clear() {
    this.stages = JSON.parse(this.told).map((stage) => new KINDS[stage.kind](stage));
    this.leaving = null;
    this.fade.share = 1;
  }

  /** Processes samples in place; without `right`, of one side. */
  process(left, right, count) {
    const { leaving, copyLeft, copyRight } = this;
    if (leaving) {
      copyLeft.set(left.subarray(0, count));
      if (right) copyRight.set(right.subarray(0, count));
      for (const stage of leaving) stage.process(copyLeft, right ? copyRight : null, count);
    }
    for (const stage of this.stages) stage.process(left, right, count);
    if (!leaving) return;
    this.fade.next(count);
    const { shares } = this.fade;
    for (let n = 0; n < count; n += 1) {
      left[n] = copyLeft[n] + shares[n] * (left[n] - copyLeft[n]);
      if (right) right[n] = copyRight[n] + shares[n] * (right[n] - copyRight[n]);
    }
    if (this.fade.share === 1) {
      this.leaving = null;
      if (this.waiting) this.set(this.waiting);
    }
  }
}

/** Delays by whole frames; a change of the delay is crossfaded. */
export class DelayLine {
  constructor(rate, longest) {
    let size = MOST_FRAMES;
    while (size < longest + 2 * MOST_FRAMES) size *= 2;
    this.mask = size - 1;
    this.left = new Float64Array(size);
    this.right = new Float64Array(size);
    this.at = 0;
    this.delay = 0;
    this.former = 0;
    this.waiting = null;
    this.longest = size - MOST_FRAMES;
    this.fade = new Fade(rate, CHANGE_S, 1);
  }

  set(frames, isAtOnce = false) {
    const delay = Math.min(frames, this.longest);
    if (isAtOnce) {
      this.delay = delay;
      this.fade.share = 1;
      this.waiting = null;
    } else if (this.fade.share < 1) this.waiting = delay;
    else if (delay !== this.delay) {
      this.former = this.delay;
      this.delay = delay;
      this.fade.share = 0;
      this.fade.target = 1;
    }
  }

  clear() {
    this.left.fill(0);
    this.right.fill(0);
  }

  process(left, right, count) {
    if (!this.delay && this.fade.share === 1) {
      this.keep(left, right, count);
      return;
    }
    const start = this.at;
    this.keep(left, right, count);
    const { mask, delay, former } = this;
    const isMoving = this.fade.share < 1;
    if (isMoving) this.fade.next(count);
    const { shares } = this.fade;
    for (let n = 0; n < count; n += 1) {
      const from = (start + n - delay) & mask;
      const old = (start + n - former) & mask;
      left[n] = this.left[from];
      if (isMoving) left[n] = this.left[old] + shares[n] * (left[n] - this.left[old]);
      if (!right) continue;
      right[n] = this.right[from];
      if (isMoving) right[n] = this.right[old] + shares[n] * (right[n] - this.right[old]);
    }
    if (isMoving && this.fade.share === 1 && this.waiting !== null) {
      const next = this.waiting;
      this.waiting = null;
      this.set(next);
    }
  }

  keep(left, right, count) {
    const { mask } = this;
    for (let n = 0; n < count; n += 1) {
      this.left[(this.at + n) & mask] = left[n];
      if (right) this.right[(this.at + n) & mask] = right[n];
    }
    this.at = (this.at + count) & mask;
  }
}
