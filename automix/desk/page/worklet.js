/*
 * The desk's sound, in the audio thread: "strips" plays the tracks and feeds the buses, "master"
 * adds up what they return. Both belong to one graph and share a `Desk`. In each quantum "strips"
 * runs before "master", as its outputs lead there.
 */

import { Fade, Gain, MOST_FRAMES } from "./gains.js";
import { EnergyMeter, TruePeakMeter } from "./loudness.js";
import { RideLine } from "./rides.js";
import { Chain, DelayLine } from "./stages.js";

const CHUNK_FRAMES = 65536;
const FADE_S = 0.01; // of starting, pausing, seeking and waiting
const SEAM_S = 0.005; // of a loop
const SWAP_S = 0.015; // between two renders of a track, or two ways to a bus
const RING_S = 0.25; // so long a response that was replaced rings out
const LONGEST_DELAY_S = 0.5;
const REST_S = 3; // after so long at rest nothing is reckoned
const READINGS_PER_SECOND = 20;

const desks = new Map();
const now = globalThis.performance ? () => performance.now() : () => Date.now();

/** The sound that has come from the server: chunks of the channels of each render. */
class Store {
  constructor() {
    this.renders = new Map();
    this.dropped = []; // buffers that go back to the page, to be filled again
  }

  add({ chunk, parts }) {
    for (const { key, channels, buffer } of parts) {
      const samples = [];
      for (let channel = 0; channel < channels; channel += 1) {
        samples.push(new Float32Array(buffer, 4 * CHUNK_FRAMES * channel, CHUNK_FRAMES));
      }
      this.drop(key, chunk);
      if (!this.renders.has(key)) this.renders.set(key, new Map());
      this.renders.get(key).set(chunk, samples);
    }
  }

  drop(key, chunk) {
    const chunks = this.renders.get(key);
    const samples = chunks?.get(chunk);
    if (!samples) return;
    chunks.delete(chunk);
    if (!chunks.size) this.renders.delete(key);
    this.dropped.push(samples[0].buffer);
  }

  /** The buffers that were dropped since this was asked last. */
  takeDropped() {
    const { dropped } = this;
    this.dropped = [];
    return dropped;
  }

  /** Whether all of some frames is there. */
  holds(key, start, count) {
    const chunks = this.renders.get(key);
    if (!chunks) return false;
    const last = Math.floor((start + count - 1) / CHUNK_FRAMES);
    for (let chunk = Math.floor(start / CHUNK_FRAMES); chunk <= last; chunk += 1) {
      if (!chunks.has(chunk)) return false;
    }
    return true;
  }
}

/** A place in the song that is read: the one that plays, or one that fades out. */
class Head {
  constructor(position, weight) {
    this.position = position;
    this.weight = weight;
    this.target = weight;
    this.step = 1;
    this.delay = 0; // frames until the weight moves
    this.weights = new Float64Array(MOST_FRAMES);
    this.isEven = true;
  }

  next(count) {
    this.isEven = this.weight === this.target;
    if (this.isEven) return;
    const { weights, target } = this;
    let { weight } = this;
    const step = target > weight ? this.step : -this.step;
    for (let n = 0; n < count; n += 1) {
      if (this.delay > 0) this.delay -= 1;
      else {
        weight += step;
        if (step > 0 ? weight > target - 0.5 * step : weight < target - 0.5 * step) weight = target;
      }
      weights[n] = weight * weight * (3 - 2 * weight); // without corners, which would be heard
    }
    this.weight = weight;
  }
}

const sourceLeft = new Float64Array(MOST_FRAMES);
const sourceRight = new Float64Array(MOST_FRAMES);

/** Adds what a render has at a head to `sourceLeft` and `sourceRight`. */
function addSource(desk, chunks, head, count) {
  let at = 0;
  while (at < count) {
    const frame = head.position + at;
    const chunk = Math.floor(frame / CHUNK_FRAMES);
    const offset = frame - chunk * CHUNK_FRAMES;
    const stop = Math.min(count, at + CHUNK_FRAMES - offset);
    const samples = frame < 0 ? undefined : chunks.get(chunk);
    if (samples) {
      const left = samples[0];
      const right = samples[samples.length - 1];
      const from = offset - at;
      if (head.isEven) {
        const { weight } = head;
        for (let n = at; n < stop; n += 1) {
          sourceLeft[n] += weight * left[from + n];
          sourceRight[n] += weight * right[from + n];
        }
      } else {
        const { weights } = head;
        for (let n = at; n < stop; n += 1) {
          sourceLeft[n] += weights[n] * left[from + n];
          sourceRight[n] += weights[n] * right[from + n];
        }
      }
    }
    at = frame < 0 ? Math.min(count, at - frame) : stop;
  }
}

