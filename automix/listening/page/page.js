"use strict";

/* The course of a test: welcome, questions, training, passages, questions, thanks. What was
 * answered is kept in the browser until the result is sent or saved, so a reload loses nothing. */

const test = window.automixTest;
const STORED = `automix-listening-${test.test}`;
const SEND_ATTEMPTS = 4;
const SEND_WAIT_MS = 20000;

const DESCRIPTIONS = {
  ape:
    "You will hear passages of music, each in several mixes. Play the mixes, switch between them" +
    " as often as you like, and drag each marker along the line: the better the mix, the farther" +
    " to the right. What counts is how the mixes compare.",
  mushra:
    "You will hear passages of music, each in several versions beside a reference. Rate each" +
    " version from 0 to 100 by how good it is compared with the reference. One of the versions is" +
    " the reference itself: it should get 100.",
  likert:
    "You will hear short passages of music, each in several mixes. Rate every mix, as a whole and" +
    " in each respect.",
};

/* ---- chance: the same for the same participant ---- */

function generator(text) {
  let state = 2166136261; // FNV-1a, then SplitMix32
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 16777619);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4294967296;
  };
}

function shuffled(items, random) {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}

function randomName() {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Passages and stimuli in the order of a participant, and where markers start. */
function orderFor(participant) {
  const random = generator(`${test.test} ${test.seed} ${participant}`);
  return shuffled(test.passages, random).map((passage) => ({
    ...passage,
    stimuli: shuffled(passage.stimuli, random),
    places: passage.stimuli.map(() => 0.1 + 0.8 * random()),
  }));
}

/* ---- state ---- */

function newState() {
  const wanted = new URLSearchParams(location.search).get("participant") || "";
  return {
    participant: /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/.test(wanted) ? wanted : randomName(),
    submission: randomName(),
    started: new Date().toISOString(),
    finished: null,
    step: 0,
    answers: {},
    ratings: {}, // by stimulus: {rating, aspects, plays}
    seconds: {}, // by passage
  };
}

let isStored = false;

function store() {
  try {
    localStorage.setItem(STORED, JSON.stringify(state));
    isStored = true;
  } catch {
    isStored = false;
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(STORED));
  } catch {
    return null;
  }
}

function forget() {
  try {
    localStorage.removeItem(STORED);
  } catch {
    // there is nothing to remove where nothing can be stored
  }
}

let state = newState();
let order = orderFor(state.participant);
let steps = [];
let context = null;
let player = null;
let onKey = null; // of the step that is shown
let onLeave = null;

/* ---- audio files ---- */

const arriving = new Map();

/** Called by the files in audio/. */
window.automixAudio = (name, encoded) => arriving.get(name)(encoded);

function loadText(name) {
  return new Promise((resolve, reject) => {
    const script = make("script", { src: `audio/${name}.js` });
    arriving.set(name, (encoded) => resolve(encoded));
    script.addEventListener("error", () => reject(new Error("audio cannot be loaded")));
    script.addEventListener("load", () => script.remove());
    document.head.append(script);
  });
}

async function loadBuffer(name) {
  const text = atob(await loadText(name));
  arriving.delete(name);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return context.decodeAudioData(bytes.buffer);
}

const buffers = new Map(); // name → promise of an AudioBuffer

/** The stimuli by name; those that were asked for before and not now or next are let go. */
async function loadAll(names, next = []) {
  const wanted = [...names, ...next];
  for (const name of buffers.keys()) if (!wanted.includes(name)) buffers.delete(name);
  const load = (name) => {
    if (!buffers.has(name)) {
      const promise = loadBuffer(name);
      promise.catch(() => buffers.delete(name)); // to be tried again
      buffers.set(name, promise);
    }
    return buffers.get(name);
  };
  const loaded = await Promise.all(names.map(async (name) => [name, await load(name)]));
  for (const name of next) load(name);
  return new Map(loaded);
}

