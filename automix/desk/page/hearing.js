/* What the server heard of the tracks: overviews, spectra and reductions, asked for once. */

const MOST_AT_ONCE = 2; // an answer waits for its render, and a browser has few connections

/**
 * Keeps what was heard of each track's render.
 *
 * Events: "heard" {name} when something new about a track is there.
 */
export class Hearing extends EventTarget {
  #model;
  #known = new Map(); // by key
  #latest = new Map(); // by name: what was last heard, of whatever render
  #wanted = []; // names, the most urgent first
  #asked = new Set(); // keys
  #frames = new Map(); // by key
  #failed = new Map(); // by key: when to try again

  constructor(model) {
    super();
    this.#model = model;
    for (const name of ["change", "ready"]) {
      model.addEventListener(name, () => {
        this.#measure();
        this.#ask();
      });
    }
    this.#measure();
  }

  /** Keeps how long each render is: as long as it was when it was heard, which is when it is whole. */
  #measure() {
    for (const { key, ready } of Object.values(this.#model.sound.tracks)) {
      if (ready > (this.#frames.get(key) ?? 0)) this.#frames.set(key, ready);
    }
  }

  /** The length of the render that something was heard of. */
  framesOf(heard) {
    return this.#frames.get(heard.key) ?? this.#model.sound.length;
  }

  /** What was heard of a track, of an older render where the present one is not done; or nothing. */
  of(name) {
    const track = this.#model.sound.tracks[name];
    return (track && this.#known.get(track.key)) ?? this.#latest.get(name);
  }

  /** Whether what `of` gives is of the present render. */
  isFresh(name) {
    return this.#known.has(this.#model.sound.tracks[name]?.key);
  }

  /** Asks for tracks, the first of them first. */
  want(names) {
    const others = this.#wanted.filter((name) => !names.includes(name));
    this.#wanted = [...names, ...others];
    this.#ask();
  }

  #ask() {
    for (const [place, name] of this.#wanted.entries()) {
      const most = place === 0 ? MOST_AT_ONCE : MOST_AT_ONCE - 1; // the first never waits for others
      if (this.#asked.size >= most) return;
      const key = this.#model.sound.tracks[name]?.key;
      if (!key || this.#known.has(key) || this.#asked.has(key)) continue;
      if ((this.#failed.get(key) ?? 0) > performance.now()) continue;
      this.#fetch(name, key);
    }
  }

  async #fetch(name, key) {
    this.#asked.add(key);
    try {
      const answer = await fetch(`heard/${key}`);
      if (!answer.ok) throw new Error(`heard ${answer.status}`);
      const heard = { ...(await answer.json()), key };
      this.#known.set(key, heard);
      this.#latest.set(name, heard);
      if (this.#known.size > 300) this.#known.delete(this.#known.keys().next().value);
      this.dispatchEvent(new CustomEvent("heard", { detail: { name } }));
    } catch {
      // The render was replaced meanwhile, or is not done: its successor, or it, is asked for later.
      this.#failed.set(key, performance.now() + 2000);
      setTimeout(() => this.#ask(), 2100);
    } finally {
      this.#asked.delete(key);
      this.#ask();
    }
  }
}

/** The gain, in dB, with which a track reaches a part: the mix, or a bus that it sends to. */
function gainTowards(model, strip, owner) {
  if (strip.mute) return -Infinity;
  if (owner === "master") return strip.fader_db;
  const send = strip.sends.find(({ bus }) => bus === owner);
  return send ? strip.fader_db + send.gain_db : -Infinity;
}

/** The tracks that feed a bus or the master, with their gains. */
export function feedersOf(model, owner) {
  return model.plan.tracks
    .map((strip) => ({ name: strip.name, gain_db: gainTowards(model, strip, owner) }))
    .filter(({ gain_db }) => gain_db > -Infinity);
}

/**
 * Power per third octave of several tracks together.
 *
 * @returns {{centers_hz: number[], db: number[], strongest: string[]} | null}
 */
export function sumSpectra(hearing, feeders) {
  let centers = null;
  let powers = [];
  let best = [];
  let strongest = [];
  for (const { name, gain_db } of feeders) {
    const spectrum = hearing.of(name)?.spectrum;
    if (!spectrum) continue;
    if (!centers) {
      centers = spectrum.centers_hz;
      powers = centers.map(() => 0);
      best = centers.map(() => 0);
      strongest = centers.map(() => "");
    }
    for (let band = 0; band < centers.length; band += 1) {
      const power = 10 ** (((spectrum.db[band] ?? -200) + gain_db) / 10);
      powers[band] += power;
      if (power > best[band]) {
        best[band] = power;
        strongest[band] = name;
      }
    }
  }
  if (!centers) return null;
  const db = powers.map((power) => 10 * Math.log10(Math.max(power, 1e-20)));
  return { centers_hz: centers, db, strongest };
}