/** Writes what a render has at all heads into `sourceLeft` and `sourceRight`. */
function readSource(desk, key, count) {
  sourceLeft.fill(0, 0, count);
  sourceRight.fill(0, 0, count);
  const chunks = desk.store.renders.get(key);
  if (!chunks) return;
  for (const head of desk.heads) addSource(desk, chunks, head, count);
}

/** The highest samples and the powers of a signal since they were read last. */
class Meter {
  constructor() {
    this.clear();
  }

  clear() {
    this.peakLeft = 0;
    this.peakRight = 0;
    this.left = 0;
    this.right = 0;
    this.both = 0;
    this.frames = 0;
  }

  add(left, right, count) {
    let { peakLeft, peakRight } = this;
    let sumLeft = 0;
    let sumRight = 0;
    for (let n = 0; n < count; n += 1) {
      const x = left[n];
      const y = right[n];
      sumLeft += x * x;
      sumRight += y * y;
      const a = x < 0 ? -x : x;
      const b = y < 0 ? -y : y;
      if (a > peakLeft) peakLeft = a;
      if (b > peakRight) peakRight = b;
    }
    this.peakLeft = peakLeft;
    this.peakRight = peakRight;
    this.left += sumLeft;
    this.right += sumRight;
    this.frames += count;
  }

  /** Writes peaks and root mean squares, left and right of each, and starts anew. */
  take(target, at) {
    const frames = Math.max(1, this.frames);
    target[at] = this.peakLeft;
    target[at + 1] = this.peakRight;
    target[at + 2] = Math.sqrt(this.left / frames);
    target[at + 3] = Math.sqrt(this.right / frames);
    this.clear();
  }
}

/** The lines of an owner's rides; those that stay are not sent again. */
class Lines {
  constructor() {
    this.lines = new Map();
  }

  set(told) {
    const lines = new Map();
    for (const { setting, id, frames, values } of told) {
      const held = this.lines.get(setting);
      const isHeld = held && held.id === id;
      lines.set(setting, isHeld ? held : { id, line: new RideLine(frames, values) });
    }
    this.lines = lines;
  }

  get(setting) {
    return this.lines.get(setting)?.line;
  }
}

/** One render of a track as it is heard: while another takes its place, there are two. */
class Voice {
  constructor(desk, { key, channels, isMono }, share) {
    this.key = key;
    this.kind = isMono ? (channels === 1 ? "mono" : "centered") : "stereo";
    this.gain = new Gain(desk.rate);
    this.fade = new Fade(desk.rate, SWAP_S, share);
  }

  set({ level, pan }, lines, law, isAtOnce) {
    const spec = {
      level,
      line: lines.get("fader_db"),
      pan,
      panLine: lines.get("pan"),
      law,
      kind: this.kind,
    };
    this.gain.set(spec, isAtOnce);
  }

  add(desk, left, right, count) {
    const { gain, fade } = this;
    gain.next(desk.position, count);
    fade.next(count);
    const chunks = desk.store.renders.get(this.key);
    if (!chunks) return;
    const [head] = desk.heads;
    if (desk.heads.length === 1 && head.isEven && gain.isEven && fade.isEven) {
      const chunk = Math.floor(head.position / CHUNK_FRAMES);
      const from = head.position - chunk * CHUNK_FRAMES;
      if (from + count <= CHUNK_FRAMES) {
        const samples = chunks.get(chunk);
        if (!samples) return;
        const [first] = samples;
        const second = samples[samples.length - 1];
        const toLeft = gain.evenLeft * fade.share * head.weight;
        const toRight = gain.evenRight * fade.share * head.weight;
        for (let n = 0; n < count; n += 1) {
          left[n] += toLeft * first[from + n];
          right[n] += toRight * second[from + n];
        }
        return;
      }
    }
    readSource(desk, this.key, count);
    if (!fade.isEven) {
      for (let n = 0; n < count; n += 1) {
        sourceLeft[n] *= fade.shares[n];
        sourceRight[n] *= fade.shares[n];
      }
    }
    const share = fade.isEven ? fade.share : 1;
    if (gain.isEven) {
      const toLeft = gain.evenLeft * share;
      const toRight = gain.evenRight * share;
      for (let n = 0; n < count; n += 1) {
        left[n] += toLeft * sourceLeft[n];
        right[n] += toRight * sourceRight[n];
      }
      return;
    }
    for (let n = 0; n < count; n += 1) {
      left[n] += share * gain.left[n] * sourceLeft[n];
      right[n] += share * gain.right[n] * sourceRight[n];
    }
  }
}

