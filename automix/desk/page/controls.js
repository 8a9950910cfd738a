/* Sliders, switches and choices of settings: they show the plan, and change it. */

import { clamp, make } from "./drawing.js";
import { FADER_FIGURES_DB, formatValue, makeScale, parseValue, stepValue, tidy } from "./values.js";
import { openWhy } from "./why.js";

const KEY_STEPS = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 6, PageDown: -6 };
const KEYS_MS = 800; // keys that follow each other so soon are one step of undo
const DRAG_PX = 160; // of a knob, over the whole range
const SLIP_PX = 3; // a pointer that moves less has not dragged, and changes nothing
const FINE = 0.1; // of what the pointer moves, with shift
const SLOW_PX_S = [30, 120]; // a pointer that moves slower than that is fine, by so much at least
const SLOW = 0.25;
const FIGURES_APART = 0.075; // of the travel of a fader, so that they do not touch

/**
 * Makes a slider of a setting that is a number.
 *
 * @param {import("./model.js").Model} model
 * @param {object} about
 * @param {string} about.owner Whose setting it is.
 * @param {string} about.setting
 * @param {string | (() => string)} about.label What the setting is called.
 * @param {"fader" | "knob" | "send" | "row"} [about.look]
 * @param {AbortSignal} [about.signal] Ends it.
 * @param {object} [about.reading] Stands in for the setting where it is none by itself, as a send that
 *   may be absent: `declared`, `value()`, `rest`, `format(value)`, and `brief(value)`, which has less room.
 * @param {(value: number, about: object) => void} [about.move] Takes the new value in place of an edit.
 * @param {(about: object) => void} [about.drop] Told when a drag ends.
 * @param {"fader" | "row"} [about.taper] Whose scale it has.
 * @param {() => string} [about.address] Of a setting that moves in a list, as that of a send.
 * @returns {HTMLElement} With `slider`, the element that takes the focus, and
 *   `showMoving(value | null)`, which shows where a ride has taken the setting.
 */
export function makeSlider(model, about) {
  const slider = new Slider(model, { look: "row", ...about });
  follow(model, about.owner, () => slider.refresh(), about.signal);
  slider.element.slider = slider.handle;
  slider.element.showMoving = (value) => slider.showMoving(value);
  return slider.element;
}

class Slider {
  #model;
  #about;
  #declared;
  #scale;
  #furthest = -Infinity; // of what its scale has to show
  #marks;
  #number;
  #why;
  #keys = { gesture: "", until: 0 };
  #drag = null;

