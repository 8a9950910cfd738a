/* The processors of a part in signal order: on or off, their settings, how much they turn down. */

import { makeChoice, makeSlider, makeToggle } from "./controls.js";
import { clamp, figure, make, nameOf, rule, Surface, trace } from "./drawing.js";
import { formatValue } from "./values.js";

const LEAST_COLUMN_PX = 310;
const MOST_COLUMNS = 4;

/**
 * The setting that switches a processor off, and the value that does.
 *
 * The declarations say it in words ("0 is off", "0 is dry"); where they do not, it is the setting
 * whose neutral value lies at an end of its range. None for an equalizer: its bands are a list.
 *
 * @returns {{name: string, off: number, declared: object} | null}
 */
function findSwitch(table) {
  let found = null;
  for (const [name, declared] of Object.entries(table.fields ?? {})) {
    if (declared.kind !== "number") continue;
    const told = /(-?\d+(?:\.\d+)?) is (?:off|dry)\b/.exec(declared.about.replaceAll("−", "-"));
    if (told) return { name, off: Number(told[1]), declared };
    const isAtEnd = declared.default === declared.low || declared.default === declared.high;
    if (isAtEnd && !found) found = { name, off: declared.default, declared };
  }
  return found;
}

/**
 * A value with which a processor does something that can be heard and does no harm.
 *
 * Shares of 0 … 1 become 0.2; a range around 0, such as a ceiling, ends 1 below 0; else it goes a
 * quarter of the range away from off, or where that is too quiet to hear, to −12.
 */
function chooseOn({ off, declared: { low, high } }) {
  if (low === 0 && high === 1) return off === 0 ? 0.2 : 0.8;
  if (low < 0 && high > 0) return -1;
  if (off === low && high <= 0) return Math.max(low, -12);
  return off === low ? low + (high - low) / 4 : high - (high - low) / 4;
}

/** Whether a processor with some settings does anything. */
function isOn(table, settings) {
  const list = Object.entries(table.fields ?? {}).find(([, declared]) => declared.kind === "list");
  if (list) {
    return settings[list[0]].some((entry) => entry.kind === "high_pass" || entry.gain_db !== 0);
  }
  const found = findSwitch(table);
  return !found || settings[found.name] !== found.off;
}

/** The groups of processors that `order` arranges: {letter: [titles]}, from its declaration. */
function readGroups(declared) {
  if (declared?.places) return declared.places;
  const groups = {};
  for (const part of declared?.about.split(";") ?? []) {
    const [letter, ...titles] = part.trim().split(/ (.*)/s);
    if (letter.length === 1)
      groups[letter] = titles
        .join("")
        .split(",")
        .map((title) => title.trim());
  }
  return groups;
}

/** The processors of a part in signal order: [{name, table, group}]. */
function listProcessors(model, owner) {
  const fields = model.state.declared[model.kind(owner)];
  const tables = Object.entries(fields)
    .filter(([, declared]) => declared.kind === "table" && declared.title)
    .map(([name, table]) => ({ name, table, group: null }));
  const order = model.value(owner, "order");
  if (!order) return tables;
  const groups = readGroups(fields.order);
  for (const row of tables) {
    row.group = Object.keys(groups).find(
      (letter) => groups[letter].includes(row.table.title) || groups[letter].includes(row.name),
    );
  }
  const first = tables.findIndex(({ group }) => group);
  const before = tables.slice(0, first);
  const after = tables.slice(first).filter(({ group }) => !group);
  const grouped = [...order].flatMap((letter) => tables.filter(({ group }) => group === letter));
  return [...before, ...grouped, ...after];
}

/** The processors of a part. */
export class InsertsView {
  #model;
  #engine;
  #hearing;
  #owner = null;
  #controller = null;
  #cards = [];
  #columns = 0;
  #builtFor = null; // owner of the cards
  #shape = ""; // of what is built: processors in order
  #left = new Map(); // what was switched off: by owner and processor
  #open = new Map(); // which cards a person opened or closed

  constructor(model, engine, hearing) {
    this.#model = model;
    this.#engine = engine;
    this.#hearing = hearing;
    this.chain = make("ol", { class: "insert-chain", "aria-label": "Signal flow" });
    this.cards = make("div", { class: "insert-cards" });
    this.element = make("div", { class: "inserts" }, this.chain, this.cards);
    hearing.addEventListener("heard", () => this.#fillReductions());
    new ResizeObserver(() => this.#countColumns() !== this.#columns && this.#arrange()).observe(
      this.cards,
    );
  }

  #countColumns() {
    return clamp(Math.floor(this.cards.clientWidth / LEAST_COLUMN_PX), 1, MOST_COLUMNS);
  }