const trackLeft = new Float64Array(MOST_FRAMES);
const trackRight = new Float64Array(MOST_FRAMES);

/** Adds a signal at a gain to another. */
function addAt(gain, left, right, toLeft, toRight, count) {
  if (gain.isEven) {
    const level = gain.evenLeft;
    if (level === 0) return;
    for (let n = 0; n < count; n += 1) {
      toLeft[n] += level * left[n];
      toRight[n] += level * right[n];
    }
    return;
  }
  const levels = gain.left;
  for (let n = 0; n < count; n += 1) {
    toLeft[n] += levels[n] * left[n];
    toRight[n] += levels[n] * right[n];
  }
}

/** A track: its fader and pan, and what it sends. */
class Track {
  constructor(desk) {
    this.desk = desk;
    this.lines = new Lines();
    this.voices = [];
    this.waiting = null; // a render that takes the place of the last voice once it is there
    this.direct = new Gain(desk.rate); // to the sum: 0 while others are soloed
    this.sends = new Map();
    this.meter = new Meter();
    this.told = null;
    this.isLeaving = false;
  }

  set(told) {
    const { desk } = this;
    const isNew = !this.told;
    this.told = told;
    this.lines.set(told.lines);
    const last = this.voices.at(-1);
    if (!last) this.voices.push(new Voice(desk, told, 1));
    else if (last.key !== told.key) {
      this.waiting = { key: told.key, channels: told.channels, isMono: told.isMono };
    } else this.waiting = null;
    if (isNew && !desk.isSilent) this.voices[0].gain.startSilent();
    this.place(desk.isSilent);
    this.open(desk.isSilent);
  }

  /** Sets the gains of the voices. */
  place(isAtOnce) {
    const level = this.told.isMuted || this.isLeaving ? 0 : this.told.level;
    const spec = { level, pan: this.told.pan };
    for (const voice of this.voices) voice.set(spec, this.lines, this.desk.law, isAtOnce);
  }

  /** Sets what goes to the sum and to the buses, by what is soloed. */
  open(isAtOnce) {
    const { desk, told } = this;
    const { solo } = desk;
    const isOpen = !solo.size || solo.has(told.name);
    this.direct.set({ level: isOpen ? 1 : 0 }, isAtOnce);
    const left = new Set(this.sends.keys());
    const counts = new Map();
    told.sends.forEach(({ bus, level }, index) => {
      const count = counts.get(bus) ?? 0;
      counts.set(bus, count + 1);
      const name = JSON.stringify([bus, count]);
      left.delete(name);
      let send = this.sends.get(name);
      if (!send) {
        send = { bus, gain: new Gain(desk.rate) };
        if (!isAtOnce) send.gain.startSilent();
        this.sends.set(name, send);
      }
      const goes = isOpen || solo.has(bus);
      const line = this.lines.get(`sends.${index + 1}.gain_db`);
      send.gain.set({ level: goes ? level : 0, line }, isAtOnce);
    });
    for (const name of left) {
      const send = this.sends.get(name);
      send.gain.set({ level: 0 }, isAtOnce);
      if (isAtOnce) this.sends.delete(name);
    }
  }

  jump(isAtOnce) {
    for (const voice of this.voices) voice.gain.jump(isAtOnce);
    for (const send of this.sends.values()) send.gain.jump(isAtOnce);
  }

  /** Whether it is to be heard, so that the song waits for it. */
  get counts() {
    if (this.told.isMuted || this.isLeaving) return false;
    return !this.desk.solo.size || this.desk.opens(this);
  }

  /** Whether the song can go on for some frames as far as this track is concerned. */
  holds(position, count) {
    const { store } = this.desk;
    return (
      store.holds(this.voices.at(-1).key, position, count) ||
      (this.waiting !== null && store.holds(this.waiting.key, position, count))
    );
  }

  /** Swaps to the render that waits, if it is there and no other swap is under way. */
  swap(position, count) {
    const { desk, waiting } = this;
    if (this.voices.length > 1) {
      if (!this.voices[0].fade.isOver && !desk.isSilent) return;
      this.voices.shift();
      this.voices[0].fade.share = 1;
      desk.tell({ type: "swapped", name: this.told.name, key: this.voices[0].key });
    }
    if (!waiting || !desk.store.holds(waiting.key, position, count)) return;
    const voice = new Voice(desk, waiting, desk.isSilent ? 1 : 0);
    const level = this.told.isMuted || this.isLeaving ? 0 : this.told.level;
    voice.set({ level, pan: this.told.pan }, this.lines, desk.law, true);
    voice.fade.target = 1;
    this.voices[0].fade.target = 0;
    this.voices.push(voice);
    this.waiting = null;
  }

