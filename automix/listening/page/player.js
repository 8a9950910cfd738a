"use strict";

/* Plays the stimuli of a passage in step: all of them run all the time, one of them is heard.
 * Hence a switch keeps the position to the sample. Its crossfade is a raised cosine with gains
 * that add up to 1, so a part that two stimuli share goes on unchanged. */

const FADE_S = 0.015;
const LOOKAHEAD_S = 0.03; // devices render ahead in bursts; a fade that starts late would click
const START_S = 0.05;
const GAP_S = 0.001; // between fades: curves of one gain may not touch

const RISE = Float32Array.from({ length: 65 }, (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * i) / 64));
const FALL = RISE.map((gain) => 1 - gain);

class Player {
  /** @param {BaseAudioContext} context  @param {AudioNode} [output] default: the loudspeakers */
  constructor(context, output) {
    this.context = context;
    this.output = output || context.destination;
    this.buffers = new Map();
    this.voices = null; // while playing: name → {source, gain}
    this.heard = null; // name of the stimulus that is heard, or would be
    this.offset = 0; // position when it was started or paused, s
    this.startedAt = 0; // in the time of the context
    this.freeAt = 0; // when the last fade ends
  }

  /** Takes the stimuli of a passage: AudioBuffers of one length by name. */
  load(buffers) {
    this.pause();
    this.buffers = buffers;
    this.heard = null;
    this.offset = 0;
  }

  get playing() {
    return this.voices !== null;
  }

  get duration() {
    const [buffer] = this.buffers.values();
    return buffer ? buffer.duration : 0;
  }

  /** Seconds from the start of the excerpt, which loops. */
  get position() {
    if (!this.playing) return this.offset;
    const elapsed = Math.max(0, this.context.currentTime - this.startedAt);
    return (this.offset + elapsed) % this.duration;
  }

  /** Starts all stimuli at one instant, `name` to be heard. */
  play(name, offset = this.offset) {
    this.pause();
    const when = Math.max(this.context.currentTime + START_S, this.freeAt);
    this.voices = new Map();
    for (const [each, buffer] of this.buffers) {
      const source = new AudioBufferSourceNode(this.context, { buffer, loop: true });
      const gain = new GainNode(this.context, { gain: 0 });
      source.connect(gain).connect(this.output);
      source.start(when, offset);
      this.voices.set(each, { source, gain });
    }
    this.offset = offset;
    this.startedAt = when;
    this.freeAt = when;
    this.heard = name;
    this.fade(name, RISE, this.reserve());
  }

  /** Lets `name` be heard, at the same position. */
  switchTo(name) {
    if (!this.playing) {
      this.play(name);
    } else if (name !== this.heard) {
      const when = this.reserve();
      this.fade(this.heard, FALL, when);
      this.fade(name, RISE, when);
      this.heard = name;
    }
  }

  pause() {
    if (!this.playing) return;
    const when = this.reserve();
    this.offset = this.position;
    this.fade(this.heard, FALL, when);
    for (const { source, gain } of this.voices.values()) {
      source.stop(when + FADE_S + GAP_S);
      source.onended = () => gain.disconnect();
    }
    this.voices = null;
  }

  seek(offset) {
    const { heard, playing } = this;
    this.pause();
    this.offset = offset;
    if (playing) this.play(heard);
  }

  /** The time of the next fade: never in the past, never during another. */
  reserve() {
    const when = Math.max(this.context.currentTime + LOOKAHEAD_S, this.freeAt);
    this.freeAt = when + FADE_S + GAP_S;
    return when;
  }

  fade(name, curve, when) {
    this.voices.get(name).gain.gain.setValueCurveAtTime(curve, when, FADE_S);
  }
}
