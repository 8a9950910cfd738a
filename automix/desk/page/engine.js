/*
 * The sound of the desk: streams the tracks from the server and plays them through the plan, in the
 * browser's audio graph. What is reckoned is in worklet.js; the reverbs are convolvers between.
 */

import { dbToGain } from "./gains.js";
import { Loudness } from "./loudness.js";

const CHUNK_FRAMES = 65536;
const CHUNKS_AHEAD = 2; // of sound that are fetched before they are played
const MOST_REQUESTS = 3; // at a time, of sound that is rendered
const MOST_WAITS = 2; // at a time, of sound that the server is still rendering
const MOST_KEYS = 8; // of one request
const MOST_SPARE = 48; // buffers of 256 or 512 KiB that are kept to be filled again
const RETRY_MS = 500;
const LEAST_LOOP_S = 0.05;
const REST_MS = 60000; // paused for so long, the audio device is given back
const LEAST_SLOTS = 24; // ways through the graph: one per bus, more while responses are swapped

let graphs = 0;

/** The nodes of one context, and what they were told last. */
class Graph {
  /**
   * Makes the nodes.
   *
   * @param {BaseAudioContext} context Of the rate of the session.
   * @param {number} slots How many buses may be there at a time.
   * @param {(key: string) => Promise<ArrayBuffer>} fetchResponse
   * @param {(message: object) => void} take Is given what the audio thread says.
   */
  static async make(context, slots, fetchResponse, take) {
    await context.audioWorklet.addModule(new URL("./worklet.js", import.meta.url));
    return new Graph(context, slots, fetchResponse, take);
  }

  constructor(context, slots, fetchResponse, take) {
    this.context = context;
    this.fetchResponse = fetchResponse;
    this.take = take;
    const processorOptions = { id: (graphs += 1) };
    const stereo = {
      channelCount: 2,
      channelCountMode: "explicit",
      channelInterpretation: "discrete",
      processorOptions,
    };
    this.strips = new AudioWorkletNode(context, "strips", {
      ...stereo,
      numberOfInputs: 0,
      numberOfOutputs: 1 + slots,
      outputChannelCount: new Array(1 + slots).fill(2),
    });
    this.master = new AudioWorkletNode(context, "master", {
      ...stereo,
      numberOfInputs: 1 + slots,
      numberOfOutputs: 1,
      outputChannelCount: [2],
    });
    this.strips.connect(this.master, 0, 0);
    this.master.connect(context.destination);
    this.free = Array.from({ length: slots }, (_, n) => n + 1);
    this.nodes = new Map(); // the convolver of each slot that has one
    this.buses = new Map(); // name → {isMono, key, slot}
    this.responses = new Map(); // key → promise of an AudioBuffer
    this.parts = new Map(); // name → what was told last: [part, sound]
    this.lines = new Map(); // owner and setting → [ride, its number]
    this.lineCount = 0;
    this.law = null;
    this.length = null;
    this.spare = []; // buffers that came back, to be filled again
    this.waits = new Map();
    this.syncs = 0;
    this.onError = () => {};
    this.strips.port.onmessage = ({ data }) => this.hear(data);
    for (const node of [this.strips, this.master]) {
      node.onprocessorerror = () =>
        this.onError("the sound has stopped because of a fault in the page; reload it");
    }
  }

  post(message, transfer = []) {
    this.strips.port.postMessage(message, transfer);
  }

  /**
   * Gives the audio thread a part of some renders: for each, its channels one after the other.
   *
   * `sound` is an ArrayBuffer or a Response. Each render goes in a buffer of its own, which comes
   * back when it was played: a browser does not see how much memory is held by buffers that were
   * sent away, and would let it grow.
   */
  async give(chunk, keys, channels, sound) {
    const parts = keys.map((key) => {
      const size = 4 * CHUNK_FRAMES * channels.get(key);
      const index = this.spare.findIndex((buffer) => buffer.byteLength === size);
      const buffer = index < 0 ? new ArrayBuffer(size) : this.spare.splice(index, 1)[0];
      return { key, channels: channels.get(key), buffer };
    });
    const buffers = parts.map(({ buffer }) => buffer);
    try {
      await fill(buffers, sound);
    } catch (error) {
      this.keep(buffers);
      throw error;
    }
    this.post({ type: "chunk", chunk, parts }, buffers);
  }

