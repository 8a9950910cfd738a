/* What is heard: the plan as it is now, a snapshot of it, or its finished mix. */

import { figure, make } from "./drawing.js";
import { asSentence } from "./messages.js";
import { AS_OPENED } from "./model.js";

/** The side of a comparison that is no snapshot, but the plan as it is now. */
const NOW = "";
const MEASURE_MS = 600; // after the last edit

/**
 * Chooses what is heard. Nothing here edits the plan, but `use`.
 *
 * Snapshots and the plan as it is now are compared at equal loudness: the louder of the two that are
 * compared is turned down. Events: "change" when something else is heard, or at another level.
 */
export class Compare extends EventTarget {
  #model;
  #engine;
  #fetched = new Map(); // snapshot → {plan, sound}
  #loudness = new Map(); // revision → LUFS of the plan as it was then
  #isMeasuring = false;
  #asked = 0;
  #timer = 0;
  #made = ""; // the plan of which the finished mix is
  /** What is heard: {kind: "now"}, {kind: "side", side: "a"|"b"} or {kind: "master"}. */
  heard = { kind: "now" };
  /** The two that are compared: names of snapshots, or NOW. */
  sides = { a: AS_OPENED, b: NOW };
  /** The finished mix: null, or {state: "working"|"ready"|"failed", progress, key, length, …}. */
  master = null;
  isStale = false; // the finished mix is of an earlier plan