  get isOff() {
    return this.voices.every((voice) => voice.gain.isOff);
  }

  process(count) {
    const { desk } = this;
    if (!desk.heads.length || this.isOff) {
      this.meter.frames += count;
      return;
    }
    trackLeft.fill(0, 0, count);
    trackRight.fill(0, 0, count);
    for (const voice of this.voices) voice.add(desk, trackLeft, trackRight, count);
    this.direct.next(desk.position, count);
    addAt(this.direct, trackLeft, trackRight, desk.sumLeft, desk.sumRight, count);
    for (const [name, { bus, gain }] of this.sends) {
      gain.next(desk.position, count);
      const line = desk.buses.get(bus);
      if (line) addAt(gain, trackLeft, trackRight, line.left, line.right, count);
      if (gain.isOff && !this.told.sends.some((send) => send.bus === bus)) this.sends.delete(name);
    }
    if (this.direct.isOff) this.meter.frames += count;
    else this.meter.add(trackLeft, trackRight, count);
  }
}

/** A bus: its feed on the side of the strips, its return on that of the master. */
class Bus {
  constructor(desk, isMono) {
    this.desk = desk;
    this.isMono = isMono;
    this.left = new Float64Array(MOST_FRAMES);
    this.right = new Float64Array(MOST_FRAMES);
    this.wetLeft = new Float64Array(MOST_FRAMES);
    this.wetRight = new Float64Array(MOST_FRAMES);
    this.lines = new Lines();
    this.delay = new DelayLine(desk.rate, Math.ceil(LONGEST_DELAY_S * desk.rate));
    this.before = new Chain(desk.rate);
    this.after = new Chain(desk.rate);
    this.gain = new Gain(desk.rate);
    this.routes = []; // ways through the graph: the last one is in use, the others ring out
    this.meter = new Meter();
    this.isLeaving = false;
    this.isLost = false; // whether its response does not come, so that nothing waits for it
    this.told = null;
  }

  set(told) {
    const isAtOnce = !this.told || this.desk.isFresh;
    this.told = told;
    this.lines.set(told.lines);
    this.delay.set(told.delay, isAtOnce);
    this.before.set(told.before, isAtOnce);
    this.after.set(told.after, isAtOnce);
    this.gain.set({ level: told.level, line: this.lines.get("gain_db") }, isAtOnce);
  }

  /** Sends the feed another way, once that is connected. */
  route(slot) {
    const { rate, isFresh } = this.desk;
    const isFirst = this.routes.length === 0;
    for (const route of this.routes) {
      route.feed.target = 0;
      route.back.target = 0;
      if (isFresh) route.feed.share = route.back.share = 0;
    }
    const feed = new Fade(rate, SWAP_S, isFirst || isFresh ? 1 : 0);
    feed.target = 1;
    this.routes.push({ slot, feed, back: new Fade(rate, RING_S, 1) });
  }

  leave() {
    this.isLeaving = true;
    this.gain.set({ level: 0 });
  }

  clear() {
    this.delay.clear();
    this.before.clear();
    this.after.clear();
  }

  /** Folds, delays and processes the feed, and writes it to the outputs of its routes. */
  feed(outputs, count) {
    const { left, right, isMono } = this;
    if (isMono) for (let n = 0; n < count; n += 1) left[n] = 0.5 * (left[n] + right[n]);
    this.delay.process(left, isMono ? null : right, count);
    this.before.process(left, isMono ? null : right, count);
    for (const { slot, feed } of this.routes) {
      feed.next(count);
      if (feed.isOver) continue;
      const [toLeft, toRight] = outputs[slot];
      const from = isMono ? left : right;
      if (feed.isEven) {
        for (let n = 0; n < count; n += 1) {
          toLeft[n] = feed.share * left[n];
          toRight[n] = feed.share * from[n];
        }
      } else {
        for (let n = 0; n < count; n += 1) {
          toLeft[n] = feed.shares[n] * left[n];
          toRight[n] = feed.shares[n] * from[n];
        }
      }
    }
    left.fill(0, 0, count);
    right.fill(0, 0, count);
  }