function stimuliOf(passage) {
  return passage.reference ? [...passage.stimuli, passage.reference] : passage.stimuli;
}

/* ---- pages ---- */

const main = document.getElementById("main");
const statusLine = document.getElementById("status");

function say(text) {
  statusLine.textContent = text;
}

function show(...content) {
  main.replaceChildren(...content);
  window.scrollTo(0, 0);
  main.focus({ preventScroll: true });
}

function nextButton(label, onclick) {
  return make("button", { class: "next", type: "button", onclick }, label);
}

async function goTo(step) {
  if (onLeave) onLeave();
  onKey = onLeave = null;
  if (player) player.load(new Map());
  state.step = step;
  if (step > 0 && !state.sent) store();
  say("");
  const { place, render } = steps[step];
  document.getElementById("place").textContent = place || "";
  const progress = document.getElementById("progress");
  progress.setAttribute("aria-valuemax", steps.length - 1);
  progress.setAttribute("aria-valuenow", step);
  progress.firstElementChild.style.width = `${(100 * step) / (steps.length - 1)}%`;
  await render(() => goTo(step + 1));
}

function begin(saved) {
  if (saved) state = saved;
  order = orderFor(state.participant);
  steps = planSteps();
  if (!context) {
    try {
      context = new AudioContext({ sampleRate: test.sampleRate });
    } catch {
      context = new AudioContext(); // stimuli are resampled when they are decoded
    }
    player = new Player(context);
  }
  context.resume();
  goTo(saved ? saved.step : 1);
}

function planSteps() {
  const early = test.questions.filter((question) => !question.after);
  const late = test.questions.filter((question) => question.after);
  const planned = [{ render: showWelcome }];
  if (early.length) {
    planned.push({ place: "About you", render: (next) => showQuestions(early, next) });
  }
  if (test.training) planned.push({ place: "Training", render: showTraining });
  order.forEach((passage, index) => {
    const place = `Passage ${index + 1} of ${order.length}`;
    planned.push({ place, render: (next) => showPassage(passage, order[index + 1], next) });
  });
  if (late.length) {
    planned.push({ place: "Finally", render: (next) => showQuestions(late, next) });
  }
  planned.push({ render: showEnd });
  return planned;
}

async function showWelcome() {
  const saved = stored();
  const paragraphs = test.instructions.length ? test.instructions : [DESCRIPTIONS[test.type]];
  const keys =
    test.type === "likert"
      ? "arrow keys rate"
      : test.type === "mushra"
        ? "R plays the reference, arrow keys move the slider"
        : "arrow keys move the marker";
  const start = nextButton("Begin", () => {
    state = newState();
    begin(null);
  });
  const resume = saved && saved.step > 0;
  show(
    make("h1", {}, test.title),
    ...paragraphs.map((text) => make("p", {}, text)),
    make(
      "p",
      {},
      "Use good headphones in a quiet place. Set a comfortable volume at the first sound, and" +
        " leave it as it is from then on.",
    ),
    make(
      "p",
      { class: "quiet keys" },
      `Keys: digits choose a mix, ${keys}, Space plays and stops, Enter goes on.`,
    ),
    make(
      "div",
      { class: "actions" },
      resume ? nextButton("Continue where you were", () => begin(saved)) : "",
      start,
    ),
  );
  if (resume) {
    start.textContent = "Start anew";
    start.classList.add("second");
  }
  onKey = (event) => {
    if (event.key !== "Enter") return false;
    main.querySelector(".next").click();
    return true;
  };
}

