/* Meters: loudness by ITU-R BS.1770-4, true peak and correlation, as automix.analysis has them. */

const OFFSET_LUFS = -0.691; // makes a 1 kHz sine on one channel read its level
const ABSOLUTE_GATE_LUFS = -70;
const TAPS = 24; // per phase of the oversampling filter
const KAISER_BETA = 5;
const HOPS_PER_SECOND = 10;

/** The K-weighting filter at any rate: a shelf for the head, then a high pass, two rows. */
function kWeighting(rate) {
  let width = Math.tan((Math.PI * 1681.974450955533) / rate);
  const q = 0.7071752369554196;
  const high = 10 ** (3.999843853973347 / 20);
  const middle = high ** 0.4996667741545416;
  const a = 1 + width / q + width ** 2;
  const shelf = [
    (high + (middle * width) / q + width ** 2) / a,
    (2 * (width ** 2 - high)) / a,
    (high - (middle * width) / q + width ** 2) / a,
    (2 * (width ** 2 - 1)) / a,
    (1 - width / q + width ** 2) / a,
  ];
  width = Math.tan((Math.PI * 38.13547087602444) / rate);
  const lowQ = 0.5003270373238773;
  const c = 1 + width / lowQ + width ** 2;
  return [shelf, [1, -2, 1, (2 * (width ** 2 - 1)) / c, (1 - width / lowQ + width ** 2) / c]];
}

/** Measures energies: the mean square of both sides after K-weighting, per hop of 100 ms. */
export class EnergyMeter {
  constructor(rate) {
    this.rate = rate;
    this.rows = kWeighting(rate);
    this.state = new Float64Array(8);
    this.clear();
  }

  /** Starts anew. */
  clear() {
    this.state.fill(0);
    this.position = 0;
    this.hop = 0;
    this.start = 0;
    this.stop = this.edge(1);
    this.sum = 0;
    this.energies = []; // of hops that are complete and not yet taken away
  }

  edge(hop) {
    return Math.floor((hop * this.rate + HOPS_PER_SECOND / 2) / HOPS_PER_SECOND);
  }

  /** Takes the next frames. */
  add(left, right, count) {
    let at = 0;
    while (at < count) {
      const stop = Math.min(count, at + this.stop - this.position);
      this.sum += this.weigh(left, at, stop, 0) + this.weigh(right, at, stop, 4);
      this.position += stop - at;
      at = stop;
      if (this.position === this.stop) {
        this.energies.push(this.sum / (this.stop - this.start));
        this.sum = 0;
        this.hop += 1;
        this.start = this.stop;
        this.stop = this.edge(this.hop + 1);
      }
    }
  }

  weigh(samples, start, stop, at) {
    const [[b0, b1, b2, a1, a2], [d0, d1, d2, f1, f2]] = this.rows;
    const { state } = this;
    let s1 = state[at];
    let s2 = state[at + 1];
    let t1 = state[at + 2];
    let t2 = state[at + 3];
    let sum = 0;
    for (let n = start; n < stop; n += 1) {
      const x = samples[n];
      const y = b0 * x + s1;
      s1 = b1 * x - a1 * y + s2;
      s2 = b2 * x - a2 * y;
      const z = d0 * y + t1;
      t1 = d1 * y - f1 * z + t2;
      t2 = d2 * y - f2 * z;
      sum += z * z;
    }
    const isSilent = Math.abs(s1) + Math.abs(s2) + Math.abs(t1) + Math.abs(t2) < 1e-60;
    state[at] = isSilent ? 0 : s1;
    state[at + 1] = isSilent ? 0 : s2;
    state[at + 2] = isSilent ? 0 : t1;
    state[at + 3] = isSilent ? 0 : t2;
    return sum;
  }
}

/** Loudness in LUFS of an energy; −Infinity of none. */
function energyToLufs(energy) {
  return energy > 0 ? OFFSET_LUFS + 10 * Math.log10(energy) : -Infinity;
}

/** Loudness of what the energies of hops add up to, gated; for a whole and for what is played. */
export class Loudness {
  constructor() {
    this.clear();
  }

  clear() {
    this.recent = []; // energies of the last 30 hops
    this.blocks = []; // of 400 ms, overlapping by three quarters, above the absolute gate
    this.windows = []; // of 3 s, likewise
    this.hops = 0;
    this.nextRange = 0; // windows at which the range is reckoned anew
    this.lastRange = 0;
  }

