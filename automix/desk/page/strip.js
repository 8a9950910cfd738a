/* One strip: name, sends, pan, switches, fader and meter of a track; of a bus and the master what they have. */

import { levelOf } from "./choice.js";
import { makeSlider } from "./controls.js";
import { describeBus, listBusDetails, listFeeds, listMasterDetails } from "./describe.js";
import { figure, make } from "./drawing.js";
import { Meter } from "./meter.js";
import { valueAt } from "./ridelines.js";
import { formatValue } from "./values.js";

const OFF_DB = -60; // of a send: at this or below it there is none
const FIRST_DB = -30; // of a send that a key turns on
const ROLES_WITHOUT_WORDS = new Set(["", "track", "other"]);

/** The strip of a track, a bus or the master. */
export class Strip {
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
    const family = kind === "strip" ? (model.state.families?.[owner] ?? "other") : kind;
    this.head = make(
      "button",
      { type: "button", class: "strip-head", "data-stop": "name", title: owner, onclick: () => model.select(owner) },
      make("span", { class: "strip-name", dir: "auto" }, owner),
    );
    this.role = kind === "strip" ? this.#makeRole(family) : make("span", { class: "strip-role" });
    this.fader = makeSlider(model, {
      owner,
      setting: levelOf(model, owner),
      label: kind === "bus" ? "return" : "fader",
      look: "fader",
      signal,
      move: (value, about) => choice.moveFader(owner, value, about),
    });
    this.fader.slider.dataset.stop = "fader";
    this.meter = new Meter();
    this.fader.insertBefore(this.meter.element, this.fader.children[1]);
    if (kind === "strip") {
      const label = () => (model.sound.tracks[owner]?.is_mono === false ? "balance" : "pan");
      this.pan = makeSlider(model, { owner, setting: "pan", label, look: "knob", taper: "row", signal });
      this.pan.slider.dataset.stop = "pan";
      this.#sends = model.plan.buses.map(({ name }) => this.#makeSend(name, signal));
      this.mute = this.#makeSwitch("M", `Mute ${owner}`, "mute", () => choice.toggleMute(owner));
    }
    if (kind !== "master") {
      this.solo = this.#makeSwitch("S", `Solo ${owner}`, "solo", () => choice.toggleSolo(owner));
      this.group = this.#makeSwitch("G", `Group ${owner}`, "group", () => choice.toggleGroup(owner));
    }
    this.about = kind === "strip" ? null : make("ul", { class: "strip-about" });
    this.element = make(
      "section",
      { class: `strip strip-${kind}`, role: "group", "aria-label": owner, "data-owner": owner, "data-family": family },
      this.head,
      this.role,
      this.about ?? make("div", { class: "strip-sends" }, this.#sends.map(({ slider }) => slider)),
      this.pan ? make("div", { class: "strip-pan" }, this.pan) : null,
      make("div", { class: "strip-switches" }, this.mute, this.solo, this.group),
      make("div", { class: "strip-level" }, this.fader),
    );
    this.refresh();
  }