async function showQuestions(questions, next) {
  const form = make("form", {
    onsubmit: (event) => {
      event.preventDefault();
      for (const [name, answer] of new FormData(form)) {
        if (answer) state.answers[name] = answer;
        else delete state.answers[name];
      }
      next();
    },
  });
  for (const { name, text, choices, required } of questions) {
    const given = state.answers[name] || "";
    if (choices.length) {
      const options = choices.map((choice) => {
        const attributes = { type: "radio", name, value: choice, required };
        const radio = make("input", { ...attributes, checked: choice === given });
        return make("label", { class: "choice" }, radio, make("span", {}, choice));
      });
      form.append(make("fieldset", { class: "question" }, make("legend", {}, text), ...options));
    } else {
      const maxlength = test.mostCharacters;
      const area = make("textarea", { name, rows: 4, maxlength, required }, given);
      form.append(make("label", { class: "question" }, make("span", {}, text), area));
    }
  }
  form.append(
    make("div", { class: "actions" }, make("button", { class: "next", type: "submit" }, "Next")),
  );
  show(make("h1", {}, questions[0].after ? "One last thing" : "About you"), form);
}

/** Loads, and says so; offers another try where it fails. Null where the page was left. */
async function loadedFor(names, following) {
  const step = state.step;
  show(make("p", { class: "loading" }, "Loading …"));
  for (;;) {
    try {
      const loaded = await loadAll(names, following);
      return state.step === step ? loaded : null;
    } catch {
      await new Promise((resolve) => {
        show(
          make("p", {}, "The sound could not be loaded."),
          make("div", { class: "actions" }, nextButton("Try again", resolve)),
        );
      });
    }
  }
}

/** Play and pause, a button per stimulus, the position. */
class Transport {
  constructor(names, labels, { onChoose, withButtons = names }) {
    this.names = names;
    this.labels = labels;
    this.onChoose = onChoose;
    this.buttons = [];
    this.toggle = make(
      "button",
      { class: "toggle", type: "button", onclick: () => this.press() },
      make("span", { class: "icon" }),
    );
    this.seek = make("input", {
      type: "range",
      min: 0,
      max: player.duration,
      step: "any",
      value: 0,
      "aria-label": "Position",
      oninput: () => player.seek(Math.min(Number(this.seek.value), player.duration * 0.999)),
    });
    this.time = make("span", { class: "time" });
    this.element = make(
      "div",
      { class: "transport" },
      this.toggle,
      make("div", { class: "mixes" }, ...withButtons.map((name) => this.buttonOf(name))),
      make("div", { class: "position" }, this.seek, this.time),
    );
    this.tick();
  }

  buttonOf(name) {
    const onclick = () => {
      if (player.playing && player.heard === name) this.press();
      else this.choose(name);
    };
    const attributes = { class: "mix", type: "button", "aria-pressed": "false", onclick };
    const button = make("button", attributes, this.labels.get(name));
    if (/^\d+$/.test(this.labels.get(name))) {
      button.setAttribute("aria-label", `Mix ${this.labels.get(name)}`);
    }
    this.buttons.push({ button, name });
    return button;
  }

  choose(name) {
    context.resume();
    player.switchTo(name);
    this.onChoose(name);
    this.update();
  }

  press() {
    if (player.playing) player.pause();
    else this.choose(player.heard || this.names[0]);
    this.update();
  }

  update() {
    const label = player.playing ? "Pause" : "Play";
    this.toggle.setAttribute("aria-label", label);
    this.toggle.title = `${label} (Space)`;
    this.toggle.classList.toggle("playing", player.playing);
    for (const { button, name } of this.buttons) {
      const heard = player.heard === name;
      button.classList.toggle("chosen", heard);
      button.setAttribute("aria-pressed", String(heard && player.playing));
    }
  }

  mark(name, isDone) {
    for (const entry of this.buttons) {
      if (entry.name === name) entry.button.classList.toggle("done", isDone);
    }
  }

  tick() {
    const seconds = (value) => value.toFixed(1);
    if (document.activeElement !== this.seek || player.playing) this.seek.value = player.position;
    this.time.textContent = `${seconds(player.position)} / ${seconds(player.duration)} s`;
    this.frame = requestAnimationFrame(() => this.tick());
  }

