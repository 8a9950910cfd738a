/* The equalizer of a part: its curve over the spectrum of the track and of what masks it. */

import { clamp, figure, hertz, make, round, rule, Surface, trace } from "./drawing.js";
import { feedersOf, sumSpectra } from "./hearing.js";
import { makeChoice, makeSlider } from "./controls.js";
import { openWhy } from "./why.js";

const LOW_HZ = 20;
const HIGH_HZ = 20000;
const SPECTRUM_DB = 66; // from the top to the bottom of the drawing
const MOST_NAMES = 6; // of tracks that mask
const STEPS = 4; // of a curve from band to band
const MASKED_DB = 3; // others are louder by more than this

/** The curve, its nodes, and the list of bands with their sliders. */
export class EqualizerView {
  #model;
  #hearing;
  #owner = null;
  #curve = null; // {frequencies_hz, db} of all bands, as the server computes it
  #ofBand = null; // the same of the chosen band alone
  #asked = ""; // the bands that #curve is of, or is asked for
  #isAsking = false;
  #chosen = -1; // band
  #nodes = [];
  #rows = null; // AbortController of the sliders
  #range = null; // of the gains on screen while a node is held
  #width = 1; // of the plot; kept, as asking for it is slow
  #height = 1;

  constructor(model, hearing) {
    this.#model = model;
    this.#hearing = hearing;
    this.#build();
    hearing.addEventListener("heard", () => this.plot.redraw());
  }

  /** Shows another part. */
  show(owner) {
    this.#owner = owner;
    this.#chosen = -1;
    this.#curve = null;
    this.#ofBand = null;
    this.#asked = "";
    this.#fillRows();
    this.refresh();
  }

  /** Follows a change of the plan. */
  refresh() {
    if (this.#nodes.length !== this.#bands.length) this.#fillRows();
    this.#ask();
    this.#placeNodes();
    this.plot.redraw();
  }

  get #bands() {
    return this.#model.value(this.#owner, "equalizer.bands") ?? [];
  }

