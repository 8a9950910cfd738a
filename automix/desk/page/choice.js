/* Which strips are heard alone, and which move together. Nothing of it is in the plan. */

import { clamp } from "./drawing.js";

/** The setting that the fader of a part moves. */
export function levelOf(model, owner) {
  return model.kind(owner) === "strip" ? "fader_db" : "gain_db";
}

/** Holds the strips that are soloed and those that are grouped; tells "change". */
export class Choice extends EventTarget {
  #model;
  #engine;
  #gesture = { id: null, faders: [] }; // where the faders of a drag began
  solo = new Set();
  group = new Set();

  constructor(model, engine) {
    super();
    this.#model = model;
    this.#engine = engine;
    model.addEventListener("change", ({ detail: { owners } }) => !owners && this.#forget());
  }

  /** Lets a strip be heard alone, with others that are soloed, or not any more; so with its group. */
  toggleSolo(name) {
    if (name === "master") return;
    const isOn = !this.solo.has(name);
    for (const owner of this.together(name)) {
      if (owner === "master") continue;
      if (isOn) this.solo.add(owner);
      else this.solo.delete(owner);
    }
    this.#engine.setSolo(this.solo);
    this.#tell();
  }

  /** Ends every solo. */
  clearSolo() {
    if (!this.solo.size) return;
    this.solo.clear();
    this.#engine.setSolo(this.solo);
    this.#tell();
  }

  /** Puts a strip into the group, or takes it out. */
  toggleGroup(name) {
    if (name === "master") return;
    if (!this.group.delete(name)) this.group.add(name);
    this.#tell();
  }

  /** Puts all strips between two into the group. */
  extendGroup(names) {
    for (const name of names) if (name !== "master") this.group.add(name);
    this.#tell();
  }

  /** The tracks of a track's family. */
  familyOf(name) {
    const { families = {}, plan } = this.#model.state;
    const family = families[name];
    if (family === undefined) return [];
    return plan.tracks.map((track) => track.name).filter((track) => families[track] === family);
  }

  /** Whether the group is a track's family. */
  isFamily(name) {
    const members = this.familyOf(name);
    const isSame = members.length === this.group.size && members.length > 0;
    return isSame && members.every((member) => this.group.has(member));
  }

  /** Makes the tracks of a track's family the group; if they are it already, there is none. */
  selectFamily(name) {
    this.group = new Set(this.isFamily(name) ? [] : this.familyOf(name));
    this.#tell();
  }

  /** Ends the group. */
  clearGroup() {
    if (!this.group.size) return;
    this.group.clear();
    this.#tell();
  }

  /** The strips that move with one: its group if it is in it, else itself. */
  together(name) {
    return this.group.has(name) ? [...this.group] : [name];
  }

  /**
   * Moves a fader, and with it those of its group: all by as much, as far as all of them can.
   *
   * Within a gesture they are moved from where it began, so that they come back to just there.
   */
  moveFader(name, value, { gesture }) {
    const model = this.#model;
    const isBegun = gesture && this.#gesture.id === gesture;
    if (!isBegun) this.#gesture = { id: gesture ?? null, faders: this.#listFaders(name) };
    const { faders } = this.#gesture;
    const wanted = value - faders.find(({ owner }) => owner === name).from;
    const least = Math.max(...faders.map(({ from, low }) => low - from));
    const most = Math.min(...faders.map(({ from, high }) => high - from));
    const change = clamp(wanted, least, most);
    const edits = faders.map(({ owner, setting, from }) => ({
      owner,
      setting,
      value: change === 0 ? from : owner === name && change === wanted ? value : Number((from + change).toFixed(3)),
    }));
    model.edit(edits, { gesture });
  }

  #listFaders(name) {
    const model = this.#model;
    return this.together(name).map((owner) => {
      const setting = levelOf(model, owner);
      const { low, high } = model.declared(owner, setting);
      return { owner, setting, from: model.value(owner, setting), low, high };
    });
  }

  /** Mutes a track, or lets it be heard again; so with its group. */
  toggleMute(name) {
    const model = this.#model;
    if (model.kind(name) !== "strip") return;
    const value = !model.value(name, "mute");
    const owners = this.together(name).filter((owner) => model.kind(owner) === "strip");
    model.edit(owners.map((owner) => ({ owner, setting: "mute", value })));
  }

  /** Forgets parts that are not there any more. */
  #forget() {
    const gone = (name) => !this.#model.part(name);
    const isChanged = [...this.solo, ...this.group].some(gone);
    if (!isChanged) return;
    for (const name of [...this.solo].filter(gone)) this.solo.delete(name);
    for (const name of [...this.group].filter(gone)) this.group.delete(name);
    this.#engine.setSolo(this.solo);
    this.#tell();
  }

  #tell() {
    this.#gesture = { id: null, faders: [] }; // others may belong together now
    this.dispatchEvent(new CustomEvent("change"));
  }
}
