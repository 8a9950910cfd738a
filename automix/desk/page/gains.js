/* Gains: the pan laws of automix.dsp.pan, and gains that move smoothly to where they are set. */

const NEPERS_PER_DB = Math.LN10 / 20;
export const MOST_FRAMES = 1024; // of one quantum: browsers have 128, which may grow
const MOVE_S = 0.01; // so long a gain takes to where it is set

/** Linear gain of a level in dB. */
export function dbToGain(level) {
  return 10 ** (level / 20);
}

/** Gain of one side of a mono track; `toSide` is 0 at the other side, 1 at this one. */
function panGain(toSide, law) {
  if (law === "linear") return toSide;
  const power = Math.sin((toSide * Math.PI) / 2);
  return law === "constant-power" ? power : Math.sqrt(toSide * power);
}

/**
 * The gain of a side at a position.
 *
 * @param {"mono"|"centered"|"stereo"} kind What is placed. "centered" is a mono track that its
 *   inserts made stereo: it has the level of the center already.
 */
function sideGain(toSide, law, kind) {
  if (kind === "mono") return panGain(toSide, law);
  const gain = panGain(toSide, law) / panGain(0.5, law);
  return kind === "stereo" ? Math.min(gain, 1) : gain;
}

const moving = new Float64Array(MOST_FRAMES);
const positions = new Float64Array(MOST_FRAMES);

/**
 * One gain, or the two of a left and a right side, with the rides that move them.
 *
 * Over `left` and `right` lie the gains of each frame after `next`, unless `isEven`: then they are
 * `evenLeft` and `evenRight` in all of them.
 */
export class Gain {
  /** @param {number} rate Frames per second. */
  constructor(rate) {
    this.step = 1 / Math.round(MOVE_S * rate);
    this.left = new Float64Array(MOST_FRAMES);
    this.right = new Float64Array(MOST_FRAMES);
    this.isEven = true;
    this.evenLeft = 0;
    this.evenRight = 0;
    this.spec = null; // {level, line, pan, panLine, law, kind}
    this.fromLeft = 0;
    this.fromRight = 0;
    this.share = 1; // how far it is from `from` to what is set
    this.restLeft = 0; // of a spec without lines
    this.restRight = 0;
    this.lastLeft = 0; // of the last frame where they differ
    this.lastRight = 0;
    this.wasHeard = false;
  }

  /**
   * Sets where it moves to.
   *
   * @param {{level: number, line?: RideLine, pan?: number, panLine?: RideLine, law?: string,
   *   kind?: string}} spec A linear gain and what rides it; with a pan, it has two sides.
   * @param {boolean} isAtOnce Whether it jumps there, as nothing is heard of it.
   */
  set(spec, isAtOnce = false) {
    this.spec = spec;
    const level = spec.level;
    this.restLeft = level;
    this.restRight = level;
    if (spec.pan !== undefined) {
      this.restLeft = level * sideGain(1 - spec.pan, spec.law, spec.kind);
      this.restRight = level * sideGain(spec.pan, spec.law, spec.kind);
    }
    if (isAtOnce || !this.wasHeard) this.arrive();
    else this.leave();
  }

  /** Starts from silence: the next `set` is a rise. */
  startSilent() {
    this.wasHeard = true;
    this.isEven = true;
    this.evenLeft = 0;
    this.evenRight = 0;
  }

  /** Is at once where it is set. */
  arrive() {
    this.share = 1;
    this.isEven = true;
    this.evenLeft = this.restLeft;
    this.evenRight = this.restRight;
  }

  /** Starts to move anew from the gain that was heard last. */
  leave() {
    this.fromLeft = this.evenLeft;
    this.fromRight = this.evenRight;
    if (!this.isEven) {
      this.fromLeft = this.lastLeft;
      this.fromRight = this.lastRight;
    }
    this.share = 0;
  }

  /** Goes on from the gain heard last where a ride jumps, as the song does. */
  jump(isAtOnce) {
    if (!this.spec || (!this.spec.line && !this.spec.panLine)) return;
    if (isAtOnce) this.arrive();
    else this.leave();
  }

  /** Whether it is 0 and stays so. */
  get isOff() {
    return this.share === 1 && this.restLeft === 0 && this.restRight === 0 && !this.spec.panLine;
  }

  /** Reckons the gains of the next frames; `position` is where in the song they lie. */
  next(position, count) {
    const { spec, left, right } = this;
    this.wasHeard = true;
    const lineRests = !spec.line || spec.line.rests(position, count);
    const panRests = !spec.panLine || spec.panLine.rests(position, count);
    let restLeft = this.restLeft;
    let restRight = this.restRight;
    if (spec.panLine && panRests) {
      const pan = spec.panLine.at(position);
      restLeft = spec.level * sideGain(1 - pan, spec.law, spec.kind);
      restRight = spec.level * sideGain(pan, spec.law, spec.kind);
    }
    if (spec.line && lineRests) {
      const gain = Math.exp(spec.line.at(position) * NEPERS_PER_DB);
      restLeft *= gain;
      restRight *= gain;
    }
    this.isEven = lineRests && panRests && this.share === 1;
    if (this.isEven) {
      this.evenLeft = restLeft;
      this.evenRight = restRight;
      return;
    }
    if (panRests) {
      left.fill(restLeft, 0, count);
      right.fill(restRight, 0, count);
    } else {
      spec.panLine.write(positions, position, count);
      const outer = lineRests && spec.line ? Math.exp(spec.line.at(position) * NEPERS_PER_DB) : 1;
      const level = spec.level * outer;
      for (let n = 0; n < count; n += 1) {
        left[n] = level * sideGain(1 - positions[n], spec.law, spec.kind);
        right[n] = level * sideGain(positions[n], spec.law, spec.kind);
      }
    }
    if (!lineRests) {
      spec.line.write(moving, position, count);
      for (let n = 0; n < count; n += 1) {
        const gain = Math.exp(moving[n] * NEPERS_PER_DB);
        left[n] *= gain;
        right[n] *= gain;
      }
    }
    if (this.share < 1) {
      let { share } = this;
      for (let n = 0; n < count; n += 1) {
        share = share + this.step < 1 ? share + this.step : 1;
        left[n] = this.fromLeft + share * (left[n] - this.fromLeft);
        right[n] = this.fromRight + share * (right[n] - this.fromRight);
      }
      this.share = share > 1 - 0.5 * this.step ? 1 : share;
    }
    this.lastLeft = left[count - 1];
    this.lastRight = right[count - 1];
  }
}

/** A share that moves straight to 0 or 1: of a fade between two things that are heard. */
export class Fade {
  /**
   * @param {number} rate Frames per second.
   * @param {number} seconds How long it takes.
   * @param {number} share Where it is.
   */
  constructor(rate, seconds, share) {
    this.step = 1 / Math.max(1, Math.round(seconds * rate));
    this.share = share;
    this.target = share;
    this.shares = new Float64Array(MOST_FRAMES);
    this.isEven = true; // then `share` is that of each frame
  }

  /** Reckons the next frames. */
  next(count) {
    this.isEven = this.share === this.target;
    if (this.isEven) return;
    let { share } = this;
    const step = this.target > share ? this.step : -this.step;
    for (let n = 0; n < count; n += 1) {
      share += step;
      if (step > 0 ? share > this.target - 0.5 * step : share < this.target - 0.5 * step) {
        share = this.target;
      }
      this.shares[n] = share;
    }
    this.share = share;
  }

  /** Whether nothing is left of it. */
  get isOver() {
    return this.share === 0 && this.target === 0;
  }
}