  constructor(model, about) {
    const { owner, setting, look, reading } = about;
    this.#model = model;
    this.#about = about;
    this.#declared = reading?.declared ?? model.declared(owner, setting);
    this.#marks = {
      fill: make("span", { class: "control-fill" }),
      ghost: make("span", { class: "control-ghost", hidden: true }),
      handle: make("span", { class: "control-handle" }),
      moving: make("span", { class: "control-moving", hidden: true }),
    };
    this.figures = look === "fader" ? make("span", { class: "fader-figures" }) : null;
    const track = make("span", { class: "control-track", "aria-hidden": "true" }, Object.values(this.#marks));
    this.handle = make(
      "div",
      {
        class: "control-slider",
        role: "slider",
        tabindex: 0,
        "aria-orientation": look === "fader" ? "vertical" : "horizontal",
        "aria-valuemin": this.#declared.low,
        "aria-valuemax": this.#declared.high,
      },
      this.figures,
      track,
    );
    this.#number = make("button", { type: "button", class: "control-value", tabindex: -1, onclick: () => this.#type() });
    this.#why = makeWhy(model, owner, () => this.#address, look === "row");
    this.element = make(
      "div",
      { class: `control control-${look}`, "data-owner": owner, "data-setting": setting },
      look === "row" ? make("span", { class: "control-name", "aria-hidden": "true" }, this.#label) : null,
      this.handle,
      this.#number,
      this.#why,
    );
    this.handle.addEventListener("keydown", (event) => this.#pressKey(event));
    this.handle.addEventListener("dblclick", () => this.#reset());
    this.handle.addEventListener("pointerdown", (event) => this.#grab(event));
    this.handle.addEventListener("pointermove", (event) => this.#pull(event));
    this.handle.addEventListener("pointerup", (event) => this.#isDragOf(event) && this.#drop());
    this.handle.addEventListener("lostpointercapture", (event) => this.#isDragOf(event) && this.#drop());
    this.handle.addEventListener("pointercancel", (event) => this.#isDragOf(event) && this.#giveBack());
  }

  get #label() {
    const { label } = this.#about;
    return typeof label === "function" ? label() : label;
  }

  get #name() {
    const { look, owner } = this.#about;
    return look === "row" ? this.#label : `${owner} ${this.#label}`;
  }

  get #address() {
    return this.#about.address?.() ?? this.#about.setting;
  }

  get #value() {
    const { owner, setting, reading } = this.#about;
    const value = reading ? reading.value() : this.#model.value(owner, setting);
    return value ?? this.#declared.default ?? this.#declared.low ?? 0;
  }

  get #ride() {
    return this.#declared.ridable ? this.#model.ride(this.#about.owner, this.#address) : undefined;
  }

  /** Whether a ride takes the place of the setting, so that it changes nothing. */
  get #isTaken() {
    return Boolean(this.#ride) && !this.#declared.ridable.is_added;
  }

  #format(value) {
    return (this.#about.reading?.format ?? ((now) => formatValue(this.#declared, now)))(value);
  }

  /** As it is written beside the slider. */
  #brief(value) {
    return (this.#about.reading?.brief ?? ((now) => this.#format(now)))(value);
  }

  /** Shows what is set. */
  refresh() {
    const { owner } = this.#about;
    const [value, name, isTaken] = [this.#value, this.#name, this.#isTaken];
    const decided = this.#model.decision(owner, this.#address);
    const ghost = typeof decided?.value === "number" ? decided.value : null;
    if (!this.#drag) this.#fit(Math.max(value, ghost ?? value));
    const text = isTaken ? "ride" : this.#brief(value);
    const ride = isTaken ? "follows its ride" : this.#ride ? `${this.#format(value)}, and a ride is added` : "";
    this.element.style.setProperty("--place", this.#scale.toShare(value));
    setAttributes(this.handle, {
      "aria-label": name,
      "aria-valuenow": value,
      "aria-valuetext": ride || this.#format(value),
      "aria-disabled": isTaken ? "true" : null,
      title: [name, this.#declared.about].filter(Boolean).join(": "),
    });
    if (this.#number.textContent !== text) this.#number.textContent = text;
    setAttributes(this.#number, { "aria-label": `${text}, ${name}: type a value` });
    setAttributes(this.#why, { "aria-label": `? Why ${name}` });
    this.#why.hidden = !decided;
    this.#marks.ghost.hidden = ghost === null;
    if (ghost !== null) this.element.style.setProperty("--ghost", this.#scale.toShare(ghost));
    this.element.classList.toggle("control-moved", ghost !== null && Math.abs(ghost - value) > 1e-6);
  }

  /** Makes the scale go as far as a value; it does not become shorter again under the hand. */
  #fit(value) {
    if (this.#scale && value <= this.#furthest) return;
    this.#furthest = Math.max(this.#furthest, value);
    const { look, taper } = this.#about;
    const end = this.#scale?.high;
    this.#scale = makeScale(this.#declared, taper ?? look, [this.#furthest]);
    if (!this.figures || this.#scale.high === end) return;
    const { low, high, toShare } = this.#scale;
    let last = Infinity;
    const isRoom = (db) => db === 0 || Math.min(last, Math.abs(toShare(0) - toShare(db))) >= FIGURES_APART;
    const figures = [];
    for (const db of FADER_FIGURES_DB.filter((figure) => figure >= low && figure <= high)) {
      if (figures.length) last = figures.at(-1).share - toShare(db);
      if (!isRoom(db)) continue;
      const sign = db > 0 ? "+" : db < 0 ? "−" : "";
      const element = make("span", {}, `${sign}${Math.abs(db)}`);
      element.style.setProperty("--place", toShare(db));
      figures.push({ element, share: toShare(db) });
    }
    this.figures.replaceChildren(...figures.map(({ element }) => element));
  }

  /** Shows where a ride has taken the setting. */
  showMoving(value) {
    const { moving } = this.#marks;
    if (moving.hidden !== (value === null)) moving.hidden = value === null;
    if (value !== null) moving.style.setProperty("--moving", this.#scale.toShare(value).toFixed(4));
  }

  #set(value, about) {
    if (this.#isTaken) {
      this.#refuse();
      return;
    }
    const { low, high } = this.#declared;
    const legal = clamp(value, low ?? -Infinity, high ?? Infinity);
    if (legal === this.#value) return;
    const { owner, setting, move } = this.#about;
    if (move) move(legal, about);
    else this.#model.edit([{ owner, setting, value: legal }], about);
  }

  #refuse() {
    const { owner } = this.#about;
    this.#model.say(`the ${this.#label} of ${owner} follows its ride; remove the ride to set it`);
  }

  /** Goes back to what the method set, or to what is neutral. */
  #reset() {
    const decided = this.#model.decision(this.#about.owner, this.#address)?.value;
    const rest = this.#about.reading?.rest ?? this.#declared.default;
    const value = typeof decided === "number" ? decided : rest;
    if (typeof value === "number") this.#set(value, { gesture: crypto.randomUUID() });
  }

  // Typing.

  #type(typed = null) {
    if (this.#isTaken) {
      this.#refuse();
      return;
    }
    const unit = this.#declared.unit ? ` in ${this.#declared.unit}` : "";
    const opened = this.#brief(this.#value).replaceAll("−", "-");
    const field = make("input", {
      type: "text",
      class: "control-field",
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": `${this.#name}${unit}`,
    });
    field.value = typed ?? opened;
    let isOpen = true; // a field that is taken away loses the focus, which would close it again
    const close = (isKept) => {
      if (!isOpen) return;
      const text = field.value.trim();
      const isChanged = isKept && text !== "" && text !== opened;
      const value = isChanged ? parseValue(this.#declared, text) : null;
      const hasFocus = document.activeElement === field;
      if (isChanged && value === null) {
        this.#model.say(`“${text}” is no value of the ${this.#label}`, "error");
        if (hasFocus) {
          field.setAttribute("aria-invalid", "true");
          field.select();
          return;
        }
      }
      isOpen = false;
      field.replaceWith(this.#number);
      if (hasFocus) this.handle.focus({ preventScroll: true });
      if (value !== null) this.#set(value, { gesture: crypto.randomUUID() });
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") close(true);
      else if (event.key === "Escape") close(false);
    });
    field.addEventListener("blur", () => close(true));
    this.#number.replaceWith(field);
    field.focus();
    if (typed === null) field.select();
  }

  // Keys.

  #pressKey(event) {
    const { key, shiftKey } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isAcross = key === "ArrowLeft" || key === "ArrowRight";
    if (this.#about.look !== "row" && isAcross) return; // from strip to strip
    const about = { gesture: this.#keyGesture(), isKey: true };
    if (Object.hasOwn(KEY_STEPS, key)) {
      const next = stepValue(this.#declared, this.#scale, this.#value, KEY_STEPS[key], shiftKey);
      this.#set(next, about);
    } else if (key === "Home") this.#set(this.#scale.low, about);
    else if (key === "End") this.#set(this.#scale.high, about);
    else if (key === "Enter") this.#type();
    else if (/^[-−+\d]$/.test(key)) this.#type(key);
    else if (key === "Delete" || key === "Backspace") this.#reset();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Keys that follow each other are one step of undo. */
  #keyGesture() {
    const now = performance.now();
    if (now > this.#keys.until) this.#keys.gesture = crypto.randomUUID();
    this.#keys.until = now + KEYS_MS;
    return this.#keys.gesture;
  }

  // Dragging.

  #isDragOf(event) {
    return this.#drag?.pointer === event.pointerId;
  }

  #grab(event) {
    if (event.button !== 0 || this.#drag) return; // a second finger does not take it over
    this.handle.focus({ preventScroll: true });
    event.preventDefault();
    if (this.#isTaken) {
      this.#refuse();
      return;
    }
    this.handle.setPointerCapture(event.pointerId);
    const { look } = this.#about;
    const { height, width } = this.#marks.handle.parentElement.getBoundingClientRect();
    const listening = new AbortController();
    this.#drag = {
      pointer: event.pointerId,
      about: { gesture: crypto.randomUUID(), isDrag: true },
      start: this.#value,
      place: this.#scale.toShare(this.#value),
      x: event.clientX,
      y: event.clientY,
      time: event.timeStamp,
      speed: SLOW_PX_S[1],
      isMoved: false,
      acrossPx: look === "row" || look === "send" ? Math.max(width, 1) : DRAG_PX,
      downPx: look === "fader" ? Math.max(height, 1) : DRAG_PX,
      listening,
    };
    const { signal } = listening;
    // A slider that is taken away under the hand is not told that it is let go.
    this.#about.signal?.addEventListener("abort", () => listening.abort(), { once: true, signal });
    addEventListener("keydown", (pressed) => this.#escape(pressed), { capture: true, signal });
  }

  #pull(event) {
    if (!this.#isDragOf(event)) return;
    const drag = this.#drag;
    const { look } = this.#about;
    const across = look === "fader" ? 0 : event.clientX - drag.x;
    const down = look === "row" ? 0 : drag.y - event.clientY;
    const way = Math.hypot(across, down);
    if (!way || (!drag.isMoved && way < SLIP_PX)) return;
    const seconds = (event.timeStamp - drag.time) / 1000;
    if (seconds > 0 && drag.isMoved) drag.speed += 0.3 * (way / seconds - drag.speed);
    Object.assign(drag, { x: event.clientX, y: event.clientY, time: event.timeStamp, isMoved: true });
    const [slow, fast] = SLOW_PX_S;
    const share = clamp((drag.speed - slow) / (fast - slow), 0, 1);
    const size = event.shiftKey ? FINE : SLOW + (1 - SLOW) * share;
    drag.place = clamp(drag.place + size * (across / drag.acrossPx + down / drag.downPx), 0, 1);
    this.#set(tidy(this.#declared, this.#scale.toValue(drag.place), event.shiftKey), drag.about);
  }

  #escape(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.#giveBack();
  }

  #giveBack() {
    const { start, about } = this.#drag;
    this.#set(start, about);
    this.#drop();
  }

  #drop() {
    const { listening, about, pointer, isMoved } = this.#drag;
    this.#drag = null; // before the pointer is let go, which says so
    listening.abort();
    if (this.handle.hasPointerCapture(pointer)) this.handle.releasePointerCapture(pointer);
    if (isMoved) this.#about.drop?.(about);
    this.refresh();
  }
}

/** Sets what is different. */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
  }
}

/** The sign beside what a method set, which tells why. */
function makeWhy(model, owner, address, isStop) {
  const why = make(
    "button",
    {
      type: "button",
      class: "control-why",
      hidden: true,
      tabindex: isStop ? 0 : -1,
      title: "Why?",
      "aria-haspopup": "dialog",
      onclick: () => openWhy(model, owner, address(), why),
    },
    "?",
  );
  return why;
}

/** Makes a switch of a setting that is true or false. */
export function makeToggle(model, { owner, setting, label, signal }) {
  const toggle = make(
    "button",
    {
      type: "button",
      class: "control-toggle",
      role: "switch",
      title: model.declared(owner, setting)?.about,
      onclick: () => model.edit([{ owner, setting, value: !model.value(owner, setting) }]),
    },
    label,
  );
  const why = makeWhy(model, owner, () => setting, true);
  why.setAttribute("aria-label", `? Why ${label}`);
  const refresh = () => {
    toggle.setAttribute("aria-checked", String(Boolean(model.value(owner, setting))));
    why.hidden = !model.decision(owner, setting);
  };
  follow(model, owner, refresh, signal);
  return make("div", { class: "control control-switch" }, toggle, why);
}

/** Makes a choice of a setting that is one of several words; `isBare`, without name and "why". */
export function makeChoice(model, { owner, setting, label, isBare = false, signal }) {
  const declared = model.declared(owner, setting);
  const choose = make(
    "select",
    { "aria-label": label, title: declared.about },
    declared.choices.map((choice) => make("option", { value: choice }, formatValue(declared, choice))),
  );
  choose.addEventListener("change", () => model.edit([{ owner, setting, value: choose.value }]));
  const why = makeWhy(model, owner, () => setting, true);
  why.setAttribute("aria-label", `? Why ${label}`);
  const refresh = () => {
    choose.value = model.value(owner, setting);
    why.hidden = !model.decision(owner, setting);
  };
  follow(model, owner, refresh, signal);
  if (isBare) return choose;
  return make(
    "div",
    { class: "control control-choice" },
    make("span", { class: "control-name", "aria-hidden": "true" }, label),
    choose,
    why,
  );
}

function follow(model, owner, refresh, signal) {
  model.addEventListener(
    "change",
    ({ detail: { owners } }) => (!owners || owners.has(owner)) && model.part(owner) && refresh(),
    { signal },
  );
  refresh();
}
