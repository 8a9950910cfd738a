/* The strips: one for each track and bus, and the master, in a row that scrolls. */

import { levelOf } from "./choice.js";
import { FADER_MARKS, formatValue, makeSlider, scaleOf } from "./controls.js";
import { figure, make } from "./drawing.js";
import { Meter } from "./meter.js";
import { valueAt } from "./ridelines.js";

const OFF_DB = -60; // of a send: at this or below it there is none
const FIRST_DB = -30; // of a send that a key turns on

const faderPlace = scaleOf({}, "fader").place;

/**
 * Shows the strips.
 *
 * @param {HTMLElement} element Where they go.
 * @param {import("./model.js").Model} model
 * @param {import("./engine.js").Engine} engine
 * @param {import("./choice.js").Choice} choice
 * @returns {{focus: (owner: string) => void, next: (step: number) => void,
 *   toggleMute: (owner: string) => void, update: (readings: object) => void,
 *   listen: (hearing: import("./hearing.js").Hearing) => void}}
 */
export function showStrips(element, model, engine, choice) {
  const row = make("div", { class: "strip-row" });
  const strips = new Map(); // by name, in order
  const visible = new Set();
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const strip = strips.get(target.dataset.owner);
        if (!strip) continue;
        if (isIntersecting) visible.add(strip);
        else visible.delete(strip);
      }
    },
    { root: null, rootMargin: "0px 100px" },
  );
  let hearing = null;
  let controller = null;

  function build() {
    controller?.abort();
    controller = new AbortController();
    watcher.disconnect();
    strips.clear();
    visible.clear();
    const { tracks, buses } = model.plan;
    for (const { name } of [...tracks, ...buses]) add(name);
    add("master");
    row.replaceChildren(...[...strips.values()].map((strip) => strip.element));
    for (const strip of strips.values()) watcher.observe(strip.element);
    mark();
  }

  function add(name) {
    strips.set(name, new Strip(name, model, choice, controller.signal));
  }

  /** Shows which strip is selected, and lets the Tab key stop at its controls alone. */
  function mark() {
    const selected = strips.has(model.selected) ? model.selected : strips.keys().next().value;
    for (const [name, strip] of strips) strip.select(name === selected);
  }

  function neighbour(owner, step) {
    const names = [...strips.keys()];
    const at = names.indexOf(owner) + step;
    return names[at] ?? null;
  }

  /** Selects another strip, and moves the focus to the same control of it. */
  function go(owner, kind) {
    if (owner === null) return;
    model.select(owner);
    const strip = strips.get(owner);
    const target = strip.element.querySelector(`[data-stop="${CSS.escape(kind)}"]`);
    (target ?? strip.head).focus({ preventScroll: true });
    strip.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  row.addEventListener("focusin", ({ target }) => {
    const owner = target.closest(".strip")?.dataset.owner;
    if (owner) model.select(owner);
  });
  row.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input")) return;
    if (key !== "ArrowLeft" && key !== "ArrowRight") return;
    const owner = target.closest(".strip")?.dataset.owner;
    if (!owner) return;
    event.preventDefault();
    go(neighbour(owner, key === "ArrowRight" ? 1 : -1), target.dataset.stop ?? "name");
  });
  row.addEventListener("click", (event) => {
    const owner = event.target.closest(".strip")?.dataset.owner;
    if (!owner || !event.target.closest(".strip-head")) return;
    if (event.shiftKey && model.selected) {
      const names = [...strips.keys()];
      const [from, to] = [names.indexOf(anchor ?? owner), names.indexOf(owner)].sort((a, b) => a - b);
      choice.extendGroup(names.slice(from, to + 1));
    } else if (event.ctrlKey || event.metaKey) choice.toggleGroup(owner);
    else if (event.detail > 1 && model.kind(owner) === "strip") choice.selectFamily(owner);
    anchor = owner;
  });
  let anchor = null;

  choice.addEventListener("change", () => {
    for (const strip of strips.values()) strip.refresh();
  });
  model.addEventListener("select", mark);
  model.addEventListener("change", ({ detail: { owners } }) => {
    const names = [...model.plan.tracks, ...model.plan.buses].map(({ name }) => name);
    const shown = [...strips.keys()].slice(0, -1);
    if (!owners && JSON.stringify(names) !== JSON.stringify(shown)) {
      build();
      return;
    }
    for (const name of owners ?? strips.keys()) strips.get(name)?.refresh();
    move();
  });

  let asked = 0;
  let readings = null;
  function draw() {
    asked = 0;
    const seconds = engine.position / model.state.rate;
    for (const strip of visible) strip.draw(readings, seconds, hearing, engine.playing);
  }
  function move() {
    asked ||= requestAnimationFrame(draw);
  }
  engine.addEventListener("state", move);
  element.replaceChildren(row);
  build();
  return {
    focus: (owner) => strips.get(owner)?.head.focus(),
    next: (step) => {
      const owner = neighbour(model.selected, step);
      const stop = document.activeElement?.closest?.(".strip") ? document.activeElement.dataset.stop : "name";
      go(owner, stop ?? "name");
    },
    toggleMute: (owner) => choice.toggleMute(owner),
    update: (latest) => {
      readings = latest;
      move();
    },
    listen: (heard) => (hearing = heard),
  };
}