  /** Keeps buffers to be filled again. */
  keep(buffers) {
    this.spare.push(...buffers.slice(0, MOST_SPARE - this.spare.length));
  }

  /** Waits until the audio thread has taken all messages. */
  sync() {
    return new Promise((done) => {
      this.syncs += 1;
      this.waits.set(this.syncs, done);
      this.post({ type: "sync", id: this.syncs });
    });
  }

  hear(message) {
    if (message.type === "sync") {
      this.waits.get(message.id)();
      this.waits.delete(message.id);
    } else if (message.type === "free") {
      this.disconnect(message.slot);
      this.nodes.delete(message.slot);
      this.free.push(message.slot);
    } else if (message.type === "dropped") {
      this.keep(message.buffers);
    } else this.take(message);
  }

  /** Tells the audio thread what is new in a plan. Returns a promise that all buses are there. */
  update(plan, sound) {
    const law = plan.pan_law;
    const message = {
      type: "plan",
      law,
      length: sound.length,
      tracks: [],
      gone: [],
      buses: [],
      goneBuses: [],
      master: null,
    };
    const routes = [];
    const names = new Set();
    for (const strip of plan.tracks) {
      const render = sound.tracks[strip.name];
      if (!render) continue; // added a moment ago: the server tells of its sound next
      names.add(`track ${strip.name}`);
      const { key, channels, is_mono: isMono } = render;
      const told = this.differs(`track ${strip.name}`, strip, `${key} ${channels} ${isMono}`);
      if (told) message.tracks.push(this.tellTrack(strip, { key, channels, isMono }));
    }
    for (const bus of plan.buses) {
      const about = sound.buses[bus.name];
      if (!about) continue;
      names.add(`bus ${bus.name}`);
      const isMono = !about.parallel && about.channels !== 2;
      const held = this.buses.get(bus.name);
      if (held && held.isMono !== isMono) {
        message.goneBuses.push(bus.name);
        this.parts.delete(`bus ${bus.name}`);
        this.buses.delete(bus.name);
        for (const name of [...this.lines.keys()]) {
          if (name.startsWith(`bus ${bus.name}.`)) this.lines.delete(name);
        }
      }
      const sounds = JSON.stringify([about.delay, about.before, about.after]);
      if (this.differs(`bus ${bus.name}`, bus, sounds)) {
        message.buses.push({
          name: bus.name,
          isMono,
          delay: about.delay,
          before: about.before,
          after: about.after ?? [],
          level: dbToGain(bus.gain_db),
          lines: this.tellLines(`bus ${bus.name}`, bus.rides),
        });
      }
      routes.push([bus.name, about.response ? about.key : null, isMono]);
    }
    if (this.differs("master", plan.master, JSON.stringify(sound.master.stages))) {
      message.master = {
        stages: sound.master.stages,
        level: dbToGain(plan.master.gain_db),
        lines: this.tellLines("master", plan.master.rides),
      };
    }
    for (const name of [...this.parts.keys()]) {
      if (name === "master" || names.has(name)) continue;
      this.parts.delete(name);
      const [kind] = name.split(" ", 1);
      const owner = name.slice(kind.length + 1);
      if (kind === "track") message.gone.push(owner);
      else {
        message.goneBuses.push(owner);
        this.buses.delete(owner);
      }
      for (const line of [...this.lines.keys()]) {
        if (line.startsWith(`${name}.`)) this.lines.delete(line);
      }
    }
    const isNew =
      message.tracks.length + message.gone.length + message.buses.length + message.goneBuses.length;
    if (isNew || message.master || law !== this.law || sound.length !== this.length) {
      this.post(message);
    }
    this.law = law;
    this.length = sound.length;
    return Promise.all(routes.map((route) => this.route(...route)));
  }

  /** Whether a part, or what the server says of its sound, is not what was told last. */
  differs(name, part, sound) {
    const [lastPart, lastSound] = this.parts.get(name) ?? [];
    this.parts.set(name, [part, sound]);
    return lastPart !== part || lastSound !== sound;
  }

  tellTrack(strip, render) {
    return {
      name: strip.name,
      ...render,
      level: dbToGain(strip.fader_db),
      pan: strip.pan,
      isMuted: strip.mute,
      sends: strip.sends.map(({ bus, gain_db: gain }) => ({ bus, level: dbToGain(gain) })),
      lines: this.tellLines(`track ${strip.name}`, strip.rides),
    };
  }

