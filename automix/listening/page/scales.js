"use strict";

/* What ratings are given on. Every scale has `element`, `choose(stimulus)`, `nudge(steps)` and
 * `focus()`, and calls `onRate(stimulus, aspect, value)` and `onChoose(stimulus)`; `aspect` is null
 * for the overall rating. */

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** The key that chooses a stimulus: 1 … 9, then 0; none for those after. */
function keyOf(index) {
  return index < 9 ? String(index + 1) : index === 9 ? "0" : "";
}

/** A slider whose knob can be dragged, and moved by keys; without a value until it is touched. */
class Slider {
  constructor({ scale, vertical, label, track, onMove, onTouch }) {
    Object.assign(this, { scale, vertical, track, onMove, onTouch });
    this.value = null;
    this.shown = scale.low;
    this.knob = make("div", {
      class: "knob unrated",
      role: "slider",
      tabindex: 0,
      "aria-label": label,
      "aria-orientation": vertical ? "vertical" : "horizontal",
      "aria-valuemin": scale.low,
      "aria-valuemax": scale.high,
      "aria-valuetext": "not rated yet",
    });
    this.knob.addEventListener("pointerdown", (event) => this.grab(event));
    this.knob.addEventListener("keydown", (event) => this.press(event));
  }

  /** Where the knob is, whether or not that is a rating. */
  show(value) {
    const { low, high } = this.scale;
    this.shown = value;
    const share = (100 * (value - low)) / (high - low);
    this.knob.style[this.vertical ? "bottom" : "left"] = `${share}%`;
    this.knob.setAttribute("aria-valuenow", value);
  }

  rate(value) {
    const { low, high, decimals } = this.scale;
    this.value = Number(clamp(value, low, high).toFixed(decimals));
    this.show(this.value);
    this.knob.classList.remove("unrated");
    this.knob.setAttribute("aria-valuetext", String(this.value));
    this.onMove(this.value);
  }

  nudge(steps) {
    this.rate(this.shown + steps * this.scale.step);
  }

  valueAt(event) {
    const box = this.track.getBoundingClientRect();
    const share = this.vertical
      ? (box.bottom - event.clientY) / box.height
      : (event.clientX - box.left) / box.width;
    return this.scale.low + share * (this.scale.high - this.scale.low);
  }

  grab(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.knob.focus();
    this.onTouch();
    const from = { x: event.clientX, y: event.clientY };
    const apart = this.shown - this.valueAt(event);
    let dragged = false;
    const move = (moved) => {
      dragged = dragged || Math.hypot(moved.clientX - from.x, moved.clientY - from.y) > 3;
      if (dragged) this.rate(this.valueAt(moved) + apart);
    };
    const release = () => {
      this.knob.classList.remove("held");
      this.knob.removeEventListener("pointermove", move);
    };
    this.knob.setPointerCapture(event.pointerId);
    this.knob.classList.add("held");
    this.knob.addEventListener("pointermove", move);
    this.knob.addEventListener("lostpointercapture", release, { once: true });
  }

  press(event) {
    const { low, high } = this.scale;
    const moves = {
      ArrowRight: () => this.nudge(1),
      ArrowUp: () => this.nudge(1),
      ArrowLeft: () => this.nudge(-1),
      ArrowDown: () => this.nudge(-1),
      PageUp: () => this.nudge(10),
      PageDown: () => this.nudge(-10),
      Home: () => this.rate(low),
      End: () => this.rate(high),
    };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    move();
  }
}

/** One line with a marker per stimulus. */
class ApeScale {
  constructor({ test, stimuli, ratings, places, onRate, onChoose }) {
    this.track = make("div", { class: "line" });
    this.sliders = stimuli.map((stimulus, index) => {
      const slider = new Slider({
        scale: test.scale,
        vertical: false,
        label: `Mix ${index + 1}`,
        track: this.track,
        onMove: (value) => {
          onRate(stimulus, null, value);
          this.arrange();
        },
        onTouch: () => onChoose(stimulus),
      });
      slider.knob.append(make("span", { class: "head" }, String(index + 1)));
      slider.show(places[index]);
      if (ratings.has(stimulus)) slider.rate(ratings.get(stimulus).rating);
      this.track.append(slider.knob);
      return slider;
    });
    this.stimuli = stimuli;
    const [low, high] = test.words;
    const ends = make("div", { class: "ends" }, make("span", {}, low), make("span", {}, high));
    this.element = make("div", { class: "ape" }, this.track, ends);
    new ResizeObserver(() => this.arrange()).observe(this.track);
  }

