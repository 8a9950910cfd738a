"use strict";
// Plays the excerpts: all run side by side in a loop, and one of them is heard.
(() => {
  const excerpts = JSON.parse(document.getElementById("excerpts").textContent);
  const play = document.getElementById("play");
  const buttons = [...document.querySelectorAll("[data-source]")];
  const FADE_S = 0.015;
  let context = null, sources = [], gains = [], chosen = 0, loading = null;

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

  async function load() {
    context = new AudioContext();
    const buffers = await Promise.all(
      excerpts.map((excerpt) => context.decodeAudioData(bytes(excerpt.mp3))));
    gains = buffers.map(() => context.createGain());
    gains.forEach((gain) => { gain.gain.value = 0; gain.connect(context.destination); });
    return buffers;
  }

  function hear(number) {
    chosen = number;
    buttons.forEach((button, n) => button.setAttribute("aria-pressed", n === number));
    if (!context) return;
    const now = context.currentTime;
    gains.forEach((gain, n) => {
      gain.gain.cancelScheduledValues(now);
      gain.gain.setValueAtTime(gain.gain.value, now);
      gain.gain.linearRampToValueAtTime(n === number ? excerpts[n].gain : 0, now + FADE_S);
    });
  }

  async function toggle() {
    if (sources.length) {
      sources.forEach((source) => source.stop());
      sources = [];
      play.textContent = "Play";
      return;
    }
    loading = loading || load();
    const buffers = await loading;
    await context.resume();
    if (sources.length) return;
    const start = context.currentTime + 0.05;
    sources = buffers.map((buffer, n) => {
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.loop = true;
      source.connect(gains[n]);
      source.start(start);
      return source;
    });
    hear(chosen);
    play.textContent = "Stop";
  }

  play.addEventListener("click", toggle);
  buttons.forEach((button, n) => button.addEventListener("click", () => hear(n)));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const number = Number(event.key) - 1;
    if (event.key === " " && event.target.tagName !== "BUTTON" && event.target.tagName !== "SUMMARY") {
      event.preventDefault();
      toggle();
    } else if (number >= 0 && number < buttons.length) {
      hear(number);
    }
  });
  hear(0);
})();