  stop() {
    cancelAnimationFrame(this.frame);
  }
}

async function showTraining(next) {
  const names = test.training;
  const loaded = await loadedFor(names, stimuliOf(order[0]));
  if (!loaded) return;
  player.load(loaded);
  const heard = new Set();
  const labels = new Map([
    [names[0], "Very good"],
    [names[1], "Very poor"],
  ]);
  const button = nextButton("Next", () => {
    if (heard.size === 2) next();
    else say("Please listen to both examples first.");
  });
  button.setAttribute("aria-disabled", "true");
  const transport = new Transport(names, labels, {
    onChoose: (name) => {
      heard.add(name);
      transport.mark(name, true);
      if (heard.size === 2) button.removeAttribute("aria-disabled");
    },
  });
  show(
    make("h1", {}, "Training"),
    make(
      "p",
      {},
      "Listen to both examples: they show how far apart mixes can be. Set your volume now.",
    ),
    transport.element,
    make("div", { class: "actions" }, button),
  );
  transport.update();
  onLeave = () => transport.stop();
  onKey = (event) => playerKey(event, names, transport, button);
}

async function showPassage(passage, following, next) {
  const names = stimuliOf(passage);
  const loaded = await loadedFor(names, following ? stimuliOf(following) : []);
  if (!loaded) return;
  player.load(loaded);
  const since = performance.now();
  const before = state.seconds[passage.id] || 0;
  const { stimuli, reference } = passage;
  const labels = new Map(stimuli.map((name, index) => [name, String(index + 1)]));
  if (reference) labels.set(reference, "Reference");
  const entry = (name) =>
    (state.ratings[name] = state.ratings[name] || { rating: null, aspects: {}, plays: 0 });
  const isRated = (name) =>
    entry(name).rating !== null && test.aspects.every((aspect) => aspect in entry(name).aspects);

  const hint = make("p", { class: "hint" });
  const button = nextButton("Next", () => {
    const missing = remaining();
    if (missing) say(missing);
    else next();
  });

  function remaining() {
    const listed = (wanted) => stimuli.filter(wanted).map((name) => labels.get(name));
    const unheard = listed((name) => !entry(name).plays);
    const unrated = listed((name) => !isRated(name));
    const parts = [];
    if (unheard.length) parts.push(`still to hear: ${unheard.join(", ")}`);
    if (unrated.length) parts.push(`still to rate: ${unrated.join(", ")}`);
    const listing = parts.join(" · ");
    return listing && listing[0].toUpperCase() + listing.slice(1);
  }

  function update() {
    const missing = remaining();
    hint.textContent = missing;
    button.setAttribute("aria-disabled", String(missing !== ""));
    if (!missing) say("");
    for (const name of stimuli) transport.mark(name, isRated(name) && entry(name).plays > 0);
    state.seconds[passage.id] = Math.round(before + (performance.now() - since) / 100) / 10;
    store();
  }

  const transport = new Transport(reference ? [reference, ...stimuli] : names, labels, {
    withButtons: test.type === "mushra" ? [reference] : stimuli,
    onChoose: (name) => {
      if (name !== reference) entry(name).plays += 1;
      scale.choose(name);
      update();
    },
  });
  const ratings = new Map(stimuli.map((name) => [name, entry(name)]));
  for (const [name, given] of ratings) {
    if (test.type !== "likert" && given.rating === null) ratings.delete(name);
  }
  const scale = new SCALES[test.type]({
    test,
    stimuli,
    ratings,
    places: passage.places,
    onRate: (name, aspect, value) => {
      if (aspect === null) entry(name).rating = value;
      else entry(name).aspects[aspect] = value;
      if (scale) update();
    },
    onChoose: (name) => {
      if (player.heard !== name || !player.playing) transport.choose(name);
    },
    buttonOf: (name) => transport.buttonOf(name),
  });
  show(
    make("h1", {}, test.question),
    transport.element,
    scale.element,
    make("div", { class: "actions" }, hint, button),
  );
  transport.update();
  update();
  onLeave = () => {
    update();
    transport.stop();
  };
  onKey = (event) => playerKey(event, stimuli, transport, button, scale, reference);
}

