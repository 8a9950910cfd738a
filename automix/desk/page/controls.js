/* Sliders, switches and choices of settings: they show the plan, and change it. */

import { clamp, figure, hertz, make, nameOf } from "./drawing.js";
import { openWhy } from "./why.js";

const FADER_SCALE = [-60, 0, -40, 0.12, -20, 0.36, -10, 0.55, 0, 0.78, 12, 1]; // dB, place, …
/** The levels that are marked beside a fader. */
export const FADER_MARKS = [12, 6, 0, -5, -10, -20, -30, -40, -60];
const FINE = 0.1; // of a step, with shift
const DRAG_PX = 160; // of a knob or a row, over the whole range
const MOST_VALUE = 1000; // of a range that has no upper end

/** Whether a setting is a place between left and right. */
function isPan(declared) {
  return declared.low === 0 && declared.high === 1 && /left.*right/.test(declared.about ?? "");
}

/** A value for people, with its unit. */
export function formatValue(declared, value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value !== "number") return String(value).replaceAll("_", " ");
  if (isPan(declared)) {
    const percent = Math.round(200 * (value - 0.5));
    return percent ? `${percent < 0 ? "L" : "R"}${Math.abs(percent)}` : "C";
  }
  if (declared.unit === "Hz") return hertz(value);
  if (declared.unit === "dB") return `${figure(value, 1)} dB`;
  const decimals = Math.abs(value) < 1 ? 3 : Math.abs(value) < 10 ? 2 : 1;
  const text = figure(Number(value.toFixed(decimals)), decimals).replace(/\.?0+$/, "");
  return declared.unit ? `${text} ${declared.unit}` : text;
}

/**
 * The value that a text says: "-3", "−3 dB", "1.2k", "L20", "C".
 *
 * @returns {number | null} Within the legal range; null if it says none.
 */
export function parseValue(declared, text) {
  const plain = text.trim().toLowerCase().replaceAll("−", "-").replace(",", ".");
  let value = null;
  if (isPan(declared)) {
    const said = /^([lr]?)\s*([+-]?\d+(?:\.\d+)?)\s*%?\s*([lr]?)$/.exec(plain);
    if (/^c(enter|entre)?$/.test(plain)) value = 0.5;
    else if (said) {
      const side = (said[1] || said[3]) === "l" ? -1 : 1;
      value = 0.5 + (side * Number(said[2])) / 200;
    }
  } else {
    const unit = (declared.unit ?? "").toLowerCase();
    const said = /^([+-]?(?:\d+\.?\d*|\.\d+))\s*(k|m)?\s*([^\d\s]*)$/.exec(plain);
    const [, digits, prefix, word] = said ?? [];
    const isUnit = said && (!word || word === unit || (word === "db" && unit.startsWith("db")));
    if (isUnit) value = Number(digits) * (prefix === "k" ? 1000 : 1);
    const asUnit = `${prefix ?? ""}${word ?? ""}`;
    if (said && unit === "s" && asUnit === "ms") value = Number(digits) / 1000;
    else if (said && unit === "ms" && asUnit === "s") value = Number(digits) * 1000;
    else if (prefix === "m" && asUnit !== unit) value = null;
    if (said && asUnit === unit) value = Number(digits);
  }
  if (value === null || !Number.isFinite(value)) return null;
  return clamp(value, declared.low ?? -Infinity, declared.high ?? Infinity);
}

function interpolate(table, from, value) {
  const to = 1 - from;
  let at = 0;
  while (at < table.length - 4 && table[at + 2 + from] < value) at += 2;
  const share = (value - table[at + from]) / (table[at + 2 + from] - table[at + from]);
  return table[at + to] + share * (table[at + 2 + to] - table[at + to]);
}

/** How values lie on a control: `place` gives 0 to 1, `value` gives it back; the steps of keys. */
export function scaleOf(declared, look) {
  if (look === "fader") {
    return {
      place: (value) => clamp(interpolate(FADER_SCALE, 0, value), 0, 1),
      value: (place) => interpolate(FADER_SCALE, 1, place),
      move: (value, steps) => value + 0.5 * steps,
      decimals: 1,
    };
  }
  const low = declared.low ?? Math.min(0, declared.default ?? 0);
  const high = declared.high ?? Math.max(low, MOST_VALUE);
  if (declared.scale === "log" && low >= 0) {
    const first = low || high / 1e4;
    const span = Math.log(high / first);
    return {
      place: (value) => (value <= first ? 0 : clamp(Math.log(value / first) / span, 0, 1)),
      value: (place) => (place <= 0 ? low : first * Math.exp(place * span)),
      move: (value, steps) => Math.max(value, first) * 2 ** (steps / 12),
      decimals: 3,
    };
  }
  const span = high - low;
  const step = declared.unit === "dB" ? 0.5 : span / 100;
  return {
    place: (value) => clamp((value - low) / span, 0, 1),
    value: (place) => low + place * span,
    move: (value, steps) => value + steps * step,
    decimals: declared.unit === "dB" ? 1 : span <= 2 ? 3 : span <= 200 ? 2 : 1,
  };
}

