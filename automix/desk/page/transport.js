/* The bar at the top: playing, listening, comparing, saving, rendering. */

import { showCompare } from "./compare.js";
import { clamp, clock, make, parseTime } from "./drawing.js";
import { makeOverview } from "./overview.js";
import { showReadings } from "./readings.js";

const BRIEF_MS = 3000;
const LOOP_S = 8; // of a loop that nobody has drawn

const ICONS = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M6.5 5h4v14h-4zM13.5 5h4v14h-4z",
  stop: "M6 6h12v12H6z",
  loop: "M7 7h9.5V4l4.5 4-4.5 4V9H9v4H7zM17 17H7.5v3L3 16l4.5-4v3H15v-4h2z",
  undo: "M9 5 3.5 10.5 9 16v-4h5a3.5 3.5 0 0 1 0 7h-4v2h4a5.5 5.5 0 0 0 0-11H9z",
  redo: "M15 5l5.5 5.5L15 16v-4h-5a3.5 3.5 0 0 0 0 7h4v2h-4a5.5 5.5 0 0 1 0-11h5z",
  menu: "M4 6h16v2H4zM4 11h16v2H4zM4 16h16v2H4z",
};

function makeIcon(name) {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  icon.append(path);
  return icon;
}

/**
 * Shows the bar.
 *
 * @param {HTMLElement} element Where it goes.
 * @param {import("./model.js").Model} model The plan.
 * @param {import("./engine.js").Engine} engine What plays it.
 * @param {import("./choice.js").Choice} choice What is soloed and grouped.
 * @param {object} parts `compare`, `dialogs` and `hearing`.
 * @returns {object} What keys do: `toggle` plays or pauses, `toggleLoop`, `markLoop("start" | "end")`,
 *   `undo` and `redo`.
 */
