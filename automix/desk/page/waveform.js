/* The waveform of a part with its rides: a ruler that seeks and loops, and a line that is edited. */

import { clamp, clock, figure, make, parseTime, rule, Surface } from "./drawing.js";
import { AS_OPENED } from "./model.js";
import { Outline } from "./outline.js";
import { drawOutline, drawReductions, drawRide, drawRuler, drawScrollBar } from "./painting.js";
import {
  drawOver,
  findRidables,
  insertPoint,
  legalize,
  movePoints,
  removePoints,
  thin,
  valueAt,
} from "./ridelines.js";
import { formatValue, parseValue } from "./values.js";
import { describeSetting, openWhy } from "./why.js";

const SHORTEST_S = 0.1;
const NEAR_PX = 9;
const NEAR_TOUCH_PX = 20;

/** The waveform and the editor of rides of whichever part is shown. */
export class Waveform {
  #model;
  #engine;
  #hearing;
  #outline;
  #owner = null;
  #setting = null; // that is ridden
  #ridables = [];
  #from = 0; // of the view, in seconds
  #to = 0;
  #chosen = new Set(); // points
  #active = -1; // the point that keys move
  #isDrawing = false;
  #gesture = null;
  #range = null; // of the values on screen while a gesture lasts
  #loop = null; // seconds
  #pointers = new Map();
  #pinch = null;
  #width = 1; // of the layer of points; kept, as asking for it is slow
  #height = 1;
  #copied = null; // points, their times from the first on
  #opened = null; // the plan as it was opened, once it is known

  constructor(model, engine, hearing) {
    this.#model = model;
    this.#engine = engine;
    this.#hearing = hearing;
    this.#outline = new Outline(model, hearing, () => this.shape.redraw());
    this.#to = this.#length;
    this.#build();
    this.#readOpened();
    hearing.addEventListener("heard", () => {
      this.#outline.forget();
      this.redraw();
    });
    let isMoving = false;
    const tick = () => {
      this.#movePlayhead();
      isMoving = engine.playing;
      if (isMoving) requestAnimationFrame(tick);
    };
    engine.addEventListener("state", () => {
      this.#placeLoop();
      if (!isMoving) tick();
    });
  }

  /** Shows another part; the stretch of time that is looked at stays. */
  show(owner) {
    this.#owner = owner;
    this.#chosen.clear();
    this.#active = -1;
    this.#outline.forget();
    this.#ridables = findRidables(this.#model, owner);
    const has = (setting) => this.#ridables.some((ridable) => ridable.setting === setting);
    const ridden = this.#model.part(owner).rides.map((ride) => ride.setting);
    this.#setting = ridden.find(has) ?? this.#ridables[0]?.setting ?? null;
    this.refresh();
    this.redraw();
  }

  /** Shows the ride of a setting, and takes the focus to its points. */
  choose(setting) {
    this.#setting = setting;
    this.#chosen.clear();
    this.#active = -1;
    this.refresh();
    this.layer.focus();
  }