/**
 * Makes a slider of a setting that is a number.
 *
 * @param {import("./model.js").Model} model
 * @param {{owner: string, setting: string, label: string, look?: "fader" | "knob" | "row",
 *   signal?: AbortSignal, reading?: object, move?: (value: number, about: object) => void, taper?: string,
 *   address?: () => string}} about
 *   `reading` stands in for the setting where it is none by itself, as a send that may be absent:
 *   `declared`, `value()` and `format(value)`; `move` takes the new value in place of an edit.
 * @returns {HTMLElement} With `refresh()` and `showMoving(value | null)`, the value of a ride now.
 */
export function makeSlider(model, about) {
  const { owner, setting, label, look = "row", signal, reading, move, taper = look } = about;
  const address = about.address ?? (() => setting); // of a send, which moves in its list
  const declared = reading?.declared ?? model.declared(owner, setting);
  const scale = scaleOf(declared, taper);
  const valueNow = () => (reading ? reading.value() : model.value(owner, setting));
  const format = (value) => (reading ? reading.format(value) : formatValue(declared, value));
  const decision = () => model.decision(owner, address());
  const parts = {
    ghost: make("span", { class: "control-ghost", hidden: true }),
    fill: make("span", { class: "control-fill" }),
    moving: make("span", { class: "control-moving", hidden: true }),
    handle: make("span", { class: "control-handle" }),
  };
  const name = look === "row" ? label : `${owner} ${label}`;
  const slider = make(
    "div",
    {
      class: "control-slider",
      role: "slider",
      tabindex: 0,
      "aria-label": name,
      "aria-orientation": look === "fader" ? "vertical" : "horizontal",
      "aria-valuemin": declared.low ?? undefined,
      "aria-valuemax": declared.high ?? undefined,
      title: declared.about,
    },
    make("span", { class: "control-track", "aria-hidden": "true" }, Object.values(parts)),
  );
  const number = make("button", {
    type: "button",
    class: "control-value",
    tabindex: -1,
  });
  const why = make(
    "button",
    {
      type: "button",
      class: "control-why",
      hidden: true,
      tabindex: look === "row" ? 0 : -1,
      "aria-label": `Why ${name}`,
      "aria-haspopup": "dialog",
    },
    "?",
  );
  why.addEventListener("click", () => openWhy(model, owner, address(), why));
  const element = make(
    "div",
    { class: `control control-${look}`, "data-owner": owner, "data-setting": setting },
    look === "row" ? make("span", { class: "control-name", "aria-hidden": "true" }, label) : null,
    slider,
    number,
    why,
  );

  let gesture;
  let gestureEnds = 0;
  const set = (value, kind = crypto.randomUUID(), isKey = false) => {
    if (isFixed()) return;
    const legal = clamp(value, declared.low ?? -Infinity, declared.high ?? Infinity);
    const next = Number(legal.toFixed(Math.max(scale.decimals, 1)));
    if (next === valueNow()) return;
    const words = { gesture: kind, label: `${owner}: ${label}` };
    if (move) move(next, { ...words, isKey });
    else model.edit([{ owner, setting, value: next }], words);
  };
  /** Keys that follow each other are one step of undo. */
  const keyGesture = () => {
    if (performance.now() > gestureEnds) gesture = crypto.randomUUID();
    gestureEnds = performance.now() + 800;
    return gesture;
  };
  const isFixed = () => {
    const ride = declared.ridable && !declared.ridable.is_added && model.ride(owner, setting);
    return Boolean(ride);
  };
  const refuse = () => model.say(`the ${label} of ${owner} follows its ride; remove the ride to set it`);

  function refresh() {
    const value = valueNow();
    const shown = value ?? declared.default ?? declared.low ?? 0;
    const text = isFixed() ? "ride" : format(value);
    const place = scale.place(shown);
    element.style.setProperty("--place", place);
    slider.setAttribute("aria-valuenow", shown);
    slider.setAttribute("aria-valuetext", isFixed() ? `${text}, not set here` : text);
    if (isFixed()) slider.setAttribute("aria-disabled", "true");
    else slider.removeAttribute("aria-disabled");
    if (number.textContent !== text) {
      number.textContent = text;
      number.setAttribute("aria-label", `${text}, ${name}: type a value`);
    }
    const decided = decision();
    const isDecided = typeof decided?.value === "number";
    why.hidden = !decided;
    parts.ghost.hidden = !isDecided;
    if (isDecided) element.style.setProperty("--ghost", scale.place(decided.value));
    element.classList.toggle("control-moved", isDecided && Math.abs(decided.value - shown) > 1e-6);
  }

  function reset() {
    const decided = decision()?.value;
    const rest = typeof decided === "number" ? decided : (reading?.rest ?? declared.default);
    if (isFixed()) refuse();
    else if (typeof rest === "number") set(rest);
  }

  function type() {
    if (isFixed()) {
      refuse();
      return;
    }
    const field = make("input", {
      type: "text",
      class: "control-field",
      inputmode: "text",
      "aria-label": `${name}${declared.unit ? ` in ${declared.unit}` : ""}`,
    });
    field.value = format(valueNow()).replaceAll("−", "-");
    let isClosed = false; // a field that is taken away loses the focus, which would close it again
    const close = (isTaken) => {
      if (isClosed) return;
      isClosed = true;
      const hadFocus = document.activeElement === field;
      const text = field.value;
      field.replaceWith(number);
      if (hadFocus) slider.focus({ preventScroll: true });
      if (!isTaken) return;
      const isOff = reading?.off !== undefined && /^(off|-?inf|-?∞)$/i.test(text.trim());
      const value = isOff ? reading.off : parseValue(declared, text);
      if (value === null) model.say(`“${text}” is no value of the ${label}`, "error");
      else set(value);
    };
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter") close(true);
      else if (event.key === "Escape") close(false);
    });
    field.addEventListener("blur", () => close(true));
    number.replaceWith(field);
    field.focus();
    field.select();
  }

  slider.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const size = event.shiftKey ? FINE : 1;
    const steps = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 6, PageDown: -6 };
    const isAcross = event.key === "ArrowLeft" || event.key === "ArrowRight";
    if (look !== "row" && isAcross) return; // from strip to strip
    if (Object.hasOwn(steps, event.key)) {
      if (isFixed()) refuse();
      else set(scale.move(valueNow() ?? declared.low ?? 0, steps[event.key] * size), keyGesture(), true);
    } else if (event.key === "Home") set(declared.low ?? 0);
    else if (event.key === "End") set(taper === "fader" ? 12 : (declared.high ?? 0));
    else if (event.key === "Enter") type();
    else if (event.key === "Delete" || event.key === "Backspace") reset();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  let drag = null;
  slider.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    slider.focus({ preventScroll: true });
    if (isFixed()) {
      refuse();
      return;
    }
    slider.setPointerCapture(event.pointerId);
    const { height, width } = parts.handle.parentElement.getBoundingClientRect();
    drag = {
      id: crypto.randomUUID(),
      place: scale.place(valueNow() ?? declared.default ?? declared.low ?? 0),
      x: event.clientX,
      y: event.clientY,
      across: look === "row" ? Math.max(width, 1) : DRAG_PX,
      down: look === "fader" ? Math.max(height, 1) : DRAG_PX,
    };
    event.preventDefault();
  });
  slider.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const size = event.shiftKey ? FINE : 1;
    const across = look === "fader" ? 0 : (event.clientX - drag.x) / drag.across;
    const down = look === "row" ? 0 : (drag.y - event.clientY) / drag.down;
    if (!across && !down) return;
    [drag.x, drag.y] = [event.clientX, event.clientY];
    drag.place = clamp(drag.place + size * (across + down), 0, 1);
    set(scale.value(drag.place), drag.id);
  });
  const release = () => {
    drag = null;
  };
  slider.addEventListener("pointerup", release);
  slider.addEventListener("pointercancel", release);
  slider.addEventListener("lostpointercapture", release);
  slider.addEventListener("dblclick", reset);
  number.addEventListener("click", type);
  model.addEventListener(
    "change",
    ({ detail: { owners } }) => (!owners || owners.has(owner)) && model.part(owner) && refresh(),
    { signal },
  );
  refresh();

  element.refresh = refresh;
  element.slider = slider;
  element.showMoving = (value) => {
    const isShown = value !== null;
    if (parts.moving.hidden === isShown) parts.moving.hidden = !isShown;
    if (isShown) parts.moving.style.setProperty("--moving", scale.place(value));
  };
  return element;
}