  /** Adds what the bus returns to the mix. */
  add(inputs, mixLeft, mixRight, count) {
    const { wetLeft, wetRight } = this;
    wetLeft.fill(0, 0, count);
    wetRight.fill(0, 0, count);
    for (const { slot, back } of this.routes) {
      back.next(count);
      const input = inputs[slot];
      if (!input.length) continue;
      const [fromLeft] = input;
      const fromRight = input[input.length - 1];
      for (let n = 0; n < count; n += 1) {
        const share = back.isEven ? back.share : back.shares[n];
        wetLeft[n] += share * fromLeft[n];
        wetRight[n] += share * fromRight[n];
      }
    }
    while (this.routes.length > 1 && this.routes[0].back.isOver) {
      this.desk.tell({ type: "free", slot: this.routes.shift().slot });
    }
    this.after.process(wetLeft, wetRight, count);
    const { gain } = this;
    gain.next(this.desk.position, count);
    for (let n = 0; n < count; n += 1) {
      const level = gain.isEven ? gain.evenLeft : gain.left[n];
      wetLeft[n] *= level;
      wetRight[n] *= level;
      mixLeft[n] += wetLeft[n];
      mixRight[n] += wetRight[n];
    }
    this.meter.add(wetLeft, wetRight, count);
  }
}

/** A finished mix that can be heard in the place of the live one. */
class Finished {
  constructor(desk, key, level) {
    this.key = key;
    this.gain = new Gain(desk.rate);
    this.gain.set({ level }, true);
    this.fade = new Fade(desk.rate, SWAP_S, 0);
  }
}

/** All that both processors know: the transport, the tracks, the buses and the master. */
class Desk {
  constructor(rate) {
    this.rate = rate;
    this.port = null;
    this.serial = 0; // of the last order to play, pause or seek
    this.isHearingNew = false;
    this.wasInSeam = false;
    this.layout = null;
    this.store = new Store();
    this.law = "constant-power";
    this.solo = new Set();
    this.tracks = new Map();
    this.leaving = []; // tracks that are gone from the plan, fading out
    this.buses = new Map();
    this.leavingBuses = [];
    this.sumLeft = new Float64Array(MOST_FRAMES);
    this.sumRight = new Float64Array(MOST_FRAMES);
    // transport
    this.length = 0;
    this.isWanted = false; // whether it is to play
    this.isWaiting = false;
    this.isFresh = true; // whether no sound is under way in the graph
    this.main = new Head(0, 0);
    this.heads = []; // those that are read in this quantum
    this.fading = []; // heads that fade out
    this.position = 0; // of the song, at the start of this quantum
    this.hasJumped = false;
    this.loop = null;
    this.rest = Infinity; // frames since nothing was read
    this.gate = new Fade(rate, FADE_S, 0);
    // master
    this.chain = new Chain(rate);
    this.masterLines = new Lines();
    this.gain = new Gain(rate);
    this.trim = new Gain(rate);
    this.gain.set({ level: 1 });
    this.trim.set({ level: 1 });
    this.live = new Fade(rate, SWAP_S, 1);
    this.finished = []; // mixes that are heard or fade out
    this.hearing = null; // what is to be heard: null is the live mix
    this.heard = null;
    this.meter = new Meter();
    this.energy = new EnergyMeter(rate);
    this.truePeak = new TruePeakMeter(rate);
    this.highest = 0;
    this.square = [0, 0, 0]; // of left, right, and their product, of the last third of a second
    this.due = 0;
    this.busy = 0;
    this.counted = 0;
    this.said = "falsefalse";
  }

  tell(message, transfer = []) {
    this.port.postMessage(message, transfer);
  }

  tellDropped() {
    const buffers = this.store.takeDropped();
    if (buffers.length) this.tell({ type: "dropped", buffers }, buffers);
  }

  /** Whether nothing of the tracks is heard, so that they can change at once. */
  get isSilent() {
    return this.main.weight === 0 && this.fading.length === 0;
  }

  /** Whether anything of a track is heard while something is soloed: itself, or what it sends. */
  opens(track) {
    const { name, sends } = track.told;
    return this.solo.has(name) || sends.some(({ bus }) => this.solo.has(bus));
  }

  take(message) {
    switch (message.type) {
      case "chunk":
        this.store.add(message);
        break;
      case "drop":
        for (const [key, chunk] of message.chunks) this.store.drop(key, chunk);
        this.tellDropped();
        break;
      case "plan":
        this.setPlan(message);
        break;
      case "solo":
        this.solo = new Set(message.names);
        for (const track of this.tracks.values()) track.open(this.isSilent);
        break;
      case "route":
        this.buses.get(message.bus)?.route(message.slot);
        break;
      case "lost":
        if (this.buses.has(message.bus)) this.buses.get(message.bus).isLost = true;
        break;
      case "play":
        this.serial = message.serial;
        this.said = "";
        this.play();
        break;
      case "pause":
        this.serial = message.serial;
        this.said = "";
        this.isWanted = false;
        break;
      case "seek":
        this.serial = message.serial;
        this.said = "";
        this.seek(message.frame);
        break;
      case "loop":
        this.loop = message.loop;
        break;
      case "hear":
        this.hearing = message.key === null ? null : { key: message.key, level: message.level };
        if (this.hearing === null) this.trim.set({ level: message.level });
        this.isHearingNew = true;
        break;
      case "flush":
        for (const bus of this.buses.values()) bus.clear();
        this.chain.clear();
        this.isFresh = true;
        break;
      case "sync":
        this.tell({ type: "sync", id: message.id });
        break;
      default:
        throw new Error(`no such message: ${message.type}`);
    }
  }