  constructor(model, engine) {
    super();
    this.#model = model;
    this.#engine = engine;
    model.addEventListener("snapshots", () => this.#follow());
    model.addEventListener("change", () => this.#age());
    model.addEventListener("master", ({ detail }) => this.#takeMaster(detail));
  }

  /** The name of what a side is. */
  nameOf(side) {
    return this.sides[side] === NOW ? "the mix now" : this.sides[side];
  }

  /** Compares two others. */
  choose(side, name) {
    this.sides[side] = name;
    if (this.heard.kind === "side") this.hearSide(this.heard.side);
    else this.#tell();
  }

  /** Lets one side be heard. */
  async hearSide(side) {
    const name = this.sides[side];
    const serial = (this.#asked += 1);
    if (name !== NOW && !(await this.#fetch(name))) return;
    if (serial !== this.#asked) return; // something else was chosen meanwhile
    this.heard = { kind: "side", side };
    this.refresh();
    this.#measureSoon();
  }

  /** Lets the plan be heard as it is now. */
  hearNow() {
    this.#asked += 1;
    this.heard = { kind: "now" };
    this.refresh();
  }

  /** Lets the finished mix be heard, and renders it if it is not there. */
  async hearMaster() {
    this.#asked += 1;
    this.heard = { kind: "master" };
    this.refresh(); // until the new one is there, the last one is heard, or the mix now
    if (this.master?.state !== "ready" || this.isStale) await this.renderMaster();
  }

  /** Renders the finished mix anew. */
  async renderMaster() {
    const { ok, body } = await this.#model.act("master");
    if (ok) return;
    this.heard = { kind: "now" };
    this.#model.say(body.message, "error");
    this.refresh();
  }

  /** Takes the snapshot that is heard in place of the plan, which can be undone. */
  async use() {
    const name = this.heardSnapshot;
    if (name === null) return;
    const { ok, body } = await this.#model.act("snapshot/use", { name });
    if (!ok) {
      this.#model.say(body.message, "error");
      return;
    }
    this.hearNow();
  }

  /** Keeps the plan as it is now under a name. */
  async take(name) {
    const isTaken = this.#say(await this.#model.act("snapshot", { name }));
    if (isTaken && this.heardSnapshot === name) await this.hearSide(this.heard.side); // as it is now
    return isTaken;
  }

  /** Forgets a snapshot. */
  async drop(name) {
    return this.#say(await this.#model.act("snapshot/drop", { name }));
  }

  /** The name of the snapshot that is heard, or null. */
  get heardSnapshot() {
    if (this.heard.kind !== "side") return null;
    const name = this.sides[this.heard.side];
    return name === NOW ? null : name;
  }

  /** By how much what is heard is turned down, in dB; null while that is not known. */
  get trim() {
    if (this.heard.kind !== "side") return 0;
    const [a, b] = ["a", "b"].map((side) => this.lufsOf(side));
    if (a === null || b === null) return null;
    return Math.min(a, b) - (this.heard.side === "a" ? a : b);
  }

  /** Loudness of a side in LUFS; null while it is not known. */
  lufsOf(side) {
    const name = this.sides[side];
    if (name === NOW) return this.#loudness.get(this.#model.state.revision) ?? null;
    return this.#model.state.snapshots.find((snapshot) => snapshot.name === name)?.lufs ?? null;
  }

  /** Whether a side is silent or too short to have a loudness. */
  get isUnmatched() {
    return ["a", "b"].some((side) => {
      const name = this.sides[side];
      if (name === NOW) return this.#loudness.get(this.#model.state.revision) === null;
      const snapshot = this.#model.state.snapshots.find((one) => one.name === name);
      return snapshot !== undefined && snapshot.is_measured && snapshot.lufs === null;
    });
  }

  /** Tells the engine what is heard; called on every change of the plan. */
  refresh() {
    const { plan, sound } = this.#model;
    const name = this.heardSnapshot;
    const snapshot = name === null ? null : this.#fetched.get(name);
    if (snapshot) this.#engine.update(snapshot.plan, snapshot.sound);
    else this.#engine.update(plan, sound);
    const isMaster = this.heard.kind === "master" && this.master?.key;
    const what = isMaster
      ? { kind: "master", key: this.master.key, length: this.master.length }
      : { kind: "live", trim_db: this.trim ?? 0 };
    if (JSON.stringify(what) !== JSON.stringify(this.#engine.hearing)) this.#engine.hear(what);
    this.#tell();
  }

  async #fetch(name) {
    const { ok, body } = await this.#model.get(`snapshot/${encodeURIComponent(name)}`);
    if (ok) this.#fetched.set(name, body);
    else this.#model.say(body.message, "error");
    return ok;
  }

  #say({ ok, body }) {
    if (!ok) this.#model.say(body.message, "error");
    return ok;
  }

  /** Snapshots came, went, or were measured. */
  #follow() {
    const names = new Set(this.#model.state.snapshots.map(({ name }) => name));
    for (const name of this.#fetched.keys()) if (!names.has(name)) this.#fetched.delete(name);
    for (const side of ["a", "b"]) {
      const name = this.sides[side];
      if (name === NOW || names.has(name)) continue;
      this.sides[side] = side === "a" ? AS_OPENED : NOW;
      if (this.heard.kind === "side" && this.heard.side === side) this.heard = { kind: "now" };
    }
    this.refresh();
  }

  /** The plan has changed: what was measured or rendered of it may be of an earlier one. */
  #age() {
    if (this.master) this.isStale = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.master) {
        const isStale = this.#describe() !== this.#made;
        if (isStale !== this.isStale) {
          this.isStale = isStale;
          this.#tell();
        }
      }
      this.#measureSoon();
    }, MEASURE_MS);
  }

  #describe() {
    const { tracks, buses, master } = this.#model.plan;
    return JSON.stringify([tracks, buses, master]);
  }

  /** Asks how loud the plan is now, if that is compared and not known. */
  #measureSoon() {
    const isAsked = this.heard.kind === "side" && Object.values(this.sides).includes(NOW);
    if (!isAsked || this.#isMeasuring || this.#loudness.has(this.#model.state.revision)) return;
    this.#measure();
  }

  async #measure() {
    this.#isMeasuring = true;
    const { ok, body } = await this.#model.get("loudness");
    this.#isMeasuring = false;
    if (!ok) return;
    this.#loudness.clear();
    this.#loudness.set(body.revision, body.lufs);
    if (body.revision === this.#model.state.revision) this.refresh();
    else this.#measureSoon();
  }

  #takeMaster(detail) {
    const wasHeard = this.heard.kind === "master";
    if (detail.state === "working") {
      if (this.master?.state !== "working") this.#made = this.#describe();
      this.master = { ...this.master, ...detail };
      if (detail.progress === 0) this.#made = this.#describe();
      this.#tell();
      return;
    }
    this.master = detail.state === "ready" ? detail : null;
    if (detail.state === "failed") {
      this.#model.say(detail.message, "error");
      if (wasHeard) this.heard = { kind: "now" };
    }
    this.isStale = this.#describe() !== this.#made;
    this.refresh();
  }

  #tell() {
    this.dispatchEvent(new CustomEvent("change"));
  }
}

/**
 * Makes the controls of the comparison: two sides, snapshots, and a banner of what is heard.
 *
 * @param {import("./model.js").Model} model
 * @param {Compare} compare
 * @param {import("./dialogs.js").Dialogs} dialogs
 * @returns {{controls: HTMLElement, banner: HTMLElement}}
 */
export function showCompare(model, compare, dialogs) {
  const sides = ["a", "b"].map((side) => makeSide(model, compare, side));
  const snapshots = make("button", { type: "button", class: "top-button", onclick: () => dialogs.showSnapshots(compare) }, "Snapshots …");
  const controls = make(
    "div",
    { class: "compare", role: "group", "aria-label": "Compare at equal loudness" },
    sides.map(({ element }) => element),
    snapshots,
  );
  const text = make("span", { class: "banner-text", role: "status" });
  const use = make("button", { type: "button", class: "top-button", onclick: () => compare.use() }, "Use this");
  const again = make("button", { type: "button", class: "top-button", onclick: () => compare.renderMaster() }, "Render again");
  const back = make("button", { type: "button", class: "top-button", onclick: () => compare.hearNow() }, "Back to the mix now");
  const banner = make("div", { class: "banner", hidden: true }, text, use, again, back);

  const update = () => {
    for (const side of sides) side.update();
    const told = describe(model, compare);
    banner.hidden = !told;
    if (text.textContent !== told) text.textContent = told;
    use.hidden = compare.heardSnapshot === null;
    again.hidden = compare.heard.kind !== "master" || !compare.isStale || compare.master?.state !== "ready";
  };
  compare.addEventListener("change", update);
  update();
  return { controls, banner };
}

function makeSide(model, compare, side) {
  const letter = side.toUpperCase();
  const hear = make(
    "button",
    {
      type: "button",
      class: "top-button side-hear",
      "aria-pressed": "false",
      onclick: () => {
        const isHeard = compare.heard.kind === "side" && compare.heard.side === side;
        if (isHeard) compare.hearNow();
        else compare.hearSide(side);
      },
    },
    letter,
  );
  const choose = make("select", { class: "side-choice", "aria-label": `What ${letter} is` });
  choose.addEventListener("change", () => compare.choose(side, choose.value));
  let shown = "";
  const update = () => {
    const names = model.state.snapshots.map(({ name }) => name);
    const told = JSON.stringify(names);
    if (told !== shown) {
      shown = told;
      const options = [make("option", { value: NOW }, "the mix now")];
      choose.replaceChildren(...options, ...names.map((name) => make("option", { value: name }, name)));
    }
    if (choose.value !== compare.sides[side]) choose.value = compare.sides[side];
    const isHeard = compare.heard.kind === "side" && compare.heard.side === side;
    hear.setAttribute("aria-pressed", String(isHeard));
    hear.setAttribute("aria-label", `Hear ${letter}: ${compare.nameOf(side)}`);
    hear.title = `Hear ${letter}: ${compare.nameOf(side)} (${letter})`;
  };
  return { element: make("span", { class: "side" }, hear, choose), update };
}

/** What is heard, in a sentence; empty where it is the plan as it is now. */
function describe(model, compare) {
  const { heard, master } = compare;
  if (heard.kind === "master") {
    if (master?.state !== "ready") {
      return master?.key
        ? "The master is being rendered again; until then you hear the last one."
        : "The master is being rendered; until then you hear the mix without its limiter.";
    }
    const { lufs, true_peak_dbtp: peak } = master.loudness ?? {};
    const levels = [
      Number.isFinite(lufs) ? `${figure(lufs)} LUFS` : null,
      Number.isFinite(peak) ? `${figure(peak)} dBTP` : null,
    ].filter(Boolean);
    const told = `You hear the finished master${levels.length ? ` (${levels.join(", ")})` : ""}.`;
    if (compare.isStale) return `${told} It is of an earlier state of the mix.`;
    return model.state.hands_off ? `${told} ${asSentence(model.state.hands_off)}.` : told;
  }
  if (heard.kind !== "side") return "";
  const { trim } = compare;
  let level = "";
  if (trim === null) {
    level = compare.isUnmatched
      ? ", not matched: A or B is silent, or too short for its loudness to be measured"
      : "; its loudness is being measured";
  } else if (trim < -0.05) level = `, turned down ${figure(-trim)} dB to match`;
  const isNow = compare.heardSnapshot === null;
  const what = `You hear ${heard.side.toUpperCase()}: ${isNow ? "the mix now" : `“${compare.heardSnapshot}”`}${level}.`;
  return isNow ? what : `${what} Edits change the mix now, not this.`;
}