/** Makes a switch of a setting that is true or false. */
export function makeToggle(model, { owner, setting, label, signal }) {
  const toggle = make(
    "button",
    {
      type: "button",
      class: "control control-toggle",
      role: "switch",
      title: model.declared(owner, setting)?.about,
      onclick: () => {
        const value = !model.value(owner, setting);
        const words = `${owner}: ${label} ${value ? "on" : "off"}`;
        model.edit([{ owner, setting, value }], { label: words });
      },
    },
    label,
  );
  const refresh = () => toggle.setAttribute("aria-checked", String(Boolean(model.value(owner, setting))));
  follow(model, owner, refresh, signal);
  return toggle;
}

/** Makes a choice of a setting that is one of several words. */
export function makeChoice(model, { owner, setting, label, signal }) {
  const declared = model.declared(owner, setting);
  const choose = make(
    "select",
    { "aria-label": label, title: declared.about },
    declared.choices.map((choice) => make("option", { value: choice }, formatValue(declared, choice))),
  );
  choose.addEventListener("change", () => {
    const words = `${owner}: ${nameOf(setting, declared)}`;
    model.edit([{ owner, setting, value: choose.value }], { label: words });
  });
  follow(model, owner, () => (choose.value = model.value(owner, setting)), signal);
  const isNamed = label.startsWith("Kind of");
  return isNamed
    ? choose
    : make("label", { class: "control control-choice" }, make("span", { class: "control-name" }, label), choose);
}

function follow(model, owner, refresh, signal) {
  model.addEventListener(
    "change",
    ({ detail: { owners } }) => (!owners || owners.has(owner)) && model.part(owner) && refresh(),
    { signal },
  );
  refresh();
}