  /** The rides that are played here; the points of those that are not new are left out. */
  tellLines(owner, rides) {
    const told = [];
    const { sampleRate } = this.context;
    for (const ride of rides) {
      if (!/^(fader_db|pan|gain_db|sends\.\d+\.gain_db)$/.test(ride.setting)) continue;
      const name = `${owner}.${ride.setting}`;
      const [last, id] = this.lines.get(name) ?? [];
      if (last && isSameLine(last, ride)) {
        this.lines.set(name, [ride, id]);
        told.push({ setting: ride.setting, id });
        continue;
      }
      this.lineCount += 1;
      this.lines.set(name, [ride, this.lineCount]);
      told.push({
        setting: ride.setting,
        id: this.lineCount,
        frames: Float64Array.from(ride.times_s, (time) => time * sampleRate),
        values: Float64Array.from(ride.values),
      });
    }
    const settings = new Set(rides.map(({ setting }) => `${owner}.${setting}`));
    for (const name of [...this.lines.keys()]) {
      if (name.startsWith(`${owner}.`) && !settings.has(name)) this.lines.delete(name);
    }
    return told;
  }

  /** Leads the feed of a bus through its response, or straight to the master. */
  async route(name, key, isMono) {
    let bus = this.buses.get(name);
    if (bus && bus.key === key) return bus.done;
    if (!bus) this.buses.set(name, (bus = { isMono }));
    bus.key = key;
    bus.done = this.connect(name, bus, key);
    return bus.done;
  }

  async connect(name, bus, key) {
    let response = null;
    if (key !== null) {
      for (let tries = 0; ; tries += 1) {
        try {
          response = await this.fetchBuffer(key);
          break;
        } catch (error) {
          this.responses.delete(key);
          if (this.buses.get(name) !== bus || bus.key !== key) return;
          if (tries === 2) {
            this.onError(`the reverb of ${name} cannot be heard: ${error.message}`);
            this.post({ type: "lost", bus: name });
          }
          await new Promise((done) => setTimeout(done, RETRY_MS));
        }
      }
    }
    if (this.buses.get(name) !== bus || bus.key !== key) return; // changed meanwhile
    const slot = this.free.shift();
    if (slot === undefined) {
      this.onError("there are too many buses for the page to play; reload it");
      this.post({ type: "lost", bus: name });
      return;
    }
    if (response) {
      const node = this.makeConvolver(response);
      this.strips.connect(node, slot, 0).connect(this.master, 0, slot);
      this.nodes.set(slot, node);
    } else this.strips.connect(this.master, slot, slot);
    this.post({ type: "route", bus: name, slot });
  }

  disconnect(slot) {
    const node = this.nodes.get(slot);
    if (node) {
      this.strips.disconnect(node, slot, 0);
      node.disconnect();
    } else this.strips.disconnect(this.master, slot, slot);
  }

  makeConvolver(buffer) {
    return new ConvolverNode(this.context, {
      disableNormalization: true,
      buffer,
      channelCount: 1, // the feed of a reverb is mono: the second channel is left out
      channelCountMode: "explicit",
      channelInterpretation: "discrete",
    });
  }

  async fetchBuffer(key) {
    if (!this.responses.has(key)) {
      const inUse = new Set([...this.buses.values()].map((bus) => bus.key));
      for (const old of [...this.responses.keys()]) {
        if (this.responses.size > 8 && !inUse.has(old)) this.responses.delete(old);
      }
      this.responses.set(key, this.loadBuffer(key));
    }
    return this.responses.get(key);
  }

  async loadBuffer(key) {
    const samples = new Float32Array(await this.fetchResponse(key));
    const length = samples.length / 2;
    const { sampleRate } = this.context;
    const buffer = new AudioBuffer({ length, numberOfChannels: 2, sampleRate });
    buffer.copyToChannel(samples.subarray(0, length), 0);
    buffer.copyToChannel(samples.subarray(length), 1);
    return buffer;
  }

  /** Forgets all sound that is under way: what is played next starts as from the beginning. */
  flush() {
    for (const [slot, node] of this.nodes) {
      this.disconnect(slot);
      const fresh = this.makeConvolver(node.buffer);
      this.strips.connect(fresh, slot, 0).connect(this.master, 0, slot);
      this.nodes.set(slot, fresh);
    }
    this.post({ type: "flush" });
  }