  setPlan({ law, length, tracks, gone, buses, goneBuses, master }) {
    this.length = length;
    if (law !== this.law) {
      this.law = law;
      for (const track of this.tracks.values()) track.place(this.isSilent);
    }
    for (const name of gone) {
      const track = this.tracks.get(name);
      if (!track) continue;
      this.tracks.delete(name);
      track.isLeaving = true;
      track.place(this.isSilent);
      if (!this.isSilent) this.leaving.push(track);
    }
    for (const name of goneBuses) {
      const bus = this.buses.get(name);
      if (!bus) continue;
      this.buses.delete(name);
      bus.leave();
      this.leavingBuses.push(bus);
    }
    for (const told of buses) {
      let bus = this.buses.get(told.name);
      if (!bus) this.buses.set(told.name, (bus = new Bus(this, told.isMono)));
      bus.set(told);
    }
    for (const told of tracks) {
      let track = this.tracks.get(told.name);
      if (!track) this.tracks.set(told.name, (track = new Track(this)));
      track.set(told);
    }
    if (master) {
      this.masterLines.set(master.lines);
      this.chain.set(master.stages, this.isFresh);
      const line = this.masterLines.get("gain_db");
      this.gain.set({ level: master.level, line }, this.isFresh);
    }
    this.layout = null;
  }

  play() {
    this.isWanted = true;
    if (this.isFresh) this.gate.share = 1;
    this.gate.target = 1;
  }

  seek(frame) {
    const { main } = this;
    if (main.weight > 0) this.leaveHead(main.weight, 1 / Math.round(FADE_S * this.rate), 0);
    main.position = frame;
    main.weight = 0;
    main.target = 0;
    main.delay = 0;
    this.jump();
    this.clearMeters();
  }

  clearMeters() {
    this.energy.clear();
    this.truePeak.clear();
    this.highest = 0;
    this.tell({ type: "cleared" });
  }

  leaveHead(weight, step, delay) {
    const head = new Head(this.main.position, weight);
    head.target = 0;
    head.step = step;
    head.delay = delay;
    this.fading.push(head);
    if (this.fading.length > 4) this.fading.shift();
  }

  /** Rides go on elsewhere: what they move gets there smoothly. */
  jump() {
    for (const track of this.tracks.values()) track.jump(this.isSilent);
    for (const bus of this.buses.values()) bus.gain.jump(this.isFresh);
    this.gain.jump(this.isFresh);
  }

  /** Whether all that is heard of some frames is there. */
  holds(position, count, heard) {
    const end = Math.min(position + count, this.length);
    if (end <= position) return true;
    if (heard) return this.store.holds(heard.key, position, end - position);
    for (const track of this.tracks.values()) {
      if (track.counts && !track.holds(position, end - position)) return false;
    }
    for (const bus of this.buses.values()) if (!bus.routes.length && !bus.isLost) return false;
    return true;
  }

  /** Moves the transport on by a quantum: sets what is read, and how loud. */
  advance(count) {
    const { main, loop } = this;
    if (this.hasJumped) this.jump();
    this.hasJumped = false;
    const fade = Math.round(FADE_S * this.rate);
    if (this.isHearingNew && this.holds(main.position, count + fade, this.hearing)) this.hear();
    if (this.isWanted && main.position >= this.length) {
      this.isWanted = false;
      main.weight = 0;
    }
    let isReady = false;
    if (this.isWanted) {
      isReady = this.holds(main.position, count + fade, this.heard);
      if (isReady && loop && main.position < loop.end && main.position + count + fade >= loop.end) {
        isReady = this.holds(loop.start, fade, this.heard);
      }
    }
    this.isWaiting = this.isWanted && !isReady;
    main.target = isReady ? 1 : 0;
    if (isReady && main.weight === 0 && main.position === 0 && !this.fading.length) main.weight = 1;
    if (isReady && this.isWanted) this.isFresh = false;
    main.step = 1 / fade;
    this.position = main.position;
    for (const track of this.tracks.values()) track.swap(main.position, count + fade);
    if (loop && isReady && main.position < loop.end && main.position + count >= loop.end) {
      const rest = loop.end - main.position;
      const step = 1 / Math.round(SEAM_S * this.rate);
      this.leaveHead(main.weight, step, rest);
      main.position = loop.start - rest;
      main.weight = 0;
      main.step = step;
      main.delay = rest;
      this.hasJumped = true;
      this.wasInSeam = true;
    } else if (this.wasInSeam) {
      main.step = 1 / Math.round(SEAM_S * this.rate);
      if (main.weight === 1) this.wasInSeam = false;
    }
    this.heads.length = 0;
    if (main.weight > 0 || main.target > 0) this.heads.push(main);
    for (const head of this.fading) this.heads.push(head);
    for (const head of this.heads) head.next(count);
    this.rest = this.heads.length ? 0 : this.rest + count;
    const said = `${this.isWanted}${this.isWaiting}`;
    if (said !== this.said) {
      this.said = said;
      if (!this.isWanted) this.gate.target = 0;
      this.tellState("state");
    }
  }