/** One strip. */
class Strip {
  #model;
  #choice;
  #sends = [];
  #place; // of what the fader moves: "tracks", "buses" or none

  constructor(owner, model, choice, signal) {
    this.owner = owner;
    this.#model = model;
    this.#choice = choice;
    const kind = model.kind(owner);
    this.kind = kind;
    this.#place = { strip: "tracks", bus: "buses" }[kind];
    const part = model.part(owner);
    const family = kind === "strip" ? (model.state.families?.[owner] ?? "other") : kind;
    const role = kind === "strip" && part.role && part.role !== owner ? part.role : "";
    this.head = make(
      "button",
      { type: "button", class: "strip-head", "data-stop": "name", title: owner, onclick: () => model.select(owner) },
      make("span", { class: "strip-name" }, owner),
      make("span", { class: "strip-role" }, [role || { strip: "track", bus: "bus", master: "mix" }[kind]]),
    );
    const level = levelOf(model, owner);
    this.fader = makeSlider(model, {
      owner,
      setting: level,
      label: kind === "bus" ? "return" : "fader",
      look: "fader",
      signal,
      move: (value, about) => choice.moveFader(owner, value, about),
    });
    this.fader.slider.dataset.stop = "fader";
    this.meter = new Meter();
    const marks = FADER_MARKS.map((db) => {
      const mark = make("span", { class: "fader-mark" }, String(Math.abs(db)));
      mark.style.setProperty("--place", faderPlace(db));
      return mark;
    });
    this.pan = kind === "strip" ? makeSlider(model, { owner, setting: "pan", label: "pan", look: "knob", signal }) : null;
    if (this.pan) this.pan.slider.dataset.stop = "pan";
    if (kind === "strip") this.#sends = model.plan.buses.map(({ name }) => this.#makeSend(name, signal));
    this.mute = kind === "strip" ? this.#makeSwitch("M", `Mute ${owner}`, "mute", () => choice.toggleMute(owner)) : null;
    this.solo = kind === "master" ? null : this.#makeSwitch("S", `Solo ${owner}`, "solo", () => choice.toggleSolo(owner));
    this.group = kind === "master" ? null : this.#makeSwitch("G", `Group ${owner}`, "group", () => choice.toggleGroup(owner));
    this.limits = kind === "master" ? make("p", { class: "strip-limits" }) : null;
    this.element = make(
      "section",
      { class: `strip strip-${kind}`, role: "group", "aria-label": owner, "data-owner": owner, "data-family": family },
      this.head,
      make("div", { class: "strip-sends" }, this.#sends.map(({ element }) => element), this.limits),
      this.pan ? make("div", { class: "strip-pan" }, this.pan) : null,
      make("div", { class: "strip-switches" }, this.mute, this.solo, this.group),
      make(
        "div",
        { class: "strip-level" },
        make("div", { class: "fader-marks", "aria-hidden": "true" }, marks),
        this.fader,
        this.meter.element,
      ),
    );
    this.refresh();
  }

  #makeSwitch(letter, name, stop, act) {
    return make(
      "button",
      { type: "button", class: `strip-switch strip-${stop}`, "aria-label": name, "aria-pressed": "false", title: name, "data-stop": stop, onclick: act },
      letter,
    );
  }