  /** Puts the cards into columns of about one height; there they stay, whichever are opened. */
  #arrange() {
    const focused = document.activeElement;
    this.#columns = this.#countColumns();
    const heights = this.#cards.map(({ element }) => {
      const card = element.querySelector("details") ?? element;
      return 1.2 + (card.open ? card.querySelectorAll(".insert-setting").length : 0);
    });
    const whole = heights.reduce((sum, height) => sum + height, 0);
    const columns = Array.from({ length: this.#columns }, () =>
      make("div", { class: "insert-column" }),
    );
    let above = 0;
    this.#cards.forEach(({ element }, at) => {
      const middle = above + heights[at] / 2;
      columns[Math.min(this.#columns - 1, Math.floor((middle / whole) * this.#columns))].append(
        element,
      );
      above += heights[at];
    });
    this.cards.replaceChildren(...columns);
    if (this.cards.contains(focused)) focused.focus({ preventScroll: true });
  }

  /** Shows another part. */
  show(owner) {
    this.#owner = owner;
    this.#build();
    this.refresh();
  }

  /** Follows a change of the plan. */
  refresh() {
    if (this.#shape !== this.#shapeNow()) this.#build();
    for (const card of this.#cards) card.refresh();
    this.#fillReductions();
  }

  /** Moves the meters of reduction to a time. */
  moveTo(seconds) {
    for (const card of this.#cards) card.moveTo?.(seconds);
  }

  #shapeNow() {
    const { reverberates } = this.#reverberation();
    const names = listProcessors(this.#model, this.#owner).map(({ name }) => name);
    const sends = (this.#model.part(this.#owner).sends ?? []).map(({ bus }) => bus);
    const rides = this.#model.part(this.#owner).rides.map(({ setting }) => setting);
    return JSON.stringify([names, sends, reverberates, rides]);
  }

  #build() {
    const place = this.#findFocus();
    this.#controller?.abort();
    this.#controller = new AbortController();
    this.#shape = this.#shapeNow();
    this.#builtFor = this.#owner;
    const [model, owner] = [this.#model, this.#owner];
    const { signal } = this.#controller;
    const fields = model.state.declared[model.kind(owner)];
    const rows = listProcessors(model, owner);
    const plain = Object.entries(fields).filter(
      ([name, declared]) =>
        (declared.kind === "number" || declared.kind === "boolean") &&
        !declared.optional &&
        !["mute", "parallel"].includes(name),
    );
    const at = (name) => Object.keys(fields).indexOf(name);
    const firstTable = at(rows[0]?.name ?? "");
    const input = plain.filter(([name]) => at(name) < firstTable);
    const output = plain.filter(([name]) => at(name) > firstTable);
    this.#cards = [];
    if (input.length || fields.parallel) this.#cards.push(this.#makeInput(input, signal));
    for (const row of rows) this.#cards.push(this.#makeCard(row, signal));
    this.#cards.push(this.#makeOutput(output, signal));
    this.#arrange();
    if (place) this.#stopsOf(this.#cards[place.card]?.element)[place.stop]?.focus();
    this.chain.replaceChildren(...this.#cards.map((card) => card.link));
    if (fields.order) {
      this.chain.append(
        make("li", { class: "insert-chain-order" }, this.#makeOrder(fields.order, signal)),
      );
    }
  }

  #stopsOf(element) {
    return [...(element?.querySelectorAll("summary, button, select, input, [tabindex]") ?? [])];
  }

  /** Where the focus is among the cards, so that it is there again when they are built anew. */
  #findFocus() {
    const focused = document.activeElement;
    const card = this.#cards.findIndex(({ element }) => element.contains(focused));
    if (card < 0 || this.#builtFor !== this.#owner) return null;
    return { card, stop: this.#stopsOf(this.#cards[card].element).indexOf(focused) };
  }

  #control(setting, declared, signal, label) {
    const [model, owner] = [this.#model, this.#owner];
    const about = { owner, setting, label, signal };
    if (declared.kind === "boolean") return makeToggle(model, about);
    if (declared.kind === "choice") return makeChoice(model, about);
    return makeSlider(model, { ...about, look: "row" });
  }

  /** A setting; one that a ride takes the place of is not set here, as it would change nothing. */
  #row(setting, declared, signal, label = nameOf(setting, declared)) {
    const { ridable } = declared;
    const ride = ridable && this.#model.ride(this.#owner, setting);
    const control =
      ride && !ridable.is_added
        ? make("span", { class: "hint" }, `The ${label} follows its ride.`)
        : this.#control(setting, declared, signal, label);
    const show = ridable
      ? make(
          "button",
          {
            type: "button",
            class: ride ? "insert-ride on" : "insert-ride",
            "aria-label": `ride of the ${label}: show`,
            title: ride ? "Rides: show its line" : "Show its line, to ride it",
            onclick: () => this.onride?.(setting),
          },
          "ride",
        )
      : null;
    return make("div", { class: "insert-setting", title: declared.about }, control, show);
  }

  #makeLink(title, card, isOn) {
    const link = make(
      "li",
      {},
      make(
        "button",
        {
          type: "button",
          onclick: () => {
            card.open = true;
            card.scrollIntoView({ block: "nearest" });
            card.querySelector("summary")?.focus({ preventScroll: true });
          },
        },
        title,
      ),
    );
    link.classList.toggle("on", isOn);
    return link;
  }

  #makeFolder(name, title, isOpen) {
    const key = `${this.#owner} ${name}`;
    const state = make("span", { class: "insert-state" });
    const card = make(
      "details",
      { class: "insert-card", "data-processor": name },
      make("summary", {}, make("span", { class: "insert-title" }, title), state),
    );
    card.open = this.#open.get(key) ?? isOpen;
    card.addEventListener("toggle", () => this.#open.set(key, card.open));
    return { card, state };
  }

  #makeInput(fields, signal) {
    const { card, state } = this.#makeFolder("input", "input", false);
    const parallel = this.#model.state.declared[this.#model.kind(this.#owner)].parallel;
    const rows = fields.map(([name, declared]) => this.#row(name, declared, signal));
    if (parallel) rows.unshift(this.#row("parallel", parallel, signal));
    card.append(make("div", { class: "insert-settings" }, rows));
    const link = this.#makeLink("input", card, true);
    const refresh = () => {
      const told = fields
        .map(([name, declared]) => ({
          name,
          declared,
          value: this.#model.value(this.#owner, name),
        }))
        .filter(({ declared, value }) => value !== declared.default)
        .map(({ name, declared, value }) =>
          declared.kind === "boolean"
            ? nameOf(name, declared)
            : `${nameOf(name, declared)} ${formatValue(declared, value)}`,
        );
      state.textContent = told.join(", ");
    };
    return { element: card, link, refresh };
  }

  #makeOutput(fields, signal) {
    const [model, owner] = [this.#model, this.#owner];
    const isStrip = model.kind(owner) === "strip";
    const title = isStrip ? "fader, pan and sends" : "level";
    const { card } = this.#makeFolder("output", title, true);
    const rows = fields.map(([name, declared]) => this.#row(name, declared, signal));
    (model.part(owner).sends ?? []).forEach(({ bus }, at) => {
      const setting = `sends.${at + 1}.gain_db`;
      rows.push(this.#row(setting, model.declared(owner, setting), signal, `send to ${bus}`));
    });
    card.append(make("div", { class: "insert-settings" }, rows));
    return {
      element: card,
      link: this.#makeLink(isStrip ? "fader" : "level", card, true),
      refresh() {},
    };
  }

  #makeOrder(declared, signal) {
    const [model, owner] = [this.#model, this.#owner];
    const groups = readGroups(declared);
    const words = (order) => [...order].map((letter) => groups[letter]?.[0] ?? letter).join(" → ");
    const select = make(
      "select",
      { "aria-label": "Order of the groups", title: declared.about },
      declared.choices.map((order) => make("option", { value: order }, words(order))),
    );
    const fill = () => {
      select.value = model.value(owner, "order");
    };
    select.addEventListener("change", () => {
      model.edit([{ owner, setting: "order", value: select.value }], { label: `${owner}: order` });
    });
    model.addEventListener("change", fill, { signal });
    fill();
    return make("label", { class: "insert-order" }, "order ", select);
  }

  /** In a bus one of several reverberates: which, and which tables they are. */
  #reverberation() {
    const [model, owner] = [this.#model, this.#owner];
    if (model.kind(owner) !== "bus") return { tables: [], reverberates: null };
    const tables = listProcessors(model, owner).filter(({ table }) =>
      /is dry\b/.test(findSwitch(table)?.declared.about ?? ""),
    );
    const on = tables.filter(({ name, table }) => isOn(table, model.value(owner, name)));
    const isParallel = model.value(owner, "parallel");
    return { tables, reverberates: isParallel ? null : (on.at(-1) ?? tables[0])?.name };
  }

  #makeCard({ name, table }, signal) {
    const [model, owner] = [this.#model, this.#owner];
    const { tables, reverberates } = this.#reverberation();
    const isReturn = tables.some((row) => row.name === name);
    const settings = () => model.value(owner, name);
    const active = () => (isReturn ? reverberates === name : isOn(table, settings()));
    const found = findSwitch(table);
    const power = make(
      "button",
      { type: "button", class: "insert-power", role: "switch", "aria-label": table.title },
      "",
    );
    power.addEventListener("click", () => {
      if (power.getAttribute("aria-disabled") === "true") return;
      if (isReturn) this.#reverberateBy(name);
      else this.#turn(name, table, !active());
      if (active()) card.open = true;
    });
    const rows = Object.entries(table.fields)
      .filter(([, declared]) => declared.kind !== "list" && declared.kind !== "table")
      .map(([field, declared]) => this.#row(`${name}.${field}`, declared, signal));
    const { card, state } = this.#makeFolder(name, table.title, active() && rows.length > 0);
    const body = make(
      "div",
      { class: "insert-body" },
      make("div", { class: "insert-settings" }, rows),
    );
    const meter = make("div", { class: "insert-reduction", hidden: true });
    const transfer =
      table.fields.threshold_db && table.fields.ratio ? this.#makeTransfer(name) : null;
    if (transfer) body.append(transfer.element);
    card.querySelector("summary").append(meter);
    card.append(body);
    const canSwitch = found || isReturn || rows.length === 0;
    const framed = make("div", { class: "insert-frame" }, card, canSwitch ? power : null);
    if (!rows.length)
      body.replaceChildren(make("p", { class: "hint" }, "Its bands are in the curve."));
    const link = this.#makeLink(table.title, card, active());
    const refresh = () => {
      const on = active();
      card.classList.toggle("off", !on);
      link.classList.toggle("on", on);
      link.firstChild.setAttribute("aria-label", `${table.title}, ${on ? "on" : "off"}`);
      power.setAttribute("aria-checked", String(on));
      power.textContent = on ? "on" : "off";
      // Not `disabled`, which would take the focus away from who has just switched it on.
      const isFixed = isReturn && (on || model.value(owner, "parallel"));
      power.setAttribute("aria-disabled", String(isFixed));
      state.textContent = this.#summarize(table, settings(), on, isReturn);
      transfer?.surface.redraw();
    };
    const made = { element: framed, link, refresh, name, meter, folder: card, reduction: null };
    made.moveTo = (seconds) => {
      if (!made.reduction) return;
      const { db, per_second: rate } = made.reduction;
      const now = -(db[clamp(Math.floor(seconds * rate), 0, db.length - 1)] ?? 0);
      if (Math.abs(now - (made.shown ?? -1)) < 0.05) return;
      made.shown = now;
      meter.style.setProperty("--share", clamp(now / 18, 0, 1));
      transfer?.mark(now);
      meter.lastChild.textContent = now < 0.05 ? "0.0 dB" : `−${figure(now)} dB`;
    };
    meter.append(
      make("span", { class: "insert-reduction-bar", "aria-hidden": "true" }),
      make("span", { class: "insert-reduction-text" }),
    );
    return made;
  }

  /** In words: what a processor is set to, beyond its neutral values. */
  #summarize(table, settings, on, isReturn) {
    const list = Object.entries(table.fields).find(([, declared]) => declared.kind === "list");
    if (list) {
      const count = settings[list[0]].length;
      return count ? `${on ? "" : "off, "}${count} ${count === 1 ? "band" : "bands"}` : "off";
    }
    if (!on) {
      const rest = Object.entries(table.fields).filter(
        ([name, declared]) =>
          declared.unit === "dB" &&
          declared.default === 0 &&
          declared.low < 0 &&
          declared.high > 0 &&
          settings[name] !== 0,
      );
      const told = rest.map(
        ([n, declared]) => `${nameOf(n, declared)} ${formatValue(declared, settings[n])}`,
      );
      return told.length ? `off, but for ${told.join(", ")}` : isReturn ? "not used" : "off";
    }
    const words = Object.entries(table.fields)
      .filter(
        ([name, declared]) => declared.kind !== "boolean" && settings[name] !== declared.default,
      )
      .slice(0, 3)
      .map(
        ([name, declared]) => `${nameOf(name, declared)} ${formatValue(declared, settings[name])}`,
      );
    return words.join(", ") || "on";
  }

  /** Switches a processor off, or on again with what it had, else with something sensible. */
  #turn(name, table, isOnNow) {
    const [model, owner] = [this.#model, this.#owner];
    const key = `${owner} ${name}`;
    const label = `${owner}: ${table.title} ${isOnNow ? "on" : "off"}`;
    const list = Object.entries(table.fields).find(([, declared]) => declared.kind === "list");
    if (list) {
      const setting = `${name}.${list[0]}`;
      const bands = model.value(owner, setting);
      if (!isOnNow) this.#left.set(key, bands);
      const value = isOnNow ? (this.#left.get(key) ?? bands) : [];
      model.edit([{ owner, setting, value }], { label });
      return;
    }
    const found = findSwitch(table);
    const setting = `${name}.${found.name}`;
    if (!isOnNow) this.#left.set(key, model.value(owner, setting));
    const method = model.decision(owner, setting)?.value;
    const sensible = method !== undefined && method !== found.off ? method : chooseOn(found);
    const value = isOnNow ? (this.#left.get(key) ?? sensible) : found.off;
    model.edit([{ owner, setting, value }], { label });
  }

  /** Lets one of the reverberations of a bus be the one that is heard. */
  #reverberateBy(wanted) {
    const [model, owner] = [this.#model, this.#owner];
    const edits = this.#reverberation().tables.map(({ name, table }) => {
      const { name: field, off, declared } = findSwitch(table);
      return { owner, setting: `${name}.${field}`, value: name === wanted ? declared.high : off };
    });
    model.edit(edits, { label: `${owner}: ${wanted} reverberates` });
  }

  #fillReductions() {
    const heard = this.#hearing.of(this.#owner);
    const isStrip = this.#model.kind(this.#owner) === "strip";
    for (const card of this.#cards) {
      if (!card.meter) continue;
      const found = isStrip && heard?.reductions?.find(({ processor }) => processor === card.name);
      card.reduction = found && found.db.some((value) => value < -0.05) ? found : null;
      card.meter.hidden = !card.reduction || card.folder.classList.contains("off");
      card.shown = undefined;
    }
    this.moveTo(this.#engine.position / this.#model.state.rate);
  }

  /** The curve of a compressor: level out over level in. */
  #makeTransfer(name) {
    const canvas = make("canvas", { class: "transfer", role: "img" });
    const surface = new Surface(canvas, (context, width, height, ink) => {
      const settings = this.#model.value(this.#owner, name);
      if (!settings) return;
      const { threshold_db: threshold, ratio, makeup_db: makeup = 0 } = settings;
      const low = -60;
      const x = (level) => ((level - low) / -low) * width;
      const y = (level) => height - ((level - low) / -low) * height;
      context.strokeStyle = ink("edge");
      for (let level = -48; level < 0; level += 12) {
        context.globalAlpha = 0.6;
        rule(context, x(level), 0, x(level), height);
        rule(context, 0, y(level), width, y(level));
        context.globalAlpha = 1;
      }
      context.setLineDash([3, 3]);
      trace(context, [0, height, width, 0]);
      context.stroke();
      context.setLineDash([]);
      context.strokeStyle = ink("accent");
      context.lineWidth = 2;
      const out = threshold + (0 - threshold) / ratio;
      trace(context, [
        x(low),
        y(low + makeup),
        x(threshold),
        y(threshold + makeup),
        x(0),
        y(out + makeup),
      ]);
      context.stroke();
      context.lineWidth = 1;
      context.fillStyle = ink("quiet");
      context.fillText("in", width - 14, height - 4);
      context.fillText("out", 3, 11);
      canvas.setAttribute(
        "aria-label",
        `Level out over level in: straight up to ${figure(threshold, 1)} dB, then ${figure(ratio, 1)} to 1`,
      );
    });
    const dot = make("span", { class: "transfer-dot", "aria-hidden": "true", hidden: true });
    const element = make("div", { class: "transfer-frame" }, canvas, dot);
    /** Shows where on the curve the level is: what is turned down by so much was so loud. */
    const mark = (reduction) => {
      const {
        threshold_db: threshold,
        ratio,
        makeup_db: makeup = 0,
      } = this.#model.value(this.#owner, name) ?? {};
      dot.hidden = !(reduction > 0.05 && ratio > 1);
      if (dot.hidden) return;
      const level = Math.min(0, threshold + reduction / (1 - 1 / ratio));
      const share = (value) => clamp((value + 60) / 60, 0, 1);
      const x = share(level) * canvas.clientWidth;
      const y = (1 - share(level - reduction + makeup)) * canvas.clientHeight;
      dot.style.transform = `translate(${x}px, ${y}px)`;
    };
    return { element, surface, mark };
  }
}