  /** After a quantum: the heads have moved on. */
  leaveQuantum(count) {
    for (const head of this.heads) head.position += count;
    while (this.fading.length && this.fading[0].weight === 0) this.fading.shift();
    for (let n = this.leaving.length - 1; n >= 0; n -= 1) {
      if (this.leaving[n].isOff || this.isSilent) this.leaving.splice(n, 1);
    }
  }

  /** Gives back the ways of buses that are gone and have faded out. */
  dropBuses() {
    const isResting = this.rest >= REST_S * this.rate;
    for (let n = this.leavingBuses.length - 1; n >= 0; n -= 1) {
      const bus = this.leavingBuses[n];
      if (!bus.gain.isOff && !isResting) continue;
      for (const { slot } of bus.routes) this.tell({ type: "free", slot });
      this.leavingBuses.splice(n, 1);
    }
  }

  /** Takes to what is to be heard, now that it is there. */
  hear() {
    this.isHearingNew = false;
    if (this.hearing && this.heard?.key === this.hearing.key) {
      this.heard.gain.set({ level: this.hearing.level });
      return;
    }
    this.live.target = this.hearing ? 0 : 1;
    for (const mix of this.finished) mix.fade.target = 0;
    this.heard = null;
    if (this.hearing) {
      this.heard = this.finished.find((mix) => mix.key === this.hearing.key) ?? null;
      if (!this.heard) {
        this.heard = new Finished(this, this.hearing.key, this.hearing.level);
        this.finished.push(this.heard);
      } else this.heard.gain.set({ level: this.hearing.level });
      this.heard.fade.target = 1;
    }
    if (this.isSilent) {
      this.live.share = this.live.target;
      for (const mix of this.finished) mix.fade.share = mix.fade.target;
    }
    this.clearMeters();
  }

  tellState(type) {
    this.tell({
      type,
      position: Math.max(0, this.main.position),
      serial: this.serial,
      time: currentTime,
      isPlaying: this.isWanted,
      isWaiting: this.isWaiting,
    });
  }

  /** The master: stages, gain, what is heard in place of it, and the gate of play and pause. */
  finish(left, right, count) {
    this.chain.process(left, right, count);
    this.gain.next(this.position, count);
    this.trim.next(this.position, count);
    this.live.next(count);
    this.gate.next(count);
    const { gain, trim, live, gate } = this;
    for (let n = 0; n < count; n += 1) {
      const level =
        (gain.isEven ? gain.evenLeft : gain.left[n]) *
        (trim.isEven ? trim.evenLeft : trim.left[n]) *
        (live.isEven ? live.share : live.shares[n]);
      left[n] *= level;
      right[n] *= level;
    }
    for (const mix of this.finished) {
      mix.fade.next(count);
      mix.gain.next(this.position, count);
      readSource(this, mix.key, count);
      for (let n = 0; n < count; n += 1) {
        const level =
          (mix.gain.isEven ? mix.gain.evenLeft : mix.gain.left[n]) *
          (mix.fade.isEven ? mix.fade.share : mix.fade.shares[n]);
        left[n] += level * sourceLeft[n];
        right[n] += level * sourceRight[n];
      }
    }
    for (let n = this.finished.length - 1; n >= 0; n -= 1) {
      if (this.finished[n].fade.isOver) this.finished.splice(n, 1);
    }
    if (gate.isEven && gate.share === 1) return;
    for (let n = 0; n < count; n += 1) {
      const share = gate.isEven ? gate.share : gate.shares[n];
      left[n] *= share;
      right[n] *= share;
    }
  }