  /** Takes the energy of the next hop. */
  add(energy) {
    this.recent.push(energy);
    if (this.recent.length > 30) this.recent.shift();
    this.hops += 1;
    const gate = 10 ** ((ABSOLUTE_GATE_LUFS - OFFSET_LUFS) / 10);
    const block = this.mean(4);
    if (this.hops >= 4 && block > gate) this.blocks.push(block);
    const window = this.mean(30);
    if (this.hops >= 30 && window > gate) this.windows.push(window);
  }

  mean(hops) {
    let sum = 0;
    for (let n = Math.max(0, this.recent.length - hops); n < this.recent.length; n += 1) {
      sum += this.recent[n];
    }
    return sum / hops;
  }

  /** Of the last 400 ms. */
  get momentary() {
    return energyToLufs(this.mean(4));
  }

  /** Of the last 3 s. */
  get shortTerm() {
    return energyToLufs(this.mean(30));
  }

  /** Of all that came. */
  get integrated() {
    return energyToLufs(mean(gate(this.blocks, 0.1)));
  }

  /** Loudness range in LU (EBU Tech 3342); after a minute anew with each 0.2 % more sound. */
  get range() {
    const { length } = this.windows;
    if (length < this.nextRange) return this.lastRange;
    this.nextRange = Math.max(length + 1, 1.002 * length); // after hours, sorting takes long
    this.lastRange = this.reckonRange();
    return this.lastRange;
  }

  reckonRange() {
    const passed = gate(this.windows, 0.01).sort((a, b) => a - b);
    if (!passed.length) return 0;
    const at = (share) => passed[Math.floor((passed.length - 1) * share + 0.5)];
    return energyToLufs(at(0.95)) - energyToLufs(at(0.1));
  }
}

function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return values.length ? sum / values.length : 0;
}

function gate(values, relative) {
  const least = mean(values) * relative;
  return values.filter((value) => value > least);
}

/** How many times audio is oversampled for its true peak. */
function oversampling(rate) {
  if (rate < 96000) return 4;
  return rate < 192000 ? 2 : 1;
}

function bessel(x) {
  let term = 1;
  let sum = 1;
  for (let n = 1; term > 1e-17 * sum; n += 1) {
    term *= (x / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
}

/** The highest magnitude at and between the samples. */
export class TruePeakMeter {
  constructor(rate) {
    this.phases = [];
    const factor = oversampling(rate);
    this.bound = 1;
    for (let phase = 1; phase < factor; phase += 1) {
      const taps = new Float64Array(TAPS);
      let sum = 0;
      for (let tap = 0; tap < TAPS; tap += 1) {
        const distance = tap - (TAPS / 2 - 1) - phase / factor;
        const window = bessel(KAISER_BETA * Math.sqrt(1 - (distance / (TAPS / 2)) ** 2));
        taps[tap] = (Math.sin(Math.PI * distance) / (Math.PI * distance)) * window;
        sum += taps[tap];
      }
      let magnitude = 0;
      for (let tap = 0; tap < TAPS; tap += 1) {
        taps[tap] /= sum;
        magnitude += Math.abs(taps[tap]);
      }
      this.bound = Math.max(this.bound, magnitude);
      this.phases.push(taps);
    }
    this.history = [new Float64Array(TAPS - 1 + 128), new Float64Array(TAPS - 1 + 128)];
    this.peak = 0; // since it was taken away last
  }

  /** Starts anew. */
  clear() {
    for (const history of this.history) history.fill(0);
    this.peak = 0;
  }

  /** Takes the next frames of both sides. */
  add(left, right, count) {
    this.peak = Math.max(this.scan(left, 0, count), this.scan(right, 1, count));
  }

  scan(samples, side, count) {
    const past = TAPS - 1;
    let line = this.history[side];
    if (line.length < past + count) {
      const longer = new Float64Array(past + count);
      longer.set(line.subarray(0, past));
      this.history[side] = line = longer;
    }
    let highest = 0;
    for (let n = 0; n < past; n += 1) highest = Math.max(highest, Math.abs(line[n]));
    for (let n = 0; n < count; n += 1) {
      const x = samples[n];
      line[past + n] = x;
      const magnitude = x < 0 ? -x : x;
      if (magnitude > highest) highest = magnitude;
    }
    let { peak } = this;
    if (highest * this.bound > peak) {
      for (let n = past; n < past + count; n += 1) peak = Math.max(peak, Math.abs(line[n]));
      for (const taps of this.phases) {
        for (let n = 0; n < count; n += 1) {
          let value = 0;
          for (let tap = 0; tap < TAPS; tap += 1) value += taps[tap] * line[n + tap];
          if (value < 0) value = -value;
          if (value > peak) peak = value;
        }
      }
    }
    line.copyWithin(0, count, count + past);
    return peak;
  }
}