  /** The word for what a track is: pressed, it makes the tracks of its family the group. */
  #makeRole(family) {
    const { owner } = this;
    const role = this.#model.part(owner).role?.replaceAll("_", " ") ?? "";
    const word = ROLES_WITHOUT_WORDS.has(role) || role === owner ? family : role;
    const name = `${word}: group all of the family ${family}`;
    return make(
      "button",
      {
        type: "button",
        class: "strip-role",
        "aria-label": name,
        "aria-pressed": "false",
        title: name,
        "data-stop": "family",
        onclick: () => this.#choice.selectFamily(owner),
      },
      word,
    );
  }

  #makeSwitch(letter, name, stop, act) {
    return make(
      "button",
      { type: "button", class: `strip-switch strip-${stop}`, "aria-label": name, "aria-pressed": "false", title: name, "data-stop": stop, onclick: act },
      letter,
    );
  }

  /** The level of a send, which is there or not. */
  #makeSend(bus, signal) {
    const [model, owner] = [this.#model, this.owner];
    const declared = model.declared(owner, "sends").fields.gain_db;
    const index = () => model.value(owner, "sends").findIndex((send) => send.bus === bus);
    const value = () => model.value(owner, "sends")[index()]?.gain_db ?? OFF_DB;
    const isOff = (level) => level <= OFF_DB;
    const reading = {
      declared,
      value,
      format: (level) => (isOff(level) ? "off" : formatValue(declared, level)),
      brief: (level) => (isOff(level) ? "off" : formatValue(declared, level).replace(/ ?dB$/, "")),
      rest: OFF_DB,
    };
    const remove = (about) => {
      const sends = model.value(owner, "sends").filter((send) => send.bus !== bus);
      model.edit([{ owner, setting: "sends", value: sends }], about);
    };
    const slider = makeSlider(model, {
      owner,
      setting: "sends",
      label: `send to ${bus}`,
      look: "send",
      signal,
      reading,
      taper: "fader",
      address: () => `sends.${index() + 1}.gain_db`,
      move: (next, about) => {
        const at = index();
        if (at < 0 && isOff(next)) return;
        if (at < 0) {
          const isStep = about.isKey && next <= OFF_DB + 10;
          const send = { bus, gain_db: isStep ? FIRST_DB : next };
          model.edit([{ owner, setting: "sends", value: [...model.value(owner, "sends"), send] }], about);
        } else if (isOff(next) && !about.isDrag) remove(about);
        else model.edit([{ owner, setting: `sends.${at + 1}.gain_db`, value: next }], about);
      },
      // A send that is dragged through silence keeps its place and its ride until it is let go.
      drop: (about) => index() >= 0 && isOff(value()) && remove(about),
    });
    slider.slider.dataset.stop = `send ${bus}`;
    slider.slider.append(make("span", { class: "send-name", dir: "auto", "aria-hidden": "true" }, bus));
    return { slider, index };
  }

  /** Shows what is set. */
  refresh() {
    const [model, choice, owner] = [this.#model, this.#choice, this.owner];
    const isMuted = Boolean(this.kind === "strip" && model.value(owner, "mute"));
    this.mute?.setAttribute("aria-pressed", String(isMuted));
    this.solo?.setAttribute("aria-pressed", String(choice.solo.has(owner)));
    this.group?.setAttribute("aria-pressed", String(choice.group.has(owner)));
    if (this.kind === "strip") this.role.setAttribute("aria-pressed", String(choice.isFamily(owner)));
    const isUnheard = choice.solo.size > 0 && !choice.solo.has(owner) && this.kind === "strip";
    this.element.classList.toggle("muted", isMuted);
    this.element.classList.toggle("unheard", isUnheard);
    this.element.classList.toggle("grouped", choice.group.has(owner));
    for (const { slider, index } of this.#sends) slider.classList.toggle("off", index() < 0);
    if (this.kind === "bus") this.refreshFeeds();
    if (this.kind === "master") this.#tellMaster();
  }

  /** Shows what a bus is, and who sends to it. */
  refreshFeeds() {
    const bus = this.#model.part(this.owner);
    if (!bus) return;
    const feeds = listFeeds(this.#model.plan, this.owner);
    const lines = feeds.map(({ name, gain_db: gain, isMuted }) => [name, isMuted ? "muted" : `${gain >= 0.05 ? "+" : ""}${figure(gain, 1)}`]);
    this.role.textContent = describeBus(bus);
    this.role.title = [describeBus(bus), ...listBusDetails(bus)].join(", ");
    this.#tell([...listBusDetails(bus).map((line) => [line]), [feeds.length ? "from" : "nothing is sent here"], ...lines]);
  }

  #tellMaster() {
    const { state } = this.#model;
    const details = listMasterDetails(this.#model.part("master"));
    const reason = this.#model.decision("master", "gain_db")?.reason;
    const isLimited = details.at(-1) !== "no limiter";
    const lines = [...details, isLimited ? "heard in “Master”" : null, state.hands_off ? "set by hand" : reason];
    this.role.textContent = "mix";
    this.about.title = state.hands_off ?? reason ?? "";
    this.#tell(lines.filter(Boolean).map((line) => [line]));
  }

  /** Writes lines of a text, and of a text with a figure. */
  #tell(lines) {
    const told = JSON.stringify(lines);
    if (told === this.told) return;
    this.told = told;
    const items = lines.map(([text, number]) =>
      make(
        "li",
        { class: number === undefined ? "" : "strip-feed", title: number === undefined ? "" : text },
        make("span", { dir: "auto" }, text),
        number === undefined ? null : make("span", {}, number),
      ),
    );
    this.about.replaceChildren(...items);
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

  /**
   * Draws what is heard now, and where rides have taken the settings.
   *
   * @returns {boolean} Whether its meter still falls.
   */
  draw(readings, seconds, hearing, isPlaying) {
    const level = this.#place ? readings?.[this.#place]?.[this.owner] : readings?.master;
    const isFalling = this.meter.draw(level, this.#reduction(seconds, hearing), isPlaying);
    this.#moveTo(this.fader, levelOf(this.#model, this.owner), seconds, true);
    if (this.pan) this.#moveTo(this.pan, "pan", seconds, false);
    for (const { slider, index } of this.#sends) {
      const at = index();
      if (at >= 0) this.#moveTo(slider, `sends.${at + 1}.gain_db`, seconds, true);
      else slider.showMoving(null);
    }
    return isFalling;
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