/** Whether the key was one of ours. */
function playerKey(event, names, transport, button, scale, reference) {
  const on = event.target;
  const onButton = on.matches("button");
  const index = /^\d$/.test(event.key) ? (Number(event.key) + 9) % 10 : -1;
  const steps = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
  if (index >= 0 && index < names.length) {
    transport.choose(names[index]);
    if (scale) scale.focus();
  } else if (reference && event.key.toLowerCase() === "r") {
    transport.choose(reference);
  } else if (event.key === " " && (!onButton || on.matches(".mix"))) {
    transport.press();
  } else if (event.key === "Enter" && !onButton) {
    button.click();
  } else if (scale && steps && !on.matches("input")) {
    scale.nudge(steps);
  } else {
    return false;
  }
  return true;
}

/* ---- the end ---- */

function resultOf() {
  return {
    format: "automix listening result 1",
    test: test.test,
    submission: state.submission,
    participant: state.participant,
    started: state.started,
    finished: state.finished,
    answers: state.answers,
    passages: order.map(({ id, stimuli }) => ({
      passage: id,
      seconds: state.seconds[id] || 0,
      stimuli: stimuli.map((name) => ({ stimulus: name, ...state.ratings[name] })),
    })),
  };
}

/** Sends the result; an error says why that cannot be. */
async function send(text) {
  for (let attempt = 1; ; attempt += 1) {
    let reason = "the server cannot be reached";
    try {
      const answer = await fetch("results", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: text,
        signal: AbortSignal.timeout(SEND_WAIT_MS),
      });
      if (answer.ok && (await answer.json()).ok) return;
      reason = `the server answered ${answer.status}`;
      if (answer.status < 500) throw new TypeError(reason);
    } catch (error) {
      if (error.message === reason || attempt === SEND_ATTEMPTS) throw new Error(reason);
    }
    await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt * (1 + Math.random())));
  }
}

function saveFile(text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const name = `listening-${state.participant}.json`;
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
  return name;
}

async function showEnd() {
  state.finished = state.finished || new Date().toISOString();
  store();
  const text = JSON.stringify(resultOf(), null, 1);
  const save = nextButton("Save my answers", () => {
    const name = saveFile(text);
    note.textContent = `Saved as ${name}. Please send this file to whoever invited you.`;
  });
  const note = make("p", {});
  if (location.protocol === "file:") {
    note.textContent = "Please save your answers and send the file to whoever invited you.";
    show(make("h1", {}, "Thank you!"), note, make("div", { class: "actions" }, save));
    return;
  }
  show(make("p", { class: "loading" }, "Sending your answers …"));
  try {
    await send(text);
    state.sent = true;
    forget();
    show(
      make("h1", {}, "Thank you!"),
      make("p", { id: "sent" }, "Your answers have arrived. You can close this page."),
      make("p", { class: "quiet" }, `You took part as ${state.participant}.`),
    );
  } catch (error) {
    note.textContent =
      `Your answers could not be sent (${error.message}). Try again, or save them and send the` +
      " file to whoever invited you.";
    save.classList.add("second");
    show(
      make("h1", {}, "Almost done"),
      note,
      make("div", { class: "actions" }, nextButton("Try again", showEnd), save),
    );
  }
}

/* ---- the start ---- */

document.title = test.title;
document.getElementById("title").textContent = test.title;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (event.target.matches("textarea")) return;
  if (onKey && onKey(event)) event.preventDefault();
});
window.addEventListener("beforeunload", (event) => {
  if (state.step > 0 && !state.sent && !isStored) event.preventDefault();
});
steps = planSteps();
goTo(0);
