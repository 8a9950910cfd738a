/* Helpers in the page: the engine with the bench's data, and what leaves it. */

import { Engine, renderOffline } from "/engine.js";

export { Engine, renderOffline };

async function get(path, signal) {
  const answer = await fetch(path, { signal });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.arrayBuffer();
}

export const fetchSound = (chunk, keys, signal) =>
  chunk % 2 ? get(`/sound/${chunk}?keys=${keys}`, signal) : fetch(`/sound/${chunk}?keys=${keys}`, { signal });
export const fetchResponse = (key) => get(`/response/${key}`);

/** Gives samples of two sides to the bench. */
export async function send(name, left, right) {
  const all = new Float32Array(left.length + right.length);
  all.set(left);
  all.set(right, left.length);
  await fetch(`/${name}`, { method: "POST", body: all });
}

/** Renders offline and gives the result to the bench. */
export async function render(name, song, frames, changes = []) {
  const messages = [];
  const about = { rate: song.rate, frames, fetchSound, fetchResponse, changes };
  const start = performance.now();
  const take = (message) => messages.push(message);
  const buffer = await renderOffline(song.plan, song.sound, { ...about, take });
  const seconds = (performance.now() - start) / 1000;
  await send(name, buffer.getChannelData(0), buffer.getChannelData(1));
  return { seconds, messages };
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Until something is true; says after how many milliseconds it was. */
export async function until(isTrue, most = 10000) {
  const start = performance.now();
  while (!isTrue()) {
    if (performance.now() - start > most) throw new Error(`never true: ${isTrue}`);
    await sleep(2);
  }
  return performance.now() - start;
}

/** An engine that plays a song, and a tape of all that leaves it, from before it starts. */
export async function open(song) {
  const engine = new Engine(fetchSound, fetchResponse);
  engine.complaints = [];
  engine.addEventListener("error", ({ detail }) => engine.complaints.push(detail.message));
  engine.update(song.plan, song.sound);
  await engine.start(song.rate);
  const { context } = engine;
  await context.audioWorklet.addModule("/engine_tape.js");
  const tape = new AudioWorkletNode(context, "tape", { numberOfOutputs: 0 });
  engine.output.connect(tape);
  engine.tape = tape;
  return engine;
}

/** The tape of an engine: both sides since it was opened. */
export async function read(engine) {
  const answer = new Promise((done) => {
    engine.tape.port.onmessage = ({ data }) => done(data);
  });
  engine.tape.port.postMessage("read");
  return answer;
}