  close() {
    this.post({ type: "end" });
    this.master.port.postMessage("end");
    this.master.disconnect();
  }
}

/** Fills buffers, one after the other, with what was fetched: an ArrayBuffer or a Response. */
async function fill(buffers, sound) {
  if (sound instanceof Response && !sound.ok) throw new Error(`it answers ${sound.status}`);
  let filled = 0; // buffers
  let at = 0; // bytes of the next one
  const take = (bytes) => {
    let from = 0;
    while (from < bytes.length && filled < buffers.length) {
      const target = new Uint8Array(buffers[filled], at);
      const piece = bytes.subarray(from, from + target.length);
      target.set(piece);
      from += piece.length;
      at += piece.length;
      if (at < buffers[filled].byteLength) continue;
      filled += 1;
      at = 0;
    }
    if (from < bytes.length) throw new Error("it sends more sound than was asked for");
  };
  if (sound instanceof Response) {
    const reader = sound.body.getReader();
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      take(value);
    }
  } else take(new Uint8Array(sound));
  if (filled < buffers.length) throw new Error("it sends less sound than was asked for");
}

function isSameLine(one, other) {
  if (one === other) return true;
  const isSame = (a, b) => a.length === b.length && a.every((value, n) => value === b[n]);
  return isSame(one.times_s, other.times_s) && isSame(one.values, other.values);
}

/** Fetches sound ahead of where it is played, and drops what was played. */
class Feeder {
  constructor(graph, fetchSound, onError) {
    this.graph = graph;
    this.fetchSound = fetchSound;
    this.onError = onError;
    this.there = new Map(); // key → set of the chunks that the audio thread has
    this.requests = new Set(); // {chunk, keys, isWait, abort}
    this.failed = new Map(); // "key chunk" → [when to ask again, how often it failed]
    this.channels = new Map(); // of every key
    this.sound = null;
    this.newest = new Map(); // track → key
    this.played = new Map(); // track → key that is heard now, where it is not the newest
    this.finished = null; // key of the finished mix that was heard last
    this.position = 0;
    this.chunk = -1; // in which the position lies
    this.loop = null;
    this.isClosed = false;
  }

  update(sound) {
    for (const [name, { key, channels }] of Object.entries(sound.tracks)) {
      this.channels.set(key, channels);
      const last = this.sound?.tracks[name]?.key;
      if (last && last !== key && !this.played.has(name)) this.played.set(name, last);
    }
    for (const name of [...this.played.keys()]) {
      if (!sound.tracks[name]) this.played.delete(name);
      else if (this.played.get(name) === sound.tracks[name].key) this.played.delete(name);
    }
    this.sound = sound;
    this.newest = new Map(Object.entries(sound.tracks).map(([name, { key }]) => [name, key]));
    this.pump();
  }

  /** A swap to another render is done. */
  swapped(name, key) {
    if (this.newest.get(name) === key) this.played.delete(name);
    else this.played.set(name, key);
    this.pump();
  }

  /** Fetches a finished mix from now on, as well as the tracks. */
  hear(key) {
    this.finished = key;
    this.channels.set(key, 2);
    this.pump();
  }

  move(position, loop) {
    const chunk = Math.floor(position / CHUNK_FRAMES);
    const isSame = chunk === this.chunk && loop === this.loop;
    this.position = position;
    this.loop = loop;
    this.chunk = chunk;
    if (!isSame || this.failed.size) this.pump();
  }

  /** The chunks that are wanted, the most urgent first. */
  wanted() {
    const count = Math.ceil(this.sound.length / CHUNK_FRAMES);
    const chunks = [];
    const now = Math.floor(this.position / CHUNK_FRAMES);
    const { loop } = this;
    const isLooped = loop && this.position < loop.end;
    const end = isLooped ? Math.floor((loop.end + 4096) / CHUNK_FRAMES) : count;
    for (let n = now; n <= now + CHUNKS_AHEAD && n <= end && n < count; n += 1) chunks.push(n);
    if (isLooped) {
      const start = Math.floor(loop.start / CHUNK_FRAMES);
      for (const n of [start, start + 1]) if (!chunks.includes(n) && n < count) chunks.push(n);
    }
    return chunks;
  }