  /** A knob of a send, which is there or not. */
  #makeSend(bus, signal) {
    const [model, owner] = [this.#model, this.owner];
    const declared = { ...model.declared(owner, "sends").fields.gain_db, ridable: null };
    const index = () => model.value(owner, "sends").findIndex((send) => send.bus === bus);
    const value = () => model.value(owner, "sends")[index()]?.gain_db ?? OFF_DB;
    const reading = {
      declared,
      value,
      format: (now) => (now <= OFF_DB ? "off" : formatValue(declared, now)),
      rest: OFF_DB,
      off: OFF_DB,
    };
    const slider = makeSlider(model, {
      owner,
      setting: `sends.${index() + 1 || 1}.gain_db`,
      label: `send to ${bus}`,
      look: "knob",
      signal,
      reading,
      taper: "fader",
      address: () => `sends.${index() + 1}.gain_db`,
      move: (next, about) => {
        const sends = model.value(owner, "sends");
        const at = index();
        if (at < 0 && next <= OFF_DB) return;
        if (at < 0) {
          const isStep = next <= OFF_DB + 1;
          const send = { bus, gain_db: isStep && about.isKey ? FIRST_DB : next };
          model.edit([{ owner, setting: "sends", value: [...sends, send] }], about);
        } else if (next <= OFF_DB) {
          model.edit([{ owner, setting: "sends", value: sends.filter((send) => send.bus !== bus) }], about);
        } else model.edit([{ owner, setting: `sends.${at + 1}.gain_db`, value: next }], about);
      },
    });
    slider.slider.dataset.stop = `send ${bus}`;
    const element = make("div", { class: "strip-send" }, slider, make("span", { class: "send-name", "aria-hidden": "true", title: bus }, bus));
    return { bus, slider, element, index };
  }

  /** Shows what is set. */
  refresh() {
    const [model, choice, owner] = [this.#model, this.#choice, this.owner];
    const isMuted = this.kind === "strip" && model.value(owner, "mute");
    this.mute?.setAttribute("aria-pressed", String(Boolean(isMuted)));
    this.solo?.setAttribute("aria-pressed", String(choice.solo.has(owner)));
    this.group?.setAttribute("aria-pressed", String(choice.group.has(owner)));
    const isUnheard = choice.solo.size > 0 && !choice.solo.has(owner) && this.kind === "strip";
    this.element.classList.toggle("muted", Boolean(isMuted));
    this.element.classList.toggle("unheard", isUnheard);
    this.element.classList.toggle("grouped", choice.group.has(owner));
    if (this.limits) {
      const { limiter } = model.part("master");
      this.limits.textContent =
        limiter.ceiling_dbtp >= 24
          ? "no limiter"
          : `limiter at ${figure(limiter.ceiling_dbtp, 1)} dBTP, heard in “master”`;
      this.limits.title = model.state.hands_off ?? "";
    }
  }

  /** Shows whether it is the selected strip; the Tab key stops at its controls alone. */
  select(isSelected) {
    if (this.isSelected === isSelected) return;
    this.isSelected = isSelected;
    this.element.classList.toggle("selected", isSelected);
    this.head.setAttribute("aria-pressed", String(isSelected));
    for (const stop of this.element.querySelectorAll("[data-stop], .control-why")) {
      stop.tabIndex = isSelected ? 0 : -1;
    }
  }

  /** Draws what is heard now, and where rides have taken the settings. */
  draw(readings, seconds, hearing, isPlaying) {
    const level = this.#place ? readings?.[this.#place]?.[this.owner] : readings?.master;
    this.meter.draw(level, this.#reduction(seconds, hearing), isPlaying);
    this.#moveTo(this.fader, levelOf(this.#model, this.owner), seconds, true);
    if (this.pan) this.#moveTo(this.pan, "pan", seconds, false);
    for (const { slider, index } of this.#sends) {
      const at = index();
      if (at >= 0) this.#moveTo(slider, `sends.${at + 1}.gain_db`, seconds, true);
      else slider.showMoving(null);
    }
  }

  #moveTo(slider, setting, seconds, isAdded) {
    const ride = this.#model.ride(this.owner, setting);
    if (!ride) {
      slider.showMoving(null);
      return;
    }
    const now = valueAt({ times: ride.times_s, values: ride.values }, seconds);
    slider.showMoving(isAdded ? this.#model.value(this.owner, setting) + now : now);
  }

  /** What the processors of the track take away now, in dB. */
  #reduction(seconds, hearing) {
    if (this.kind !== "strip") return 0;
    let sum = 0;
    for (const { per_second: perSecond, db } of hearing?.of(this.owner)?.reductions ?? []) {
      sum += Math.abs(db[Math.min(Math.floor(seconds * perSecond), db.length - 1)] ?? 0);
    }
    return sum;
  }
}