  /** Follows a change of the plan. */
  refresh() {
    const ridables = findRidables(this.#model, this.#owner);
    this.#ridables = ridables;
    if (!ridables.some(({ setting }) => setting === this.#setting)) {
      this.#setting = ridables[0]?.setting ?? null;
    }
    const count = this.#line.times.length;
    this.#chosen = new Set([...this.#chosen].filter((at) => at < count));
    if (this.#active >= count) this.#active = count - 1;
    this.#to = Math.min(this.#to, this.#length);
    this.#from = Math.min(this.#from, this.#to - SHORTEST_S);
    this.#outline.forget();
    this.#fillChoice();
    this.#fillFields();
    if (this.#active < 0) this.#say();
    this.shape.redraw();
    if (this.#to !== this.drawnTo) this.redraw();
    this.#tellState();
  }

  redraw() {
    this.drawnTo = this.#to;
    const canvas = this.lane.canvas;
    canvas.classList.toggle("empty", this.#reductions().length === 0);
    for (const surface of [this.ruler, this.shape, this.lane, this.bar]) surface.redraw();
    this.#movePlayhead();
    this.#placeLoop();
    this.#tellState();
  }

  /* ---- facts ---- */

  get #length() {
    return Math.max(1, this.#model.sound.length / this.#model.state.rate);
  }

  get #ridable() {
    return this.#ridables.find(({ setting }) => setting === this.#setting);
  }

  get #line() {
    const ride = this.#setting && this.#model.ride(this.#owner, this.#setting);
    return ride ? { times: ride.times_s, values: ride.values } : { times: [], values: [] };
  }

  /** The value of the line where there is no ride. */
  get #rest() {
    const ridable = this.#ridable;
    if (!ridable || ridable.isAdded) return 0;
    return this.#model.value(this.#owner, this.#setting);
  }

  #x(time) {
    return ((time - this.#from) / (this.#to - this.#from)) * this.#width;
  }

  #time(x) {
    return this.#from + (x / this.#width) * (this.#to - this.#from);
  }

  #view() {
    return {
      from: this.#from,
      to: this.#to,
      length: this.#length,
      x: (time) => this.#x(time),
      time: (x) => this.#time(x),
    };
  }

  /** What the height of the drawing stands for: from the lowest to the highest value. */
  #scale() {
    if (this.#range) return this.#range;
    const { isAdded, low, high } = this.#ridable;
    if (!isAdded) return { low, high };
    const { values } = this.#line;
    let least = -12;
    let most = 6;
    for (const value of values) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    return {
      low: Math.max(low, 6 * Math.floor((least - 0.5) / 6)),
      high: Math.min(high, 6 * Math.ceil((most + 0.5) / 6)),
    };
  }

  #y(value, { low, high } = this.#scale()) {
    const edge = 8;
    return edge + ((high - value) / (high - low)) * (this.#height - 2 * edge);
  }

  #value(y, { low, high } = this.#scale()) {
    const edge = 8;
    return high - ((y - edge) / (this.#height - 2 * edge)) * (high - low);
  }

  #word(value) {
    const ridable = this.#ridable;
    if (ridable.isAdded)
      return `${value > 0 ? "+" : ""}${figure(value, 1)} ${ridable.declared.unit}`;
    return formatValue(ridable.declared, value);
  }

  /* ---- elements ---- */

  #build() {
    const button = (label, text, onclick, more = {}) =>
      make("button", { type: "button", "aria-label": label, title: label, onclick, ...more }, text);
    this.choice = make("select", { class: "wave-choice", "aria-label": "What rides" });
    this.choice.addEventListener("change", () => {
      this.choose(this.choice.value);
      this.choice.focus();
    });
    this.pencil = button("Draw the ride with the pencil", "Draw", () => this.#setPencil(), {
      "aria-pressed": "false",
      class: "wave-pencil",
    });
    this.clear = button("Remove this ride", "Remove", () => this.#write(null, "remove the ride"));
    this.back = button("As opened: return to the ride that the plan came with", "As opened", () =>
      this.#goBack(),
    );
    this.why = button("Why this ride?", "?", () => this.#explain(), {
      class: "why-button",
      "aria-haspopup": "dialog",
    });
    this.timeField = make("input", { class: "wave-field", "aria-label": "Time of the point" });
    this.valueField = make("input", { class: "wave-field", "aria-label": "Value of the point" });
    for (const field of [this.timeField, this.valueField]) {
      field.addEventListener("change", () => this.#takeField(field));
      field.addEventListener("keydown", (event) => {
        event.stopPropagation();
        if (event.key === "Enter") this.#takeField(field);
        if (event.key === "Escape") {
          this.#fillFields();
          this.layer.focus();
        }
      });
    }
    this.remove = button("Delete the chosen points", "Delete", () => this.#deleteChosen());
    this.fields = make(
      "span",
      { class: "wave-point" },
      make("label", {}, "at ", this.timeField),
      make("label", {}, "is ", this.valueField),
      this.remove,
    );
    this.hint = make(
      "span",
      { class: "wave-hint hint" },
      "Click the line for a point, drag it, double click deletes it; alt draws.",
    );
    this.note = make("span", { class: "wave-note hint" });
    this.tools = make(
      "div",
      { class: "wave-tools", role: "group", "aria-label": "Ride" },
      make("label", { class: "wave-label" }, "Ride ", this.choice),
      this.why,
      this.pencil,
      this.clear,
      this.back,
      make(
        "span",
        { class: "wave-zoom", role: "group", "aria-label": "Zoom" },
        button("Zoom out", "−", () => this.#zoom(2)),
        button("Zoom in", "+", () => this.#zoom(0.5)),
        button("All of the song", "All", () => this.#setView(0, this.#length)),
      ),
    );
    const canvas = (name) => make("canvas", { class: name, "aria-hidden": "true" });
    const [ruler, shape, lane, bar] = ["wave-ruler", "wave-shape", "wave-lane", "wave-bar"].map(
      canvas,
    );
    const painted = (element, draw) =>
      new Surface(element, (context, width, height, ink) => {
        if (this.#owner) draw({ context, width, height, ink }, this.#view());
      });
    this.ruler = painted(ruler, drawRuler);
    this.shape = painted(shape, (paint, view) => this.#drawShape(paint, view));
    this.lane = painted(lane, (paint, view) => {
      if (this.#reductions().length) drawReductions(paint, view, this.#reductions());
    });
    this.bar = painted(bar, drawScrollBar);
    this.rulerHit = make("div", {
      class: "wave-ruler-hit",
      title: "Click to go there; drag to loop a region; double click ends the loop",
    });
    this.help = make(
      "span",
      { class: "unseen", id: "wave-help" },
      "Left and right go from point to point, with shift they choose more. Up and down change the" +
        " value, finely with shift. Alt with left and right moves in time. Enter or insert adds a" +
        " point at the playhead or after the point, delete removes it. Control with A chooses all" +
        " points; with X, C and V it cuts, copies and pastes them at the playhead. L loops from the" +
        " first to the last point that is chosen. Plus and minus zoom, brackets scroll.",
    );
    this.option = make("div", { role: "option", class: "unseen", id: "wave-point-0" });
    this.layer = make(
      "div",
      {
        class: "wave-points",
        role: "listbox",
        tabindex: 0,
        "aria-multiselectable": "true",
        "aria-describedby": "wave-help",
      },
      this.option,
    );
    this.box = make("div", { class: "wave-box", hidden: true });
    this.loopMark = make("div", { class: "wave-loop", hidden: true });
    this.head = make("div", { class: "wave-head" });
    this.waiting = make("p", { class: "wave-waiting" });
    this.speech = make("div", { class: "unseen", "aria-live": "polite" });
    this.body = make(
      "div",
      { class: "wave-body" },
      make("div", { class: "wave-top" }, ruler, this.rulerHit),
      make("div", { class: "wave-middle" }, shape, this.layer, this.box, this.waiting),
      lane,
      this.loopMark,
      this.head,
    );
    this.element = make(
      "div",
      { class: "wave" },
      this.tools,
      this.body,
      bar,
      make("div", { class: "wave-foot" }, this.fields, this.hint, this.note),
      this.help,
      this.speech,
    );
    const measure = () => {
      this.#width = this.layer.clientWidth || 1;
      this.#height = this.layer.clientHeight || 1;
    };
    new ResizeObserver(() => {
      measure();
      this.redraw();
    }).observe(this.layer);
    this.#listenRuler();
    this.#listenPoints();
    this.#listenBar(bar);
    this.body.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  #fillChoice() {
    const model = this.#model;
    const options = this.#ridables.map(({ setting }) => {
      const ride = model.ride(this.#owner, setting);
      const mark = ride ? ` (${ride.times_s.length})` : "";
      const text = describeSetting(model, this.#owner, setting) + mark;
      return make("option", { value: setting, selected: setting === this.#setting }, text);
    });
    const shown = [...this.choice.options].map(({ text, value }) => value + text).join();
    const wanted = options.map(({ text, value }) => value + text).join();
    if (shown !== wanted) this.choice.replaceChildren(...options);
    this.choice.value = this.#setting;
    const hasRide = this.#line.times.length > 0;
    this.clear.disabled = !hasRide;
    this.why.hidden = !this.#decision();
    const owner = this.#owner;
    const opened = this.#openedRide();
    this.back.hidden = !opened || isSameRide(opened, model.ride(owner, this.#setting));
    const name = this.#setting ? describeSetting(model, owner, this.#setting) : "nothing";
    this.layer.setAttribute("aria-label", `Points of the ride of ${owner}, ${name}`);
  }

  /** The address of the ride in decisions, if one is about it. They count as the plan was opened. */
  #decision() {
    const isIt = ({ setting }) => setting === this.#setting;
    const at = this.#model.part(this.#owner).rides.findIndex(isIt);
    const opened = this.#openedPart()?.rides.findIndex(isIt) ?? at;
    const setting = `rides.${at + 1}`;
    return at >= 0 && at === opened && this.#model.decision(this.#owner, setting) ? setting : null;
  }

  #explain() {
    const setting = this.#decision();
    if (setting) openWhy(this.#model, this.#owner, setting, this.why);
  }

  /** The part as the plan was opened, once that is known. */
  #openedPart() {
    if (!this.#opened) return undefined;
    if (this.#owner === "master") return this.#opened.master;
    const { tracks, buses } = this.#opened;
    return [...tracks, ...buses].find(({ name }) => name === this.#owner);
  }

  /** The ride as the plan was opened; nothing where there was none. */
  #openedRide() {
    return this.#openedPart()?.rides.find(({ setting }) => setting === this.#setting);
  }

  async #readOpened() {
    const { ok, body } = await this.#model.get(`snapshot/${encodeURIComponent(AS_OPENED)}`);
    if (!ok) return; // without it there is no way back to its rides, but for undo
    this.#opened = body.plan;
    if (this.#owner) this.#fillChoice();
  }

  #goBack() {
    const ride = this.#openedRide();
    if (ride)
      this.#write({ times: ride.times_s, values: ride.values }, "return to the ride", null, ride);
  }

  #fillFields() {
    const { times, values } = this.#line;
    const has = this.#active >= 0 && this.#active < times.length;
    this.fields.classList.toggle("idle", !has); // its place stays, so that nothing moves
    if (!has) return;
    if (document.activeElement !== this.timeField) {
      this.timeField.value = clock(times[this.#active], 3);
    }
    if (document.activeElement !== this.valueField) {
      this.valueField.value = this.#word(values[this.#active]);
    }
    const count = this.#chosen.size > 1 ? ` ${this.#chosen.size}` : "";
    this.remove.textContent = `Delete${count}`;
    this.remove.setAttribute("aria-label", `Delete${count} chosen ${count ? "points" : "point"}`);
  }

  #takeField(field) {
    const { times, values } = this.#line;
    const at = this.#active;
    if (at < 0) return;
    let [byTime, byValue] = [0, 0];
    if (field === this.timeField) {
      const time = parseTime(field.value);
      if (time !== null) byTime = time - times[at];
    } else {
      const value = parseValue({ ...this.#ridable.declared, ...this.#limits() }, field.value);
      if (value !== null) byValue = value - values[at];
    }
    if (Math.abs(byTime) > 1e-4 || Math.abs(byValue) > 1e-4) this.#moveChosen(byTime, byValue);
    this.#fillFields();
  }

  #limits() {
    const { low, high } = this.#ridable;
    return { low, high, end: this.#length };
  }

  /* ---- edits ---- */

  /** Writes the line of the setting; none takes the ride out. */
  #write(line, label, gesture, exact = null) {
    const model = this.#model;
    const [owner, setting] = [this.#owner, this.#setting];
    const rides = [...model.part(owner).rides];
    const at = rides.findIndex((ride) => ride.setting === setting);
    if (line && line.times.length) {
      const { times, values } = legalize(line, this.#limits(), this.#line);
      const ride = exact ?? { setting, times_s: times, values };
      if (at >= 0) rides[at] = ride;
      else rides.push(ride);
    } else if (at >= 0) rides.splice(at, 1);
    else return;
    const name = describeSetting(model, owner, setting);
    model.edit([{ owner, setting: "rides", value: rides }], {
      ...(gesture ? { gesture } : {}),
      label: `${owner}: ${label} of ${name}`,
    });
  }

  #moveChosen(byTime, byValue, gesture) {
    const chosen = this.#chosen.size ? this.#chosen : new Set([this.#active]);
    const line = movePoints(this.#line, chosen, byTime, byValue, this.#limits());
    this.#write(line, "move points", gesture);
    this.#say();
  }

  #deleteChosen() {
    if (this.#active < 0) return;
    const chosen = this.#chosen.size ? this.#chosen : new Set([this.#active]);
    const at = Math.min(...chosen);
    const line = removePoints(this.#line, chosen);
    this.#chosen = new Set();
    this.#active = Math.min(at, line.times.length - 1);
    if (this.#active >= 0) this.#chosen.add(this.#active);
    this.#write(line, "delete points");
    this.speech.textContent = line.times.length ? "" : "the ride is gone";
    this.#say();
  }

  #addPoint(time, value, gesture) {
    const { low, high } = this.#ridable;
    const { line, at } = insertPoint(
      this.#line,
      clamp(time, 0, this.#length),
      clamp(value, low, high),
    );
    this.#active = at;
    this.#chosen = new Set([at]);
    this.#write(line, "add a point", gesture);
    return at;
  }

  #choose(at, { add = false } = {}) {
    if (!add) this.#chosen.clear();
    if (add && this.#chosen.has(at)) this.#chosen.delete(at);
    else this.#chosen.add(at);
    this.#active = at;
    this.#say();
    this.#fillFields();
    this.shape.redraw();
  }

  /** Tells a screen reader which point it is on. */
  #say() {
    const { times, values } = this.#line;
    const at = this.#active;
    if (at < 0 || at >= times.length) {
      this.layer.removeAttribute("aria-activedescendant");
      this.option.textContent = times.length
        ? `${times.length} points`
        : "no points; enter adds one";
      this.option.setAttribute("aria-selected", "false");
      return;
    }
    const more = this.#chosen.size > 1 ? `, ${this.#chosen.size} points chosen` : "";
    const text = `${clock(times[at], 2)}, ${this.#word(values[at])}${more}`;
    this.option.id = `wave-point-${at}`;
    this.option.setAttribute("aria-posinset", at + 1);
    this.option.setAttribute("aria-setsize", times.length);
    this.option.setAttribute("aria-selected", String(this.#chosen.has(at)));
    this.option.textContent = text;
    this.layer.setAttribute("aria-activedescendant", this.option.id);
    this.speech.textContent = `point ${at + 1} of ${times.length}, ${text}`;
  }

  /* ---- pointer on the line ---- */

  #near(x, y, reach) {
    const { times, values } = this.#line;
    const scale = this.#scale();
    let [best, apart] = [-1, reach];
    for (let at = 0; at < times.length; at += 1) {
      const dx = this.#x(times[at]) - x;
      if (Math.abs(dx) > apart) continue;
      const distance = Math.hypot(dx, this.#y(values[at], scale) - y);
      if (distance <= apart) [best, apart] = [at, distance];
    }
    return best;
  }

  #isOnLine(x, y, reach) {
    return Math.abs(this.#y(valueAt(this.#line, this.#time(x), this.#rest)) - y) <= reach;
  }

  #listenPoints() {
    const layer = this.layer;
    const place = (event) => {
      const box = layer.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    layer.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !this.#ridable) return;
      const [x, y] = place(event);
      this.#pointers.set(event.pointerId, [x, y]);
      layer.setPointerCapture(event.pointerId);
      if (this.#pointers.size === 2) {
        this.#beginPinch();
        return;
      }
      if (this.#pointers.size > 2) return;
      this.#grab(event, x, y);
    });
    layer.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      if (this.#pointers.has(event.pointerId)) this.#pointers.set(event.pointerId, [x, y]);
      if (this.#pinch) this.#movePinch();
      else if (this.#gesture) this.#drag(event, x, y);
      else this.#hover(x, y, event);
    });
    const end = (event) => {
      this.#pointers.delete(event.pointerId);
      if (this.#pinch) {
        if (!this.#pointers.size) this.#pinch = null;
        return;
      }
      const [x, y] = place(event);
      if (this.#gesture) this.#release(x, y, event.type === "pointercancel");
    };
    layer.addEventListener("pointerup", end);
    layer.addEventListener("pointercancel", end);
    layer.addEventListener("dblclick", (event) => {
      const [x, y] = place(event);
      if (!this.#ridable || this.#isDrawing) return;
      const at = this.#near(x, y, NEAR_PX);
      // The first of the two clicks may have added the point: it is not deleted at once.
      if (at >= 0 && performance.now() - this.addedAt < 600) return;
      if (at >= 0) {
        this.#choose(at);
        this.#deleteChosen();
      } else this.#addPoint(this.#time(x), this.#value(y));
    });
    layer.addEventListener("keydown", (event) => this.#press(event));
    layer.addEventListener("focus", () => {
      if (this.#active < 0 && this.#line.times.length) this.#active = 0;
      this.#say();
      this.#fillFields();
      this.shape.redraw();
    });
    layer.addEventListener("blur", () => this.shape.redraw());
  }

  addedAt = -Infinity;

  #grab(event, x, y) {
    const reach = event.pointerType === "touch" ? NEAR_TOUCH_PX : NEAR_PX;
    const gesture = { id: crypto.randomUUID(), x, y, isMoved: false, fine: [0, 0], last: [x, y] };
    this.#range = this.#scale();
    if (this.#isDrawing || event.altKey) {
      gesture.kind = "draw";
      gesture.line = this.#line;
      gesture.rest = this.#rest;
      gesture.marks = new Map();
      this.#gesture = gesture;
      return;
    }
    const at = this.#near(x, y, reach);
    if (at >= 0) {
      if (event.ctrlKey || event.metaKey) this.#choose(at, { add: true });
      else if (!this.#chosen.has(at)) this.#choose(at);
      else {
        this.#active = at;
        this.#say();
        this.#fillFields();
      }
      gesture.kind = "move";
    } else if (this.#isOnLine(x, y, reach - 2)) {
      gesture.kind = "add"; // once it is moved or let go: a second finger may come
    } else {
      gesture.kind = "box";
      gesture.before = event.ctrlKey || event.metaKey ? new Set(this.#chosen) : new Set();
    }
    gesture.line = this.#line;
    gesture.chosen = new Set(this.#chosen);
    this.#gesture = gesture;
    this.shape.redraw();
  }

  #drag(event, x, y) {
    const gesture = this.#gesture;
    if (!gesture.isMoved && Math.hypot(x - gesture.x, y - gesture.y) < 3) return;
    const isFirst = !gesture.isMoved;
    gesture.isMoved = true;
    if (gesture.kind === "draw") {
      if (isFirst) this.#mark(gesture.x, gesture.y);
      const all = event.getCoalescedEvents?.() ?? [];
      const box = this.layer.getBoundingClientRect();
      for (const each of all.length ? all : [event]) {
        this.#mark(each.clientX - box.left, each.clientY - box.top);
      }
      this.#stroke();
    } else if (gesture.kind === "add" || gesture.kind === "move") {
      if (gesture.kind === "add") this.#addGrabbed(gesture);
      const slow = event.shiftKey ? 0.1 : 1;
      gesture.fine[0] += slow * (x - gesture.last[0]);
      gesture.fine[1] += slow * (y - gesture.last[1]);
      const { low, high } = this.#range;
      const perPx = (high - low) / (this.#height - 16);
      const byTime = (gesture.fine[0] / this.#width) * (this.#to - this.#from);
      const line = movePoints(
        gesture.line,
        gesture.chosen,
        byTime,
        -gesture.fine[1] * perPx,
        this.#limits(),
      );
      this.#write(line, "move points", gesture.id);
      this.#fillFields();
    } else this.#stretchBox(gesture, x, y);
    gesture.last = [x, y];
  }

  /** Adds the point of the line that was grabbed, which the gesture goes on to move. */
  #addGrabbed(gesture) {
    const time = this.#time(gesture.x);
    this.#addPoint(time, valueAt(this.#line, time, this.#rest), gesture.id);
    this.addedAt = performance.now();
    gesture.kind = "move";
    gesture.line = this.#line;
    gesture.chosen = new Set(this.#chosen);
  }

  /** Notes where the pencil is; columns between this mark and the last are filled. */
  #mark(x, y) {
    const { marks } = this.#gesture;
    const { low, high } = this.#ridable;
    const column = Math.round(clamp(x, 0, this.#width));
    const value = clamp(this.#value(y), low, high);
    const before = this.#gesture.mark;
    if (before) {
      const steps = Math.abs(column - before[0]);
      for (let step = 1; step < steps; step += 1) {
        const at = before[0] + Math.sign(column - before[0]) * step;
        marks.set(at, before[1] + ((value - before[1]) * step) / steps);
      }
    }
    marks.set(column, value);
    this.#gesture.mark = [column, value];
  }

  #stroke() {
    const gesture = this.#gesture;
    const columns = [...gesture.marks.keys()].sort((one, other) => one - other);
    if (!columns.length) return;
    const raw = {
      times: columns.map((column) => this.#time(column)),
      values: columns.map((column) => gesture.marks.get(column)),
    };
    const { low, high } = this.#range;
    const perValue = (this.#height - 16) / (high - low);
    const stroke = thin(raw, this.#width / (this.#to - this.#from), perValue, 0.75);
    this.#chosen.clear();
    this.#active = -1;
    this.#write(drawOver(gesture.line, stroke, gesture.rest), "draw the ride", gesture.id);
  }

  #stretchBox(gesture, x, y) {
    const [left, right] = [Math.min(x, gesture.x), Math.max(x, gesture.x)];
    const [top, bottom] = [Math.min(y, gesture.y), Math.max(y, gesture.y)];
    Object.assign(this.box.style, {
      left: `${clamp(left, 0, this.#width)}px`,
      top: `${clamp(top, 0, this.#height)}px`,
      width: `${clamp(right, 0, this.#width) - clamp(left, 0, this.#width)}px`,
      height: `${clamp(bottom, 0, this.#height) - clamp(top, 0, this.#height)}px`,
    });
    this.box.hidden = false;
    this.#chosen = new Set(gesture.before);
    const { times, values } = this.#line;
    const scale = this.#scale();
    times.forEach((time, at) => {
      const [px, py] = [this.#x(time), this.#y(values[at], scale)];
      if (px >= left && px <= right && py >= top && py <= bottom) this.#chosen.add(at);
    });
    this.#active = this.#chosen.size ? Math.min(...this.#chosen) : this.#active;
    this.#fillFields();
    this.shape.redraw();
  }

  #release(x, y, isCancelled) {
    const gesture = this.#gesture;
    this.#gesture = null;
    this.#range = null;
    this.box.hidden = true;
    if (gesture.kind === "draw" && !gesture.isMoved && !isCancelled) {
      this.#addPoint(this.#time(x), this.#value(y));
    }
    if (gesture.kind === "add" && !isCancelled) this.#addGrabbed(gesture);
    if (gesture.kind === "box" && !gesture.isMoved && !isCancelled) {
      this.#chosen.clear();
      this.#active = -1;
      this.#seek(this.#time(x));
    }
    this.#say();
    this.#fillFields();
    this.shape.redraw();
  }

  #hover(x, y, event) {
    if (!this.#ridable) return;
    const isPencil = this.#isDrawing || event.altKey;
    const onPoint = this.#near(x, y, NEAR_PX) >= 0;
    const kind = isPencil ? "crosshair" : onPoint ? "move" : this.#isOnLine(x, y, 7) ? "copy" : "";
    this.layer.style.cursor = kind;
    const value = valueAt(this.#line, this.#time(x), this.#rest);
    this.note.textContent = `${clock(this.#time(x), this.#to - this.#from < 20 ? 2 : 1)}  ${this.#word(value)}`;
  }

  #beginPinch() {
    this.#gesture = null;
    this.#range = null;
    this.box.hidden = true;
    const [one, other] = [...this.#pointers.values()].map(([x]) => x);
    this.#pinch = { times: [this.#time(one), this.#time(other)], from: this.#from, to: this.#to };
  }

  #movePinch() {
    if (this.#pointers.size < 2) return;
    const [one, other] = [...this.#pointers.values()].map(([x]) => x);
    const [first, second] = this.#pinch.times;
    if (Math.abs(other - one) < 8) return;
    const perPx = (second - first) / (other - one);
    if (!(perPx > 0)) return;
    const from = first - one * perPx;
    this.#setView(from, from + perPx * this.#width);
  }

  /* ---- keys on the points ---- */

  #press(event) {
    const { times, values } = this.#line;
    const ridable = this.#ridable;
    if (!ridable) return;
    const isCommand = event.ctrlKey || event.metaKey;
    const step = ridable.isAdded ? 0.5 : (ridable.high - ridable.low) / 50;
    const nudge = event.shiftKey ? step / 5 : step;
    const tick = ((this.#to - this.#from) / this.#width) * (event.shiftKey ? 1 : 5);
    const go = (to) => {
      if (!times.length) return;
      const at = clamp(to, 0, times.length - 1);
      if (event.shiftKey) this.#chosen.add(this.#active);
      else this.#chosen.clear();
      this.#chosen.add(at);
      this.#active = at;
      this.#reveal(times[at]);
      this.#say();
      this.#fillFields();
      this.shape.redraw();
    };
    const move = (byTime, byValue) => {
      if (this.#active < 0) return;
      const isSame = this.keyed && performance.now() - this.keyed.at < 1000;
      this.keyed = { at: performance.now(), id: isSame ? this.keyed.id : crypto.randomUUID() };
      this.#moveChosen(byTime, byValue, this.keyed.id);
      this.#fillFields();
    };
    const actions = {
      ArrowLeft: () => (event.altKey ? move(-tick, 0) : go(this.#active - 1)),
      ArrowRight: () => (event.altKey ? move(tick, 0) : go(this.#active + 1)),
      ArrowUp: () => move(0, nudge),
      ArrowDown: () => move(0, -nudge),
      PageUp: () => move(0, 6 * step),
      PageDown: () => move(0, -6 * step),
      Home: () => go(0),
      End: () => go(times.length - 1),
      Enter: () => this.#insert(),
      Insert: () => this.#insert(),
      Delete: () => this.#deleteChosen(),
      Backspace: () => this.#deleteChosen(),
      Escape: () => {
        this.#chosen = new Set(this.#active >= 0 ? [this.#active] : []);
        this.#setPencil(false);
        this.#say();
        this.shape.redraw();
      },
      "+": () => this.#zoom(0.5),
      "=": () => this.#zoom(0.5),
      "-": () => this.#zoom(2),
      "[": () => this.#scroll(-0.25),
      "]": () => this.#scroll(0.25),
      l: () => this.#loopChosen(),
    };
    const commands = {
      a: () => {
        if (!times.length) return;
        this.#chosen = new Set(values.keys());
        this.#active = Math.max(0, this.#active);
        this.#say();
        this.#fillFields();
        this.shape.redraw();
      },
      c: () => this.#copy(),
      x: () => this.#copy() && this.#deleteChosen(),
      v: () => this.#paste(),
    };
    const action = isCommand ? commands[event.key] : actions[event.key];
    if (!action) return;
    action();
    event.preventDefault();
    event.stopPropagation();
  }

  /** Adds a point: at the playhead, or where one is there already, half way to the next point. */
  #insert() {
    const { times } = this.#line;
    let time = this.#engine.position / this.#model.state.rate;
    const isTaken = times.some((other) => Math.abs(other - time) < 0.01);
    if (isTaken || time < this.#from || time > this.#to) {
      const at = this.#active;
      const before = times[at] ?? 0;
      const after = times[at + 1] ?? Math.min(this.#length, before + (this.#to - this.#from) / 10);
      time = (before + after) / 2;
    }
    this.#addPoint(time, valueAt(this.#line, time, this.#rest));
    this.#reveal(time);
    this.#say();
    this.#fillFields();
  }

  #copy() {
    const { times, values } = this.#line;
    const chosen = [...this.#chosen].sort((one, other) => one - other);
    if (!chosen.length) return false;
    const start = times[chosen[0]];
    this.#copied = {
      times: chosen.map((at) => times[at] - start),
      values: chosen.map((at) => values[at]),
    };
    this.speech.textContent = `${chosen.length} points copied`;
    return true;
  }

  /** Puts what was copied at the playhead; before and after it the line stays. */
  #paste() {
    if (!this.#copied) return;
    const { low, high } = this.#ridable;
    const start = this.#engine.position / this.#model.state.rate;
    const times = this.#copied.times.map((time) => time + start);
    const count = times.filter((time) => time <= this.#length).length;
    if (!count) return;
    const values = this.#copied.values.map((value) => clamp(value, low, high));
    const stroke = { times: times.slice(0, count), values: values.slice(0, count) };
    this.#write(drawOver(this.#line, stroke, this.#rest), "paste points");
    const isPasted = (time) => time >= start - 0.0005 && time <= stroke.times.at(-1) + 0.0005;
    this.#chosen = new Set(this.#line.times.flatMap((time, at) => (isPasted(time) ? [at] : [])));
    this.#active = Math.min(...this.#chosen);
    this.#say();
    this.#fillFields();
    this.shape.redraw();
  }

  /** Loops from the first to the last chosen point; with less than two of them, not any more. */
  #loopChosen() {
    const { times } = this.#line;
    const chosen = [...this.#chosen].map((at) => times[at]);
    const [from, to] = [Math.min(...chosen), Math.max(...chosen)];
    const isLoop = chosen.length > 1 && to > from;
    this.#setLoop(isLoop ? from : 0, isLoop ? to : null);
    this.speech.textContent = isLoop ? `looping ${clock(from)} to ${clock(to)}` : "no loop";
  }

  #setPencil(isOn = !this.#isDrawing) {
    this.#isDrawing = isOn;
    this.pencil.setAttribute("aria-pressed", String(isOn));
    this.layer.classList.toggle("drawing", isOn);
  }

  /* ---- time: seek, loop, zoom ---- */

  #seek(seconds) {
    const { rate } = this.#model.state;
    this.#engine.seek(Math.round(clamp(seconds, 0, this.#length) * rate));
    this.#movePlayhead();
  }

  #setLoop(from, to) {
    const { rate } = this.#model.state;
    this.#loop = to === null ? null : [from, to];
    if (to === null) this.#engine.setLoop(0, null);
    else this.#engine.setLoop(Math.round(from * rate), Math.round(to * rate));
    this.#placeLoop();
  }

  #listenRuler() {
    const hit = this.rulerHit;
    let start = null;
    const at = (event) => event.clientX - hit.getBoundingClientRect().left;
    hit.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      hit.setPointerCapture(event.pointerId);
      start = at(event);
    });
    hit.addEventListener("pointermove", (event) => {
      if (start === null || Math.abs(at(event) - start) < 4) return;
      const ends = [start, at(event)].sort((one, other) => one - other);
      const [from, to] = ends.map((x) => clamp(this.#time(x), 0, this.#length));
      if (to - from > 0.02) this.#setLoop(from, to);
    });
    hit.addEventListener("pointerup", (event) => {
      if (start !== null && Math.abs(at(event) - start) < 4) this.#seek(this.#time(start));
      start = null;
    });
    hit.addEventListener("pointercancel", () => {
      start = null;
    });
    hit.addEventListener("dblclick", () => this.#setLoop(0, null));
  }

  #placeLoop() {
    const told = this.#engine.loop;
    const { rate } = this.#model.state;
    this.#loop = told && [told.start / rate, told.end / rate];
    this.loopMark.hidden = !this.#loop;
    if (!this.#loop) return;
    const [left, right] = this.#loop.map((time) => clamp(this.#x(time), 0, this.#width));
    this.loopMark.style.left = `${left}px`;
    this.loopMark.style.width = `${Math.max(0, right - left)}px`;
  }

  #setView(from, to) {
    const span = clamp(to - from, SHORTEST_S, this.#length);
    this.#from = clamp(from, 0, this.#length - span);
    this.#to = this.#from + span;
    this.redraw();
  }

  /** Zooms around the playhead where it is in view, else around a time. */
  #zoom(factor, around = null) {
    const head = this.#engine.position / this.#model.state.rate;
    const isSeen = head >= this.#from && head <= this.#to;
    const fixed = around ?? (isSeen ? head : (this.#from + this.#to) / 2);
    this.#setView(fixed - (fixed - this.#from) * factor, fixed + (this.#to - fixed) * factor);
  }

  #scroll(share) {
    const by = share * (this.#to - this.#from);
    this.#setView(this.#from + by, this.#to + by);
  }

  #reveal(time) {
    if (time >= this.#from && time <= this.#to) return;
    const span = this.#to - this.#from;
    this.#setView(time - span / 2, time + span / 2);
  }

  #wheel(event) {
    const isAcross = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (event.ctrlKey || event.metaKey || event.altKey) {
      const x = event.clientX - this.layer.getBoundingClientRect().left;
      this.#zoom(Math.exp(clamp(event.deltaY, -60, 60) / 100), this.#time(x));
    } else if (isAcross || event.shiftKey) {
      const by = isAcross ? event.deltaX : event.deltaY;
      this.#scroll(by / this.#width);
    } else return; // the page scrolls
    event.preventDefault();
  }

  #listenBar(bar) {
    let grabbed = null;
    bar.addEventListener("pointerdown", (event) => {
      bar.setPointerCapture(event.pointerId);
      const time = (event.offsetX / bar.clientWidth) * this.#length;
      const span = this.#to - this.#from;
      if (time < this.#from || time > this.#to) this.#setView(time - span / 2, time + span / 2);
      grabbed = time - this.#from;
    });
    bar.addEventListener("pointermove", (event) => {
      if (grabbed === null) return;
      const from = (event.offsetX / bar.clientWidth) * this.#length - grabbed;
      this.#setView(from, from + (this.#to - this.#from));
    });
    for (const name of ["pointerup", "pointercancel"]) {
      bar.addEventListener(name, () => {
        grabbed = null;
      });
    }
  }

  #movePlayhead() {
    const seconds = this.#engine.position / this.#model.state.rate;
    const isAll = this.#to - this.#from >= this.#length - 0.001;
    if (this.#engine.playing && !isAll && !this.#gesture && !this.#pinch) {
      const span = this.#to - this.#from;
      if (seconds > this.#to && seconds < this.#to + span) this.#setView(this.#to, this.#to + span);
    }
    const x = this.#x(seconds);
    this.head.style.transform = `translateX(${clamp(x, -4, this.#width + 4)}px)`;
    this.head.style.opacity = x < -1 || x > this.#width + 1 ? "0" : "1";
    this.onposition?.(seconds);
  }

  /* ---- drawing ---- */

  #tellState() {
    const model = this.#model;
    if (model.kind(this.#owner ?? "master") !== "strip") {
      this.waiting.textContent = "";
      return;
    }
    const heard = this.#hearing.of(this.#owner);
    const isFresh = this.#hearing.isFresh(this.#owner);
    const { ready = 0 } = model.sound.tracks[this.#owner] ?? {};
    const share = clamp(Math.floor((100 * ready) / Math.max(1, model.state.frames)), 0, 100);
    this.waiting.textContent = heard
      ? isFresh
        ? ""
        : "hearing the change …"
      : `rendering the track … ${share} %`;
  }

  #drawShape(paint, view) {
    const { context, width, height, ink } = paint;
    const middle = height / 2;
    context.strokeStyle = ink("edge");
    context.globalAlpha = 0.5;
    rule(context, 0, middle, width, middle);
    context.globalAlpha = 1;
    const columns = this.#outline.columns({
      owner: this.#owner,
      from: this.#from,
      to: this.#to,
      length: this.#length,
      width,
    });
    const line = this.#line;
    const isLevel = /^(fader_db|gain_db)$/.test(this.#setting ?? "") && line.times.length;
    const family = this.#model.state.families?.[this.#owner];
    if (columns) drawOutline(paint, view, columns, isLevel ? line : null, `family-${family}`);
    if (!this.#ridable) return;
    const scale = this.#scale();
    drawRide(paint, view, {
      line,
      rest: this.#rest,
      scale,
      isAdded: this.#ridable.isAdded,
      unit: this.#ridable.declared.unit,
      y: (value) => this.#y(value, scale),
      word: (value) => this.#word(value),
      chosen: this.#chosen,
      active: this.#active,
      isFocused: document.activeElement === this.layer,
      isHeld: this.#gesture?.kind === "move" && this.#gesture.isMoved,
    });
  }

  /** The reductions of a track that turn anything down. */
  #reductions() {
    if (!this.#owner || this.#model.kind(this.#owner) !== "strip") return [];
    const all = this.#hearing.of(this.#owner)?.reductions ?? [];
    return all.filter(({ db }) => db.some((value) => value < -0.05));
  }
}

function isSameRide(one, other) {
  const isSame = (first, second) =>
    first.length === second.length && first.every((value, at) => value === second[at]);
  return !!other && isSame(one.times_s, other.times_s) && isSame(one.values, other.values);
}