  pump() {
    if (this.isClosed || !this.sound) return;
    const chunks = this.wanted();
    const keys = new Set(Object.values(this.sound.tracks).map(({ key }) => key));
    for (const key of this.played.values()) keys.add(key);
    if (this.finished) keys.add(this.finished);
    this.drop(chunks, keys);
    const asked = new Set();
    for (const request of this.requests) {
      if (!chunks.includes(request.chunk) || !request.keys.some((key) => keys.has(key))) {
        request.abort.abort();
        this.requests.delete(request);
        continue;
      }
      for (const key of request.keys) asked.add(`${key} ${request.chunk}`);
    }
    const ready = new Map(Object.values(this.sound.tracks).map((track) => [track.key, track.ready]));
    const now = Date.now();
    for (const chunk of chunks) {
      const missing = [...keys].filter((key) => {
        const name = `${key} ${chunk}`;
        return (
          !this.there.get(key)?.has(chunk) &&
          !asked.has(name) &&
          !((this.failed.get(name)?.[0] ?? 0) > now)
        );
      });
      const stop = Math.min((chunk + 1) * CHUNK_FRAMES, this.sound.length);
      const isReady = (key) => !ready.has(key) || ready.get(key) >= stop;
      this.ask(chunk, missing.filter(isReady), false, MOST_REQUESTS, MOST_KEYS);
      this.ask(chunk, missing.filter((key) => !isReady(key)), true, MOST_WAITS, 64);
    }
  }

  drop(chunks, keys) {
    const first = Math.floor(this.position / CHUNK_FRAMES) - 1;
    const dropped = [];
    for (const [key, held] of this.there) {
      for (const chunk of [...held]) {
        if (keys.has(key) && (chunks.includes(chunk) || chunk === first)) continue;
        dropped.push([key, chunk]);
        held.delete(chunk);
      }
      if (!held.size) this.there.delete(key);
    }
    if (dropped.length) this.graph.post({ type: "drop", chunks: dropped });
    for (const name of [...this.failed.keys()]) {
      const [key, chunk] = name.split(" ");
      if (!keys.has(key) || !chunks.includes(Number(chunk))) this.failed.delete(name);
    }
  }

  ask(chunk, keys, isWait, most, mostKeys) {
    for (let n = 0; n < keys.length; n += mostKeys) {
      const running = [...this.requests].filter((request) => request.isWait === isWait).length;
      if (running >= most) return;
      this.fetch({ chunk, keys: keys.slice(n, n + mostKeys), isWait, abort: new AbortController() });
    }
  }

  async fetch(request) {
    this.requests.add(request);
    const { chunk, keys, abort } = request;
    let isThere = false;
    try {
      const sound = await this.fetchSound(chunk, keys, abort.signal);
      await this.graph.give(chunk, keys, this.channels, sound);
      isThere = true;
    } catch (error) {
      if (this.requests.has(request)) this.fail(request, error);
    }
    if (isThere) {
      for (const key of keys) {
        if (!this.there.has(key)) this.there.set(key, new Set());
        this.there.get(key).add(chunk);
        this.failed.delete(`${key} ${chunk}`);
      }
    }
    this.requests.delete(request);
    this.pump();
  }

  fail({ chunk, keys }, error) {
    const current = new Set(this.newest.values());
    let most = 0;
    for (const key of keys) {
      const name = `${key} ${chunk}`;
      const times = (this.failed.get(name)?.[1] ?? 0) + 1;
      this.failed.set(name, [Date.now() + RETRY_MS, times]);
      if (current.has(key) || key === this.finished) most = Math.max(most, times);
    }
    if (most === 3) this.onError(`the sound does not come from the desk: ${error.message}`);
    setTimeout(() => this.pump(), RETRY_MS + 10);
  }

  close() {
    this.isClosed = true;
    for (const { abort } of this.requests) abort.abort();
  }
}

/**
 * Plays a plan, and finished mixes in its place.
 *
 * Levels in `readings` are linear (1 is full scale) for `peak` and `rms`, LUFS for `momentary`,
 * `shortTerm` and `integrated`, LU for `range`, and dBTP for `truePeak`, of the last twentieth of a
 * second, and `truePeakMax`, since the last start; `correlation` is null in silence.
 *
 * Events: "state" when it plays, pauses or waits; "readings"; "error" with {message} in its detail.
 */