  #declared(field) {
    return this.#model.declared(this.#owner, `equalizer.bands.${field}`);
  }

  /* ---- the response: of the server, asked for one by one ---- */

  async #ask() {
    const owner = this.#owner;
    const bands = this.#bands;
    const wanted = JSON.stringify([bands, this.#chosen]);
    if (this.#isAsking || wanted === this.#asked) return;
    this.#isAsking = true;
    this.#asked = wanted;
    const alone = bands[this.#chosen];
    const [all, one] = await Promise.all([
      this.#model.post("curve", { bands }),
      alone ? this.#model.post("curve", { bands: [alone] }) : null,
    ]);
    this.#isAsking = false;
    const isShown = owner === this.#owner; // else another part was chosen meanwhile
    if (isShown && all.ok) this.#curve = all.body;
    if (isShown) this.#ofBand = one?.ok ? one.body : null;
    this.plot.redraw();
    if (all.ok || !isShown) this.#ask(); // the bands may have moved meanwhile
  }

  /** The curve that is on screen, for whoever wants to check it. */
  get curve() {
    return this.#curve;
  }

  /* ---- elements ---- */

  #build() {
    const canvas = make("canvas", { class: "eq-canvas", "aria-hidden": "true" });
    this.plot = new Surface(canvas, (...all) => this.#draw(...all));
    this.layer = make("div", { class: "eq-layer" });
    this.legend = make("p", { class: "eq-legend hint" });
    this.rows = make("div", { class: "eq-rows" });
    this.add = make(
      "button",
      { type: "button", class: "eq-add", onclick: () => this.#add(1000, 0) },
      "Add a band",
    );
    this.element = make(
      "div",
      { class: "eq" },
      make("div", { class: "eq-plot" }, canvas, this.layer),
      this.legend,
      this.rows,
      this.add,
    );
    new ResizeObserver(() => {
      this.#width = this.layer.clientWidth || 1;
      this.#height = this.layer.clientHeight || 1;
      this.#placeNodes();
    }).observe(this.layer);
    this.layer.addEventListener("dblclick", (event) => {
      if (event.target !== this.layer) return;
      const [x, y] = this.#place(event);
      this.#add(this.#frequency(x), this.#gain(y));
    });
    this.layer.addEventListener("pointerdown", (event) => {
      if (event.target === this.layer) this.#choose(-1);
    });
    this.layer.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
  }

  #fillRows() {
    this.#rows?.abort();
    this.#rows = new AbortController();
    const { signal } = this.#rows;
    const [model, owner] = [this.#model, this.#owner];
    const bands = this.#bands;
    if (this.#chosen >= bands.length) this.#chosen = -1;
    this.#range = null; // a node that is taken away under the hand is not told that it is let go
    this.#nodes = bands.map((_, at) => this.#makeNode(at));
    this.layer.replaceChildren(...this.#nodes.map(({ element }) => element));
    const rows = bands.map((_, at) => {
      const prefix = `equalizer.bands.${at + 1}`;
      const number = at + 1;
      const slider = (field, label) =>
        makeSlider(model, { owner, setting: `${prefix}.${field}`, label, look: "row", signal });
      const hasGain = Object.keys(this.#declared("gain_db") ?? {}).length > 0;
      const row = make(
        "div",
        { class: "eq-row", role: "group", "aria-label": `Band ${number}` },
        make("span", { class: "eq-number", "aria-hidden": "true" }, String(number)),
        makeChoice(model, {
          owner,
          setting: `${prefix}.kind`,
          label: `Kind of band ${number}`,
          isBare: true, // its row has no room for more
          signal,
        }),
        slider("frequency_hz", "frequency"),
        hasGain ? slider("gain_db", "gain") : null,
        slider("q", "Q"),
        make(
          "button",
          {
            type: "button",
            class: "eq-delete",
            "aria-label": `Delete band ${number}`,
            title: "Delete this band",
            onclick: () => this.#delete(at),
          },
          "×",
        ),
      );
      row.addEventListener("focusin", () => this.#choose(at));
      return row;
    });
    this.rows.replaceChildren(...rows);
  }

  /** A node is a pair of sliders, for the frequency and the gain, in one handle. */
  #makeNode(at) {
    const slider = (axis) =>
      make("span", {
        class: `eq-${axis}`,
        role: "slider",
        tabindex: 0,
        "aria-label": `Band ${at + 1} ${axis}`,
        "aria-orientation": axis === "gain" ? "vertical" : "horizontal",
      });
    const [frequency, gain] = [slider("frequency"), slider("gain")];
    const element = make(
      "div",
      { class: "eq-node", role: "group", "aria-label": `Band ${at + 1}` },
      frequency,
      gain,
      make("span", { class: "eq-dot", "aria-hidden": "true" }, String(at + 1)),
    );
    const why = () => {
      const setting = ["gain_db", "frequency_hz", "q", "kind"]
        .map((field) => `equalizer.bands.${at + 1}.${field}`)
        .find((each) => this.#model.decision(this.#owner, each));
      if (setting) openWhy(this.#model, this.#owner, setting, frequency);
    };
    element.addEventListener("pointerdown", (event) => this.#grab(event, at));
    element.addEventListener("dblclick", () => this.#reset(at));
    element.addEventListener("focusin", () => this.#choose(at));
    element.addEventListener("keydown", (event) => this.#press(event, at, why));
    return { element, frequency, gain };
  }

  #placeNodes() {
    if (!this.#owner) return;
    const bands = this.#bands;
    this.#nodes.forEach(({ element, frequency, gain }, at) => {
      const band = bands[at];
      if (!band) return;
      const x = this.#x(band.frequency_hz);
      const y = this.#y(this.#gainOf(band));
      element.style.transform = `translate(${x}px, ${y}px)`;
      element.classList.toggle("chosen", at === this.#chosen);
      element.classList.toggle("idle", band.kind !== "high_pass" && band.gain_db === 0);
      const kind = band.kind.replaceAll("_", " ");
      element.setAttribute("aria-label", `Band ${at + 1}, ${kind}, Q ${figure(band.q, 2)}`);
      const limits = this.#declared("frequency_hz");
      frequency.setAttribute("aria-valuemin", limits.low);
      frequency.setAttribute("aria-valuemax", limits.high);
      frequency.setAttribute("aria-valuenow", round(band.frequency_hz, 1));
      frequency.setAttribute("aria-valuetext", `${hertz(band.frequency_hz)}, ${kind}`);
      const hasGain = band.kind !== "high_pass";
      gain.hidden = !hasGain;
      const levels = this.#declared("gain_db");
      gain.setAttribute("aria-valuemin", levels.low);
      gain.setAttribute("aria-valuemax", levels.high);
      gain.setAttribute("aria-valuenow", round(band.gain_db, 2));
      gain.setAttribute("aria-valuetext", `${figure(band.gain_db, 1)} dB, Q ${figure(band.q, 2)}`);
    });
    [...this.rows.children].forEach((row, at) => {
      row.classList.toggle("chosen", at === this.#chosen);
      row.classList.toggle("no-gain", bands[at]?.kind === "high_pass");
    });
  }

  #gainOf(band) {
    return band.kind === "high_pass" ? 0 : band.gain_db;
  }

  #choose(at) {
    if (at === this.#chosen) return;
    this.#chosen = at;
    this.#placeNodes();
    this.#ask();
    this.plot.redraw();
  }

  /* ---- edits ---- */

  #edit(at, fields, gesture, label = "equalizer band") {
    const edits = Object.entries(fields).map(([field, value]) => ({
      owner: this.#owner,
      setting: `equalizer.bands.${at + 1}.${field}`,
      value,
    }));
    this.#model.edit(edits, { gesture, label: `${this.#owner}: ${label} ${at + 1}` });
  }

  #limit(field, value, decimals) {
    const { low, high } = this.#declared(field);
    return clamp(round(value, decimals), low, high);
  }

  #frequencyFor(value) {
    return this.#limit("frequency_hz", value, value < 1000 ? 1 : 0);
  }

  #add(frequency, gain) {
    const defaults = Object.fromEntries(
      Object.entries(this.#model.declared(this.#owner, "equalizer.bands").fields).map(
        ([name, declared]) => [name, declared.default],
      ),
    );
    const band = {
      ...defaults,
      frequency_hz: this.#frequencyFor(frequency),
      gain_db: this.#limit("gain_db", gain, 2),
    };
    const bands = [...this.#bands, band];
    this.#chosen = bands.length - 1;
    this.#model.edit([{ owner: this.#owner, setting: "equalizer.bands", value: bands }], {
      label: `${this.#owner}: add an equalizer band`,
    });
    this.#nodes.at(-1)?.frequency.focus();
  }

  #delete(at) {
    const bands = this.#bands.filter((_, other) => other !== at);
    this.#chosen = Math.min(at, bands.length - 1);
    this.#model.edit([{ owner: this.#owner, setting: "equalizer.bands", value: bands }], {
      label: `${this.#owner}: delete an equalizer band`,
    });
    (this.#nodes[this.#chosen]?.frequency ?? this.add).focus();
  }

  /** Returns to what the method set; without a method, to no boost and no cut. */
  #reset(at) {
    const fields = {};
    for (const field of ["frequency_hz", "gain_db", "q"]) {
      const decision = this.#model.decision(this.#owner, `equalizer.bands.${at + 1}.${field}`);
      if (decision) fields[field] = decision.value;
    }
    if (!Object.keys(fields).length) fields.gain_db = 0;
    this.#edit(at, fields, undefined, "return of band");
  }

  #place(event) {
    const box = this.layer.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #grab(event, at) {
    if (event.button !== 0) return;
    event.preventDefault();
    const node = this.#nodes[at];
    if (!node.element.contains(document.activeElement)) node.frequency.focus();
    this.#choose(at);
    const pointers = (node.pointers ??= new Map());
    pointers.set(event.pointerId, this.#place(event));
    if (pointers.size > 1) {
      node.pinch = { apart: apartOf(pointers), q: this.#bands[at].q };
      return;
    }
    const band = this.#bands[at];
    let [x, y] = [this.#x(band.frequency_hz), this.#y(this.#gainOf(band))];
    let last = this.#place(event);
    this.#range = this.#scale();
    const gesture = crypto.randomUUID();
    const { element } = node;
    element.setPointerCapture(event.pointerId);
    element.classList.add("held");
    const move = (moved) => {
      const now = this.#place(moved);
      if (pointers.has(moved.pointerId)) pointers.set(moved.pointerId, now);
      if (node.pinch) {
        if (pointers.size < 2) return; // a finger that stays changes nothing
        const { apart, q } = node.pinch;
        this.#edit(at, { q: this.#limit("q", (q * apart) / apartOf(pointers), 3) }, gesture);
        return;
      }
      const slow = moved.shiftKey ? 0.1 : 1;
      x += slow * (now[0] - last[0]);
      y += slow * (now[1] - last[1]);
      last = now;
      const fields = { frequency_hz: this.#frequencyFor(this.#frequency(x)) };
      if (this.#bands[at].kind !== "high_pass") {
        fields.gain_db = this.#limit("gain_db", this.#gain(y), 2);
      }
      this.#edit(at, fields, gesture);
    };
    const release = (ended) => {
      pointers.delete(ended.pointerId);
      if (pointers.size) return;
      element.removeEventListener("pointermove", move);
      element.removeEventListener("lostpointercapture", release);
      element.classList.remove("held");
      node.pinch = null;
      this.#range = null;
      this.#placeNodes();
      this.plot.redraw();
    };
    element.addEventListener("pointermove", move);
    element.addEventListener("lostpointercapture", release);
  }

  #wheel(event) {
    const over = event.target.closest?.(".eq-node");
    const at = over ? this.#nodes.findIndex(({ element }) => element === over) : -1;
    if (at < 0) return;
    event.preventDefault();
    this.#widen(at, Math.exp(clamp(event.deltaY, -60, 60) / 300));
  }

  #widen(at, factor) {
    const isSame = this.turned?.at === at && performance.now() - this.turned.when < 800;
    const id = isSame ? this.turned.id : crypto.randomUUID();
    this.turned = { at, when: performance.now(), id };
    this.#edit(at, { q: this.#limit("q", this.#bands[at].q * factor, 3) }, id, "Q of band");
  }

  #press(event, at, why) {
    if (event.ctrlKey || event.metaKey) return;
    const band = this.#bands[at];
    const fine = event.shiftKey;
    const isSame = this.keyed?.node === at && performance.now() - this.keyed.when < 1000;
    const id = isSame ? this.keyed.id : crypto.randomUUID();
    this.keyed = { node: at, when: performance.now(), id };
    const turn = (octaves) =>
      this.#edit(at, { frequency_hz: this.#frequencyFor(band.frequency_hz * 2 ** octaves) }, id);
    const lift = (by) => {
      if (band.kind === "high_pass") return;
      this.#edit(at, { gain_db: this.#limit("gain_db", band.gain_db + by, 2) }, id);
    };
    const isGain = event.target.classList.contains("eq-gain");
    const { low, high } = this.#declared(isGain ? "gain_db" : "frequency_hz");
    const end = (value) =>
      this.#edit(at, isGain ? { gain_db: value } : { frequency_hz: value }, id);
    const actions = {
      ArrowLeft: () => turn(fine ? -1 / 48 : -1 / 12),
      ArrowRight: () => turn(fine ? 1 / 48 : 1 / 12),
      ArrowUp: () => (event.altKey ? this.#widen(at, fine ? 1.02 : 1.1) : lift(fine ? 0.1 : 0.5)),
      ArrowDown: () =>
        event.altKey ? this.#widen(at, fine ? 1 / 1.02 : 1 / 1.1) : lift(fine ? -0.1 : -0.5),
      PageUp: () => (isGain ? lift(3) : turn(1)),
      PageDown: () => (isGain ? lift(-3) : turn(-1)),
      Home: () => end(low),
      End: () => end(high),
      Delete: () => this.#delete(at),
      Backspace: () => this.#delete(at),
      "?": why,
      Enter: () => this.#reset(at),
    };
    const action = actions[event.key];
    if (!action) return;
    action();
    event.preventDefault();
    event.stopPropagation();
  }

  /* ---- drawing ---- */

  #scale() {
    if (this.#range) return this.#range;
    const gains = this.#bands.map((band) => Math.abs(this.#gainOf(band)));
    return Math.max(0, ...gains) > 11.5 ? 24 : 12;
  }

  #x(frequency) {
    const share = Math.log(frequency / LOW_HZ) / Math.log(HIGH_HZ / LOW_HZ);
    return share * this.#width;
  }

  #frequency(x) {
    return LOW_HZ * (HIGH_HZ / LOW_HZ) ** (x / this.#width);
  }

  #y(gain) {
    const height = this.#height;
    return height / 2 - (gain / this.#scale()) * (height / 2 - 12);
  }

  #gain(y) {
    const height = this.#height;
    return (-(y - height / 2) / (height / 2 - 12)) * this.#scale();
  }

  /** Spectra of the part and of what masks it, at the levels of the mix. */
  #spectra() {
    const [model, owner] = [this.#model, this.#owner];
    if (model.kind(owner) !== "strip") {
      return { own: sumSpectra(this.#hearing, feedersOf(model, owner)), masker: null };
    }
    const strip = model.part(owner);
    const own = sumSpectra(this.#hearing, [{ name: owner, gain_db: strip.fader_db }]);
    const others = feedersOf(model, "master").filter(({ name }) => name !== owner);
    return { own, masker: sumSpectra(this.#hearing, others) };
  }

  #draw(context, width, height, ink) {
    if (!this.#owner) return;
    this.#placeNodes();
    this.#drawGrid(context, width, height, ink);
    const { own, masker } = this.#spectra();
    this.#drawSpectra(context, width, height, ink, own, masker);
    const family = this.#model.state.families?.[this.#owner];
    const color = (family && ink(`family-${family}`)) || ink("accent");
    if (this.#ofBand) {
      const { frequencies_hz: at, db } = this.#ofBand;
      context.beginPath();
      context.moveTo(this.#x(at[0]), this.#y(0));
      at.forEach((frequency, index) => context.lineTo(this.#x(frequency), this.#y(db[index])));
      context.lineTo(this.#x(at.at(-1)), this.#y(0));
      context.closePath();
      context.fillStyle = ink("focus");
      context.globalAlpha = 0.16;
      context.fill();
      context.globalAlpha = 1;
    }
    if (this.#curve) {
      const { frequencies_hz: at, db } = this.#curve;
      const points = at.flatMap((frequency, index) => [this.#x(frequency), this.#y(db[index])]);
      context.strokeStyle = color;
      context.lineWidth = 2.25;
      trace(context, points);
      context.stroke();
      context.lineWidth = 1;
    }
    this.#drawGhosts(context, ink);
  }

  #drawGrid(context, width, height, ink) {
    context.strokeStyle = ink("edge");
    context.fillStyle = ink("quiet");
    const scale = this.#scale();
    for (let gain = -scale; gain <= scale; gain += scale / 4) {
      const y = this.#y(gain);
      context.globalAlpha = gain === 0 ? 1 : 0.45;
      rule(context, 0, y, width, y);
      context.globalAlpha = 1;
      if (Math.abs(gain) < scale) {
        context.fillText(`${gain > 0 ? "+" : ""}${figure(gain, 0)}`, 3, y - 3);
      }
    }
    const marks = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
    for (const frequency of marks) {
      const x = this.#x(frequency);
      context.globalAlpha = 0.45;
      rule(context, x, 0, x, height);
      context.globalAlpha = 1;
      const text = frequency < 1000 ? String(frequency) : `${frequency / 1000}k`;
      if (frequency > 20 && (width > 420 || [100, 1000, 10000].includes(frequency))) {
        context.fillText(text, x + 3, height - 4);
      }
    }
  }

  #drawSpectra(context, width, height, ink, own, masker) {
    const kind = this.#model.kind(this.#owner);
    if (!own) {
      this.legend.textContent = "The spectrum follows when the track is rendered.";
      return;
    }
    let top = -200;
    for (const spectrum of [own, masker]) {
      spectrum?.db.forEach((level, band) => {
        if (spectrum.centers_hz[band] >= 30) top = Math.max(top, level);
      });
    }
    top += 8; // room for names
    const y = (level) => clamp(((top - level) / SPECTRUM_DB) * height, 0, height);
    const outline = ({ centers_hz: at, db }) =>
      at.flatMap((center, band) => [this.#x(center), y(db[band])]);
    const fill = (points, style, alpha) => {
      trace(context, smooth(points));
      context.lineTo(points.at(-2), height);
      context.lineTo(points[0], height);
      context.closePath();
      context.fillStyle = style;
      context.globalAlpha = alpha;
      context.fill();
      context.globalAlpha = 1;
    };
    const family = this.#model.state.families?.[this.#owner];
    const color = (family && ink(`family-${family}`)) || ink("accent");
    const points = outline(own);
    fill(points, color, 0.22);
    const masked = masker ? this.#findMasked(own, masker) : [];
    if (masker) {
      context.strokeStyle = ink("quiet");
      context.setLineDash([3, 3]);
      const above = smooth(outline(masker));
      trace(context, above);
      context.stroke();
      context.setLineDash([]);
      this.#shadeMasked(context, ink, above, smooth(points), masked);
      this.#nameMaskers(context, ink, own, masker, masked, y, width);
    }
    const words = {
      strip: masker
        ? "Filled: this track at its fader. Dashed: all other tracks that are not muted; shaded where they cover it."
        : "Filled: this track at its fader.",
      bus: "Filled: what the tracks send here, before the bus.",
      master: "Filled: all tracks at their faders, before the master.",
    };
    this.legend.textContent = words[kind];
  }

  /** Runs of bands in which the others are clearly louder, where the track has something to say. */
  #findMasked(own, masker) {
    const loudest = Math.max(...own.db);
    const runs = [];
    own.db.forEach((level, band) => {
      const isCovered = level > loudest - 30 && masker.db[band] > level + MASKED_DB;
      if (!isCovered) return;
      const last = runs.at(-1);
      if (last && last.to === band - 1) last.to = band;
      else runs.push({ from: band, to: band });
    });
    return runs;
  }

  #shadeMasked(context, ink, upper, lower, runs) {
    context.fillStyle = ink("quiet");
    context.globalAlpha = 0.3;
    for (const { from, to } of runs) {
      const most = upper.length / 2 - 1;
      const first = 2 * Math.max(0, STEPS * from - STEPS / 2);
      const last = 2 * Math.min(most, STEPS * to + STEPS / 2);
      context.beginPath();
      for (let at = first; at <= last; at += 2) context.lineTo(upper[at], upper[at + 1]);
      for (let at = last; at >= first; at -= 2) {
        context.lineTo(lower[at], Math.max(lower[at + 1], upper[at + 1]));
      }
      context.closePath();
      context.fill();
    }
    context.globalAlpha = 1;
  }

  /** Names the strongest other track where it covers most, for a few stretches of bands. */
  #nameMaskers(context, ink, own, masker, runs, y, width) {
    const stretches = [];
    for (const { from, to } of runs) {
      for (let band = from; band <= to; band += 1) {
        const name = masker.strongest[band];
        const depth = masker.db[band] - own.db[band];
        const last = stretches.at(-1);
        if (last?.name === name && last.to === band - 1) {
          last.to = band;
          last.weight += depth;
          if (depth > last.depth) Object.assign(last, { depth, at: band });
        } else stretches.push({ name, to: band, at: band, depth, weight: depth });
      }
    }
    stretches.sort((one, other) => other.weight - one.weight);
    context.fillStyle = ink("quiet");
    context.textAlign = "center";
    const taken = [];
    for (const { name, at } of stretches.slice(0, MOST_NAMES)) {
      const text = context.measureText(name).width;
      const x = clamp(this.#x(masker.centers_hz[at]), text / 2 + 28, width - text / 2 - 4);
      if (taken.some(([from, to]) => x + text / 2 > from && x - text / 2 < to)) continue;
      taken.push([x - text / 2 - 8, x + text / 2 + 8]);
      context.fillText(name, x, Math.max(12, y(masker.db[at]) - 6));
    }
    context.textAlign = "left";
  }

  /** Where a method put the bands that were moved since. */
  #drawGhosts(context, ink) {
    this.#bands.forEach((band, at) => {
      const told = (field) =>
        this.#model.decision(this.#owner, `equalizer.bands.${at + 1}.${field}`)?.value;
      const [frequency, gain] = [told("frequency_hz"), told("gain_db")];
      if (frequency === undefined && gain === undefined) return;
      const level = band.kind === "high_pass" ? 0 : (gain ?? band.gain_db);
      const [x, y] = [this.#x(frequency ?? band.frequency_hz), this.#y(level)];
      context.strokeStyle = ink("quiet");
      context.setLineDash([2, 2]);
      context.beginPath();
      context.arc(x, y, 10, 0, 2 * Math.PI);
      context.stroke();
      const [nowX, nowY] = [this.#x(band.frequency_hz), this.#y(this.#gainOf(band))];
      if (Math.hypot(nowX - x, nowY - y) > 12) {
        trace(context, [x, y, nowX, nowY]);
        context.stroke();
      }
      context.setLineDash([]);
    });
  }
}

function apartOf(pointers) {
  const [one, other] = [...pointers.values()];
  return Math.max(8, Math.hypot(one[0] - other[0], one[1] - other[1]));
}

/** Rounds the corners of a line through bands: Catmull and Rom's curve. */
function smooth(points) {
  const count = points.length / 2;
  const y = (at) => points[2 * clamp(at, 0, count - 1) + 1];
  const drawn = [];
  for (let at = 0; at < count - 1; at += 1) {
    for (let step = 0; step < STEPS; step += 1) {
      const share = step / STEPS;
      const [a, b, c, d] = [y(at - 1), y(at), y(at + 1), y(at + 2)];
      const bend =
        b +
        0.5 * share * (c - a + share * (2 * a - 5 * b + 4 * c - d + share * (3 * (b - c) + d - a)));
      drawn.push(points[2 * at] + share * (points[2 * at + 2] - points[2 * at]), bend);
    }
  }
  drawn.push(points.at(-2), points.at(-1));
  return drawn;
}
