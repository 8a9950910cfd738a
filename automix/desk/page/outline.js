/* The outline of a part's sound: lowest and highest sample of each column of pixels. */

import { clamp } from "./drawing.js";
import { feedersOf } from "./hearing.js";

const DETAIL_S = 12; // the overview is too coarse for a shorter view
const MOST_CHUNKS = 24;
const SUM_COLUMNS = 2000;

/** Outlines of tracks, from overviews or samples; of buses and the master, estimated from both. */
export class Outline {
  #model;
  #hearing;
  #changed;
  #chunks = new Map(); // samples for close views, by key and number
  #isLoading = false;
  #envelope = null; // of a bus or the master

  /** `changed` is called when there is more to draw. */
  constructor(model, hearing, changed) {
    this.#model = model;
    this.#hearing = hearing;
    this.#changed = changed;
  }

  /** Low and high of each column of pixels, of the samples where the view is close. */
  columns(view) {
    const { owner, from, to } = view;
    if (this.#model.kind(owner) !== "strip") return this.#sumColumns(view);
    const close = to - from <= DETAIL_S ? this.#closeColumns(view) : null;
    if (close) return close;
    const heard = this.#hearing.of(owner);
    return heard ? this.#overviewColumns(heard, view) : null;
  }

  /** Forgets what the tracks add up to, as their levels are others. */
  forget() {
    this.#envelope = null;
  }

  #seconds(heard) {
    return this.#hearing.framesOf(heard) / this.#model.state.rate;
  }

  #overviewColumns(heard, view) {
    const { width } = view;
    const { low, high } = heard.overview;
    const perSecond = low.length / this.#seconds(heard);
    const lows = new Float32Array(width);
    const highs = new Float32Array(width);
    let peak = 1;
    for (let at = 0; at < low.length; at += 1) peak = Math.max(peak, high[at], -low[at]);
    for (let x = 0; x < width; x += 1) {
      const first = Math.floor(timeAt(view, x) * perSecond);
      const last = Math.max(first + 1, Math.ceil(timeAt(view, x + 1) * perSecond));
      let [least, most] = [0, 0];
      for (let at = Math.max(0, first); at < Math.min(last, low.length); at += 1) {
        least = Math.min(least, low[at]);
        most = Math.max(most, high[at]);
      }
      lows[x] = least / peak;
      highs[x] = most / peak;
    }
    return { lows, highs };
  }

  /** Of a bus or the master: the powers of what feeds it, added up; an estimate to find one's way. */
  #sumColumns(view) {
    const { width, length } = view;
    this.#envelope ??= this.#sumEnvelopes(view);
    const sum = this.#envelope;
    if (!sum) return null;
    const lows = new Float32Array(width);
    const highs = new Float32Array(width);
    const perSecond = sum.length / length;
    for (let x = 0; x < width; x += 1) {
      const first = Math.floor(timeAt(view, x) * perSecond);
      const last = Math.max(first + 1, Math.ceil(timeAt(view, x + 1) * perSecond));
      for (let at = Math.max(0, first); at < Math.min(last, sum.length); at += 1) {
        highs[x] = Math.max(highs[x], sum[at]);
      }
      lows[x] = -highs[x];
    }
    return { lows, highs };
  }

  #sumEnvelopes({ owner, length }) {
    const count = SUM_COLUMNS;
    const sum = new Float64Array(count);
    let peak = 0;
    for (const { name, gain_db } of feedersOf(this.#model, owner)) {
      const heard = this.#hearing.of(name);
      if (!heard) continue;
      const gain = 10 ** (gain_db / 20);
      const { low, high } = heard.overview;
      const step = (length / count) * (low.length / this.#seconds(heard));
      for (let at = 0; at < count; at += 1) {
        const column = Math.floor(at * step);
        if (column >= low.length) break;
        sum[at] += (gain * Math.max(high[column], -low[column])) ** 2;
      }
    }
    for (let at = 0; at < count; at += 1) {
      sum[at] = Math.sqrt(sum[at]);
      peak = Math.max(peak, sum[at]);
    }
    return peak > 0 ? sum.map((value) => value / peak) : null;
  }

  #closeColumns(view) {
    const { owner, from, to, width } = view;
    const { rate, chunk_frames: size } = this.#model.state;
    const key = this.#model.sound.tracks[owner]?.key;
    const heard = this.#hearing.of(owner);
    if (!key || !heard) return null;
    const first = Math.floor((from * rate) / size);
    const last = Math.floor((to * rate) / size);
    if (last - first >= MOST_CHUNKS) return null; // of a high rate: they are not kept together
    const chunks = [];
    for (let number = first; number <= last; number += 1) {
      const chunk = this.#chunks.get(`${key} ${number}`);
      if (chunk) chunks.push(chunk);
      else this.#load(key, number);
    }
    if (chunks.length <= last - first) return null; // until all are there
    const sampleAt = (frame) => {
      const number = Math.floor(frame / size);
      return chunks[number - first]?.[frame - number * size] ?? 0;
    };
    const { low, high } = heard.overview;
    let peak = 1;
    for (let at = 0; at < low.length; at += 1) peak = Math.max(peak, high[at], -low[at]);
    peak /= 127;
    const lows = new Float32Array(width);
    const highs = new Float32Array(width);
    for (let x = 0; x < width; x += 1) {
      const start = Math.max(0, Math.floor(timeAt(view, x) * rate));
      const end = Math.max(start + 1, Math.floor(timeAt(view, x + 1) * rate));
      let [least, most] = [Infinity, -Infinity];
      for (let frame = start; frame <= end; frame += 1) {
        const sample = sampleAt(frame);
        if (sample < least) least = sample;
        if (sample > most) most = sample;
      }
      lows[x] = clamp(least / peak, -1, 1);
      highs[x] = clamp(most / peak, -1, 1);
    }
    return { lows, highs };
  }

  async #load(key, number) {
    if (this.#isLoading) return;
    this.#isLoading = true;
    try {
      const answer = await fetch(`sound/${number}?keys=${key}`);
      if (!answer.ok) throw new Error(`sound ${answer.status}`);
      const samples = new Float32Array(await answer.arrayBuffer());
      const size = this.#model.state.chunk_frames;
      const channels = Math.max(1, samples.length / size);
      const mean = new Float32Array(size);
      for (let channel = 0; channel < channels; channel += 1) {
        for (let frame = 0; frame < size; frame += 1) {
          mean[frame] += samples[channel * size + frame] / channels;
        }
      }
      this.#chunks.set(`${key} ${number}`, mean);
      if (this.#chunks.size > MOST_CHUNKS) this.#chunks.delete(this.#chunks.keys().next().value);
      this.#isLoading = false;
      this.#changed();
    } catch {
      // The overview stays; the next move of the view asks again.
      setTimeout(() => {
        this.#isLoading = false;
      }, 1000);
    }
  }
}

function timeAt({ from, to, width }, x) {
  return from + (x / width) * (to - from);
}