export class Engine extends EventTarget {
  #fetchSound;
  #fetchResponse;
  #graph = null;
  #feeder = null;
  #starting = null;
  #plan = null;
  #sound = null;
  #solo = [];
  #loop = null;
  #hearing = { kind: "live" };
  #last = { position: 0, time: 0, isPlaying: false, isWaiting: false, isMoving: false };
  #serial = 0;
  #isStale = false; // whether sound from elsewhere may still be in the graph
  #loudness = new Loudness();
  #layout = { tracks: [], buses: [] };
  #resting = null;
  #length = 0;
  /** The audio context, once there is one. */
  context = null;
  readings = { tracks: {}, buses: {}, master: makeSilence(), load: 0 };

  /**
   * @param {(chunk: number, keys: string[], signal: AbortSignal) =>
   *   Promise<ArrayBuffer | Response>} fetchSound A Response needs less memory.
   * @param {(key: string) => Promise<ArrayBuffer>} fetchResponse
   */
  constructor(fetchSound, fetchResponse) {
    super();
    this.#fetchSound = fetchSound;
    this.#fetchResponse = fetchResponse;
  }

  /** Opens the audio device, at the rate of the session; to be called in a gesture of the user. */
  async start(rate) {
    this.#starting ??= this.#open(rate);
    try {
      await this.#starting;
    } catch (error) {
      this.#starting = null;
      this.context?.close().catch(() => {}); // it may never have opened
      this.context = null;
      this.#complain(`the browser cannot play sound: ${error.message}`);
    }
  }