export function showTop(element, model, engine, choice, { compare, dialogs, hearing }) {
  const { rate } = model.state;
  const button = (name, label, act, ...children) =>
    make("button", { type: "button", class: `top-button ${name}`, "aria-label": label, title: label, onclick: act }, ...children);

  // Playing.
  const icons = { play: makeIcon("play"), pause: makeIcon("pause") };
  const play = button("play", "Play (space)", () => toggle(), icons.play, icons.pause);
  play.id = "play";
  const stop = button("stop", "Stop (shift space)", () => engine.stop(), makeIcon("stop"));
  const loop = button("loop", "Loop (L)", () => toggleLoop(), makeIcon("loop"));
  loop.setAttribute("aria-pressed", "false");
  const time = make("input", {
    type: "text",
    class: "time",
    "aria-label": "Position, as minutes and seconds",
    title: "Type a position, then Enter",
    autocomplete: "off",
    spellcheck: "false",
    size: "7",
  });
  const total = make("span", { class: "time-total", "aria-hidden": "true" });
  const overview = makeOverview(model, engine, hearing);

  async function toggle() {
    if (engine.playing) {
      engine.pause();
      return;
    }
    await engine.start(rate);
    await engine.play();
  }

  let region = null; // that was looped last
  function toggleLoop() {
    if (engine.loop) {
      region = engine.loop;
      engine.setLoop(0, null);
      return;
    }
    const { position } = engine;
    const { length } = model.sound;
    const start = region?.start ?? clamp(position, 0, Math.max(0, length - rate));
    engine.setLoop(start, region?.end ?? Math.min(length, start + LOOP_S * rate));
  }

  /** Sets an end of the loop to where it plays; the other stays, or is that of the song. */
  function markLoop(which) {
    const { loop: old, position } = engine;
    const start = which === "start" ? position : (old?.start ?? 0);
    const end = which === "end" ? position : (old?.end ?? model.sound.length);
    if (start < end) engine.setLoop(start, end);
    else if (which === "start") engine.setLoop(start, model.sound.length);
    else engine.setLoop(0, end);
  }

  let isTyped = false;
  time.addEventListener("focus", () => {
    isTyped = true;
    time.select();
  });
  time.addEventListener("blur", () => {
    isTyped = false;
    move();
  });
  time.addEventListener("keydown", (event) => {
    if (event.key === "Escape") time.blur();
    if (event.key !== "Enter") return;
    const seconds = parseTime(time.value);
    if (seconds === null) {
      model.say(`“${time.value}” is no time; type seconds, or minutes:seconds`, "warning");
      return;
    }
    engine.seek(clamp(seconds * rate, 0, Math.max(0, model.sound.length - 1)));
    isTyped = false;
    move();
    isTyped = true;
    time.select();
  });

  function move() {
    const { position } = engine;
    overview.move(position);
    const told = clock(Math.floor((position / rate) * 10) / 10);
    if (!isTyped && time.value !== told) time.value = told;
  }
  let frame = 0;
  function follow() {
    frame = 0;
    move();
    if (engine.playing) frame = requestAnimationFrame(follow);
  }
  engine.addEventListener("state", () => {
    frame ||= requestAnimationFrame(follow);
    showTransport();
  });

  const status = make("span", { class: "top-status", role: "status" });
  function showTransport() {
    const { playing } = engine;
    icons.play.toggleAttribute("hidden", playing);
    icons.pause.toggleAttribute("hidden", !playing);
    const label = playing ? "Pause (space)" : "Play (space)";
    if (play.title !== label) {
      play.title = label;
      play.setAttribute("aria-label", label);
    }
    play.classList.toggle("waiting", engine.waiting);
    loop.setAttribute("aria-pressed", String(engine.loop !== null));
    total.textContent = `/ ${clock(model.sound.length / rate)}`;
  }

  // What is heard.
  const live = make("button", { type: "button", class: "top-button", "aria-pressed": "true", title: "Hear the mix as it is edited, without its limiter", onclick: () => compare.hearNow() }, "Live");
  const master = make("button", { type: "button", class: "top-button", "aria-pressed": "false", title: "Render the finished mix, with its limiter and loudness, and hear it", onclick: () => compare.hearMaster() }, "Master");
  const listen = make("div", { class: "switch", role: "group", "aria-label": "What is heard" }, live, master);
  const { controls, banner } = showCompare(model, compare, dialogs);
  function showHeard() {
    const isMaster = compare.heard.kind === "master";
    live.setAttribute("aria-pressed", String(compare.heard.kind === "now"));
    master.setAttribute("aria-pressed", String(isMaster));
    showProgress();
  }
  compare.addEventListener("change", showHeard);

  // The plan.
  const undoButton = button("undo", "Undo", () => undo(), makeIcon("undo"));
  const redoButton = button("redo", "Redo", () => redo(), makeIcon("redo"));
  async function step(work, told) {
    const answer = await work(); // asked even if nothing is known to be undone: it may be under way
    if (!answer.ok) model.say(answer.body.message, answer.status === 400 ? "note" : "error");
    else tellBriefly(told(answer.body));
  }
  const undo = () => step(() => model.undo(), ({ redo: label }) => `Undone: ${label}`);
  const redo = () => step(() => model.redo(), ({ undo: label }) => `Redone: ${label}`);
  const saved = make("span", { class: "save-state" });
  const save = button("save", "Save (ctrl S)", () => dialogs.save(), "Save");
  const render = button("render", "Render the mix to its file", () => dialogs.render(), "Render");
  const quit = button("quit", "Quit the desk", () => dialogs.quit(), "Quit");
  const help = button("help", "Keys and help (?)", () => dialogs.help(), "?");
  for (const named of [save, render, quit]) named.removeAttribute("aria-label");
  const notes = button("notes", "Notes about this mix", () => dialogs.showNotes(), "Notes");
  notes.removeAttribute("aria-label");
  const showNotes = () => {
    const { length } = dialogs.messages.kept;
    notes.hidden = length === 0;
    notes.textContent = `Notes (${length})`;
  };
  dialogs.messages.addEventListener("kept", showNotes);
  showNotes();
  const name = make("span", { class: "plan-name", title: model.state.file }, model.state.name);

  function showPlan() {
    const { undo: undone, redo: redone, is_saved: isSaved } = model.state;
    for (const [step, word, label, key] of [
      [undoButton, "Undo", undone, "ctrl Z"],
      [redoButton, "Redo", redone, "ctrl shift Z"],
    ]) {
      const told = label === null ? `Nothing to ${word.toLowerCase()}` : `${word} ${label} (${key})`;
      if (step.title !== told) {
        step.title = told;
        step.setAttribute("aria-label", told);
      }
      step.setAttribute("aria-disabled", String(label === null));
    }
    const state = isSaved && !model.isBusy ? "saved" : "not saved";
    if (saved.textContent !== state) saved.textContent = state;
    saved.classList.toggle("unsaved", state !== "saved");
    save.classList.toggle("unsaved", state !== "saved");
  }
  model.addEventListener("change", () => {
    showPlan();
    showTransport();
    showProgress();
  });
  model.addEventListener("saved", showPlan);

  // What is worked on.
  const bar = make("progress", { max: "1", "aria-hidden": "true", hidden: true });
  let rendering = null; // share of the mix that is written
  model.addEventListener("rendering", ({ detail }) => {
    rendering = detail.progress;
    showProgress();
  });
  model.addEventListener("rendered", () => {
    rendering = null;
    showProgress();
  });
  model.addEventListener("ready", showProgress);
  let brief = "";
  let timer = 0;
  function tellBriefly(text) {
    brief = text;
    clearTimeout(timer);
    timer = setTimeout(() => {
      brief = "";
      showProgress();
    }, BRIEF_MS);
    showProgress();
  }
  function showProgress() {
    const [working, share] = tellProgress(model, compare, rendering);
    const text = working || brief;
    if (status.textContent !== text) status.textContent = text;
    bar.hidden = share === null;
    if (share !== null) bar.value = share;
  }

  const readings = make("div", { class: "top-readings" });
  showReadings(readings, model, engine);
  const more = make("button", { type: "button", class: "top-button more", "aria-label": "More", title: "More", "aria-expanded": "false", "aria-controls": "top-menu" }, makeIcon("menu"));
  const menu = make(
    "div",
    { class: "top-menu", id: "top-menu" },
    make("div", { class: "top-group" }, listen),
    make("div", { class: "top-group" }, controls),
    make("div", { class: "top-group top-end" }, notes, render, quit, help),
  );
  const openMenu = (isOpen) => {
    more.setAttribute("aria-expanded", String(isOpen));
    menu.classList.toggle("open", isOpen);
  };
  more.addEventListener("click", () => openMenu(!menu.classList.contains("open")));
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.classList.contains("open")) return;
    openMenu(false);
    more.focus();
  });

  element.classList.add("top");
  element.replaceChildren(
    make(
      "div",
      { class: "top-row" },
      make("div", { class: "top-group transport", role: "group", "aria-label": "Transport" }, stop, play, loop, make("span", { class: "times" }, time, total)),
      overview.element,
      readings,
    ),
    make(
      "div",
      { class: "top-row" },
      make("div", { class: "top-group plan" }, name, saved, undoButton, redoButton, save),
      more,
      menu,
    ),
    banner,
    make("div", { class: "top-work" }, status, bar),
  );
  showTransport();
  showHeard();
  showPlan();
  move();
  return { toggle, toggleLoop, markLoop, undo, redo };
}

/** What is being worked on, as [sentence, share]. */
function tellProgress(model, compare, rendering) {
  const percent = (share) => `${Math.round(100 * share)} %`;
  if (rendering !== null) return [`Rendering the mix: ${percent(rendering)}`, rendering];
  const { master } = compare;
  if (master?.state === "working") return [`Rendering the master: ${percent(master.progress)}`, master.progress];
  const tracks = Object.values(model.sound.tracks);
  const { frames } = model.state;
  const shares = tracks.map(({ ready }) => Math.min(1, ready / frames));
  const waiting = shares.filter((share) => share < 1).length;
  if (!waiting) return ["", null];
  const share = shares.reduce((sum, value) => sum + value, 0) / shares.length;
  return [`Rendering ${waiting === 1 ? "a track" : `${waiting} tracks`}`, share];
}
