/* Keeps all that it hears, with the number of the frame at which it began. */

class Tape extends AudioWorkletProcessor {
  constructor() {
    super();
    this.left = new Float32Array(60 * sampleRate);
    this.right = new Float32Array(60 * sampleRate);
    this.at = 0;
    this.start = null;
    this.port.onmessage = () => {
      const { start, at } = this;
      const left = this.left.slice(0, at);
      const right = this.right.slice(0, at);
      this.port.postMessage({ start, left, right }, [left.buffer, right.buffer]);
    };
  }

  process([input]) {
    this.start ??= currentFrame;
    const count = input.length ? input[0].length : 128;
    if (this.at + count > this.left.length) return true;
    if (input.length) {
      this.left.set(input[0], this.at);
      this.right.set(input[input.length - 1], this.at);
    }
    this.at += count;
    return true;
  }
}

registerProcessor("tape", Tape);