  async #open(rate) {
    const context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
    this.context = context;
    context.onstatechange = () => this.#tell("state");
    context.onerror = () => this.#complain("the audio device has failed; press play to try again");
    // At once, as Safari wants it within the gesture; not awaited, as without one it never is done.
    context.resume().catch(() => {});
    const slots = Math.max(LEAST_SLOTS, 2 * (this.#plan?.buses.length ?? 0) + 8);
    const graph = await Graph.make(context, slots, this.#fetchResponse, (m) => this.#take(m));
    graph.onError = (message) => this.#complain(message);
    this.#graph = graph;
    this.#feeder = new Feeder(graph, this.#fetchSound, (message) => this.#complain(message));
    if (this.#solo.length) graph.post({ type: "solo", names: this.#solo });
    if (this.#loop) graph.post({ type: "loop", loop: this.#loop });
    if (this.#last.position) this.seek(this.#last.position);
    if (this.#plan) this.update(this.#plan, this.#sound);
    if (this.#hearing.kind === "master") this.hear(this.#hearing);
  }

  /** The node whose output is heard. */
  get output() {
    return this.#graph?.master;
  }

  /** Takes a plan, and what the server says of its sound; only what is new costs anything. */
  update(plan, sound) {
    this.#plan = plan;
    this.#sound = sound;
    this.#length = sound.length;
    if (!this.#graph) return;
    this.#graph.update(plan, sound);
    this.#feeder.update(sound);
  }

  /** Plays on from the position; from the start if it is at the end. */
  async play() {
    if (!this.#graph) await this.#starting?.catch(() => {});
    if (!this.#graph) return;
    clearTimeout(this.#resting);
    if (this.#length && this.position >= this.#length) this.seek(0);
    if (this.#isStale) this.#graph.flush();
    this.#isStale = false;
    this.#order({ type: "play" });
    this.#last.isPlaying = true;
    this.#feeder.pump();
    this.#tell("state");
    if (this.context.state !== "running") await this.context.resume().catch(() => {});
  }

  /** Falls silent within some hundredths of a second, and keeps the place. */
  pause() {
    if (!this.#graph) return;
    this.#last.position = this.position;
    this.#last.isPlaying = false;
    this.#last.isWaiting = false;
    this.#order({ type: "pause" });
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      if (!this.playing) this.context.suspend().catch(() => {});
    }, REST_MS);
    this.#tell("state");
  }

  /** Tells the transport something; what it said before it took that is out of date. */
  #order(message) {
    this.#serial += 1;
    this.#last.isMoving = false;
    this.#graph.post({ ...message, serial: this.#serial });
  }

  /** Pauses, and goes back to the start, or to the start of the loop. */
  stop() {
    this.pause();
    this.seek(this.#loop ? this.#loop.start : 0);
  }

  /** Goes to a frame of the song. */
  seek(frame) {
    const position = Math.max(0, Math.round(frame));
    this.#last.position = position;
    this.#last.isMoving = false;
    if (!this.#graph) {
      this.#tell("state");
      return;
    }
    if (!this.playing) this.#isStale = true;
    this.#order({ type: "seek", frame: position });
    this.#feeder.move(position, this.#loop);
    this.#tell("state");
  }

  /** Repeats a region of frames; without an end, none. */
  setLoop(start, end = null) {
    const rate = this.context?.sampleRate ?? 48000;
    const least = Math.ceil(LEAST_LOOP_S * rate);
    const first = Math.max(0, Math.round(start));
    this.#loop =
      end === null ? null : { start: first, end: Math.max(first + least, Math.round(end)) };
    this.#graph?.post({ type: "loop", loop: this.#loop });
    this.#feeder?.move(this.position, this.#loop);
    this.#tell("state");
  }

  /** The region that is repeated, {start, end} in frames, or null. */
  get loop() {
    return this.#loop;
  }

  /**
   * Lets only some tracks be heard, and only what is sent to some buses. A muted track stays muted.
   *
   * @param {Iterable<string>} names Of tracks and buses; none lets all be heard.
   */
  setSolo(names) {
    this.#solo = [...names];
    this.#graph?.post({ type: "solo", names: this.#solo });
  }

  /**
   * Chooses what is heard: the plan as it is now, or a finished mix, at the same place.
   *
   * @param {{kind: "live"|"master", key?: string, length?: number, trim_db?: number}} what
   */
  hear(what) {
    this.#hearing = what;
    if (!this.#graph) return;
    const isLive = what.kind === "live";
    if (!isLive) this.#feeder.hear(what.key);
    const level = dbToGain(what.trim_db ?? 0);
    this.#graph.post({ type: "hear", key: isLive ? null : what.key, level });
  }

  /** What is heard, as `hear` was told. */
  get hearing() {
    return this.#hearing;
  }

  /** The frame that is heard now. */
  get position() {
    const { position, time, isMoving } = this.#last;
    if (!isMoving || this.context?.state !== "running") return position;
    const late = this.context.outputLatency || 0;
    const elapsed = Math.max(0, this.context.currentTime - time - late);
    let now = position + Math.round(elapsed * this.context.sampleRate);
    const loop = this.#loop;
    if (loop && position < loop.end && now >= loop.end) {
      now = loop.start + ((now - loop.end) % (loop.end - loop.start));
    }
    return Math.min(now, this.#length);
  }

  /** Whether it plays, or would if the sound were there. */
  get playing() {
    return this.#last.isPlaying;
  }

  /** Whether it stands still because sound is not there yet, or the audio device is not. */
  get waiting() {
    const { isPlaying, isWaiting } = this.#last;
    return isPlaying && (isWaiting || this.context?.state !== "running");
  }

  /** Gives the audio device back. */
  async close() {
    clearTimeout(this.#resting);
    this.#feeder?.close();
    this.#graph?.close();
    this.#graph = null;
    await this.context?.close();
  }

  #take(message) {
    switch (message.type) {
      case "state":
      case "readings": {
        const { position, time, isPlaying, isWaiting, serial } = message;
        const wasPlaying = this.#last.isPlaying;
        const wasWaiting = this.#last.isWaiting;
        if (serial === this.#serial) {
          const isMoving = isPlaying && !isWaiting;
          const place = Math.min(position, this.#length);
          this.#last = { position: place, time, isPlaying, isWaiting, isMoving };
          this.#feeder?.move(position, this.#loop);
        }
        if (message.type === "readings") this.#read(message);
        const isNew = wasPlaying !== isPlaying || wasWaiting !== isWaiting;
        if (message.type === "state" || isNew) this.#tell("state");
        break;
      }
      case "layout":
        this.#layout = message;
        break;
      case "swapped":
        this.#feeder?.swapped(message.name, message.key);
        break;
      case "cleared":
        this.#loudness.clear();
        break;
      default:
        throw new Error(`no such message: ${message.type}`);
    }
  }

  #read({ levels, energies, truePeak, highest, correlation, load }) {
    for (const energy of energies) this.#loudness.add(energy);
    let at = 0;
    const next = () => {
      const [left, right, leftRms, rightRms] = levels.subarray(at, at + 4);
      at += 4;
      return { peak: [left, right], rms: [leftRms, rightRms] };
    };
    const tracks = Object.fromEntries(this.#layout.tracks.map((name) => [name, next()]));
    const buses = Object.fromEntries(this.#layout.buses.map((name) => [name, next()]));
    const master = { ...next(), ...this.#readLoudness(energies.length > 0) };
    master.truePeak = 20 * Math.log10(truePeak);
    master.truePeakMax = 20 * Math.log10(highest);
    master.correlation = correlation;
    this.readings = { tracks, buses, master, load };
    this.#tell("readings");
  }

  #readLoudness(isNew) {
    const { momentary, shortTerm, integrated, range } = isNew
      ? this.#loudness
      : this.readings.master;
    return { momentary, shortTerm, integrated, range };
  }

  #complain(message) {
    this.dispatchEvent(new CustomEvent("error", { detail: { message } }));
  }

  #tell(name) {
    this.dispatchEvent(new CustomEvent(name));
  }
}

function makeSilence() {
  return {
    peak: [0, 0],
    rms: [0, 0],
    momentary: -Infinity,
    shortTerm: -Infinity,
    integrated: -Infinity,
    range: 0,
    truePeak: -Infinity,
    truePeakMax: -Infinity,
    correlation: null,
  };
}

/**
 * Renders a plan through the same graph as fast as it goes.
 *
 * @param {object} plan
 * @param {object} sound
 * @param {{rate: number, frames: number, fetchSound: Function, fetchResponse: Function,
 *   changes?: object[], take?: Function}} about Each change has a `frame` and any
 *   of `plan` and `sound`, `solo`, `loop`, `seek`, `hear`, `play` and `pause`, as an Engine has
 *   them. `take` is given what the audio thread says.
 * @returns {Promise<AudioBuffer>}
 */
export async function renderOffline(plan, sound, about) {
  const { rate, frames, fetchSound, fetchResponse, changes = [], take = () => {} } = about;
  const context = new OfflineAudioContext(2, frames, rate);
  const slots = Math.max(LEAST_SLOTS, 2 * plan.buses.length + 8);
  const graph = await Graph.make(context, slots, fetchResponse, take);
  const held = new Set();
  const load = async (told, extra = []) => {
    const tracks = [...Object.values(told.tracks), ...extra];
    const fresh = tracks.filter(({ key }) => !held.has(key));
    const length = Math.max(told.length, ...extra.map((mix) => mix.length));
    for (let chunk = 0; chunk * CHUNK_FRAMES < length; chunk += 1) {
      const channels = new Map(fresh.map((track) => [track.key, track.channels]));
      const keys = [...channels.keys()];
      if (!keys.length) return;
      await graph.give(chunk, keys, channels, await fetchSound(chunk, keys));
    }
    for (const { key } of fresh) held.add(key);
  };
  let serial = 0;
  const apply = async (change) => {
    if (change.plan) {
      const routes = graph.update(change.plan, change.sound);
      await load(change.sound);
      await routes;
    }
    if (change.solo) graph.post({ type: "solo", names: [...change.solo] });
    if (change.loop !== undefined) graph.post({ type: "loop", loop: change.loop });
    if (change.seek !== undefined) {
      serial += 1;
      graph.post({ type: "seek", frame: change.seek, serial });
    }
    if (change.hear) {
      const { kind, key, length, trim_db: trim = 0 } = change.hear;
      if (kind === "master") await load({ tracks: {}, length: 0 }, [{ key, length, channels: 2 }]);
      graph.post({ type: "hear", key: kind === "live" ? null : key, level: dbToGain(trim) });
    }
    if (change.play) graph.post({ type: "play", serial });
    if (change.pause) graph.post({ type: "pause", serial });
    await graph.sync();
  };
  await apply({ plan, sound, play: true });
  const later = [];
  for (const change of changes) {
    if (change.frame === 0) await apply(change);
    else later.push(change);
  }
  for (const change of later) {
    context.suspend(change.frame / rate).then(async () => {
      await apply(change);
      context.resume();
    });
  }
  const rendered = await context.startRendering();
  await graph.sync().catch(() => {});
  graph.close();
  return rendered;
}