  measure(left, right, count) {
    this.meter.add(left, right, count);
    if (this.heads.length) {
      this.energy.add(left, right, count);
      this.truePeak.add(left, right, count);
    }
    let product = 0;
    let leftSquare = 0;
    let rightSquare = 0;
    for (let n = 0; n < count; n += 1) {
      product += left[n] * right[n];
      leftSquare += left[n] * left[n];
      rightSquare += right[n] * right[n];
    }
    const kept = Math.exp(-count / (0.3 * this.rate));
    const { square } = this;
    square[0] = square[0] * kept + leftSquare;
    square[1] = square[1] * kept + rightSquare;
    square[2] = square[2] * kept + product;
    this.due += count;
    if (this.due >= this.rate / READINGS_PER_SECOND) this.tellReadings();
  }

  tellReadings() {
    if (!this.layout) {
      this.layout = { tracks: [...this.tracks.keys()], buses: [...this.buses.keys()] };
      this.tell({ type: "layout", ...this.layout });
    }
    const levels = new Float32Array(4 * (this.tracks.size + this.buses.size + 1));
    let at = 0;
    for (const part of [this.tracks, this.buses]) {
      for (const { meter } of part.values()) {
        meter.take(levels, at);
        at += 4;
      }
    }
    this.meter.take(levels, at);
    const truePeak = this.truePeak.peak;
    this.highest = Math.max(this.highest, truePeak);
    this.truePeak.peak = 0;
    const energies = this.energy.energies;
    this.energy.energies = [];
    const [a, b, c] = this.square;
    this.tell({
      type: "readings",
      position: Math.max(0, this.main.position),
      serial: this.serial,
      time: currentTime,
      isPlaying: this.isWanted,
      isWaiting: this.isWaiting,
      levels,
      energies,
      truePeak,
      highest: this.highest,
      correlation: a > 1e-12 && b > 1e-12 ? c / Math.sqrt(a * b) : null,
      load: this.counted ? this.busy / ((1000 * this.counted) / this.rate) : 0,
    });
    this.due = 0;
    this.busy = 0;
    this.counted = 0;
  }
}

function find(id) {
  if (!desks.has(id)) desks.set(id, new Desk(sampleRate));
  return desks.get(id);
}

class Strips extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.desk = find(processorOptions.id);
    this.desk.port = this.port;
    this.isEnded = false;
    this.port.onmessage = ({ data }) => {
      if (data.type === "end") {
        this.isEnded = true;
        desks.delete(processorOptions.id);
      } else this.desk.take(data);
    };
  }

  process(inputs, outputs) {
    if (this.isEnded) return false;
    const { desk } = this;
    const start = now();
    const [[left, right]] = outputs;
    const count = left.length;
    desk.advance(count);
    if (desk.rest < REST_S * desk.rate) {
      desk.sumLeft.fill(0, 0, count);
      desk.sumRight.fill(0, 0, count);
      for (const track of desk.tracks.values()) track.process(count);
      for (const track of desk.leaving) track.process(count);
      for (const bus of desk.buses.values()) bus.feed(outputs, count);
      for (const bus of desk.leavingBuses) bus.feed(outputs, count);
      for (let n = 0; n < count; n += 1) {
        left[n] = desk.sumLeft[n];
        right[n] = desk.sumRight[n];
      }
    }
    desk.busy += now() - start;
    return true;
  }
}

const mixLeft = new Float64Array(MOST_FRAMES);
const mixRight = new Float64Array(MOST_FRAMES);

class Master extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.desk = find(processorOptions.id);
    this.isEnded = false;
    this.port.onmessage = () => {
      this.isEnded = true;
    };
  }

  process(inputs, outputs) {
    if (this.isEnded) return false;
    const { desk } = this;
    const start = now();
    const [[left, right]] = outputs;
    const count = left.length;
    mixLeft.fill(0, 0, count);
    mixRight.fill(0, 0, count);
    if (desk.rest < REST_S * desk.rate) {
      const [sum] = inputs;
      if (sum.length) {
        mixLeft.set(sum[0]);
        mixRight.set(sum[sum.length - 1]);
      }
      for (const bus of desk.buses.values()) bus.add(inputs, mixLeft, mixRight, count);
      for (const bus of desk.leavingBuses) bus.add(inputs, mixLeft, mixRight, count);
      desk.finish(mixLeft, mixRight, count);
      for (let n = 0; n < count; n += 1) {
        left[n] = mixLeft[n];
        right[n] = mixRight[n];
      }
    }
    desk.dropBuses();
    desk.leaveQuantum(count);
    desk.counted += count;
    desk.measure(mixLeft, mixRight, count);
    desk.busy += now() - start;
    return true;
  }
}

registerProcessor("strips", Strips);
registerProcessor("master", Master);
