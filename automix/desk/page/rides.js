/* Rides: the line through the points of a ride, frame by frame, as automix.dsp.rides has it. */

/** The line of one ride. A value depends on the number of its frame alone. */
export class RideLine {
  /**
   * @param {Float64Array} frames Where the points lie, rising; need not be whole.
   * @param {Float64Array} values In the unit of the setting.
   */
  constructor(frames, values) {
    this.frames = frames;
    this.values = values;
    this.slopes = new Float64Array(Math.max(0, frames.length - 1));
    for (let n = 0; n < this.slopes.length; n += 1) {
      const slope = (values[n + 1] - values[n]) / (frames[n + 1] - frames[n]);
      this.slopes[n] = Number.isFinite(slope) ? slope : 0; // of points as good as at one time
    }
    this.point = -1; // the last point at or before the frame that was asked for last
  }

  /** Finds the last point at or before a frame; −1 before the first. */
  seek(frame) {
    const { frames } = this;
    let { point } = this;
    const isNear =
      (point < 0 || frames[point] <= frame) &&
      (point + 2 >= frames.length || frames[point + 2] > frame);
    if (isNear) {
      while (point + 1 < frames.length && frames[point + 1] <= frame) point += 1;
    } else {
      let low = 0;
      let high = frames.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (frames[middle] <= frame) low = middle + 1;
        else high = middle;
      }
      point = low - 1;
    }
    this.point = point;
    return point;
  }

  /** Whether the line keeps one value over some frames. */
  rests(start, count) {
    const point = this.seek(start);
    const { frames, values } = this;
    const first = values[Math.max(point, 0)];
    for (let next = Math.max(point + 1, 0); next < frames.length; next += 1) {
      if (values[next] !== first) return false;
      if (frames[next] >= start + count) return true;
    }
    return true;
  }

  /** The value at a frame. */
  at(frame) {
    const point = this.seek(frame);
    if (point < 0) return this.values[0];
    if (point >= this.slopes.length) return this.values[point];
    return this.values[point] + this.slopes[point] * (frame - this.frames[point]);
  }

  /** Writes the values of some frames. */
  write(target, start, count) {
    const { frames, values, slopes } = this;
    let point = this.seek(start);
    for (let n = 0; n < count; n += 1) {
      const frame = start + n;
      while (point + 1 < frames.length && frames[point + 1] <= frame) point += 1;
      if (point < 0) target[n] = values[0];
      else if (point >= slopes.length) target[n] = values[point];
      else target[n] = values[point] + slopes[point] * (frame - frames[point]);
    }
    this.point = point;
  }
}