  /** Raises the heads of markers that would hide each other. */
  arrange() {
    const width = this.track.clientWidth || 1;
    const taken = [];
    const ordered = [...this.sliders].sort((a, b) => a.shown - b.shown);
    for (const { knob, shown } of ordered) {
      const x = shown * width;
      let row = 0;
      while (taken[row] !== undefined && x - taken[row] < 44) row += 1;
      taken[row] = x;
      knob.style.setProperty("--row", row);
    }
    this.track.style.setProperty("--rows", taken.length);
  }

  choose(stimulus) {
    this.sliders.forEach(({ knob }, index) => {
      knob.classList.toggle("chosen", this.stimuli[index] === stimulus);
    });
    this.chosen = this.sliders[this.stimuli.indexOf(stimulus)];
  }

  nudge(steps) {
    if (this.chosen) this.chosen.nudge(steps);
  }

  focus() {
    if (this.chosen) this.chosen.knob.focus();
  }
}

/** Vertical sliders from 0 to 100, beside words. */
class MushraScale {
  constructor({ test, stimuli, ratings, onRate, onChoose, buttonOf }) {
    this.stimuli = stimuli;
    this.columns = [];
    this.sliders = stimuli.map((stimulus, index) => {
      const track = make("div", { class: "track" });
      const figure = make("output", { class: "figure" }, "–");
      const slider = new Slider({
        scale: test.scale,
        vertical: true,
        label: `Mix ${index + 1}`,
        track,
        onMove: (value) => {
          figure.textContent = String(value);
          onRate(stimulus, null, value);
        },
        onTouch: () => onChoose(stimulus),
      });
      track.append(slider.knob);
      track.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        slider.rate(slider.valueAt(event));
        slider.grab(event);
      });
      slider.show((test.scale.low + test.scale.high) / 2);
      if (ratings.has(stimulus)) slider.rate(ratings.get(stimulus).rating);
      this.columns.push(make("div", { class: "column" }, buttonOf(stimulus), track, figure));
      return slider;
    });
    const words = [...test.words].reverse().map((word) => make("span", {}, word));
    this.element = make(
      "div",
      { class: "mushra" },
      make("div", { class: "words" }, ...words),
      make("div", { class: "columns" }, ...this.columns),
    );
  }

  choose(stimulus) {
    this.columns.forEach((column, index) => {
      column.classList.toggle("chosen", this.stimuli[index] === stimulus);
    });
    this.chosen = this.sliders[this.stimuli.indexOf(stimulus)];
  }

  nudge(steps) {
    if (this.chosen) this.chosen.nudge(steps);
  }

  focus() {
    if (this.chosen) this.chosen.knob.focus({ preventScroll: true });
  }
}

/** Five points, for the whole and for each aspect, on a card per stimulus. */
class LikertScale {
  constructor({ test, stimuli, ratings, onRate, buttonOf }) {
    this.stimuli = stimuli;
    this.cards = stimuli.map((stimulus, index) => {
      const given = ratings.get(stimulus);
      const rows = [null, ...test.aspects].map((aspect, row) => {
        const value = given && (aspect === null ? given.rating : given.aspects[aspect]);
        const name = `mix${index}-${row}`;
        const points = test.words.map((word, point) => {
          const radio = make("input", {
            type: "radio",
            name,
            value: point + 1,
            "aria-label": word,
            checked: value === point + 1,
            onchange: () => onRate(stimulus, aspect, point + 1),
          });
          return make("label", { class: "point", title: word }, radio, make("span", {}, word));
        });
        const legend = make("legend", {}, aspect === null ? "overall" : aspect);
        return make("fieldset", { class: aspect === null ? "overall" : "" }, legend, ...points);
      });
      const card = make("section", { class: "card", "aria-label": `Mix ${index + 1}` });
      card.append(make("div", { class: "card-head" }, buttonOf(stimulus)), ...rows);
      return card;
    });
    this.element = make("div", { class: "likert" }, ...this.cards);
  }

  choose(stimulus) {
    this.cards.forEach((card, index) => {
      card.classList.toggle("chosen", this.stimuli[index] === stimulus);
    });
    this.chosen = this.cards[this.stimuli.indexOf(stimulus)];
  }

  nudge() {} // radio buttons have arrow keys of their own

  focus() {
    if (!this.chosen) return;
    const radio = this.chosen.querySelector("input:checked") || this.chosen.querySelector("input");
    if (!this.chosen.contains(document.activeElement)) radio.focus({ preventScroll: true });
    this.chosen.scrollIntoView({ block: "nearest" });
  }
}

const SCALES = { ape: ApeScale, mushra: MushraScale, likert: LikertScale };
