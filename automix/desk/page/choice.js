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

  /** Makes the strips of a strip's family the group; if they are it already, there is none. */
  selectFamily(name) {
    const { families, plan } = this.#model.state;
    const members = plan.tracks.map((track) => track.name).filter((track) => families[track] === families[name]);
    const isIt = members.length === this.group.size && members.every((member) => this.group.has(member));
    this.group = new Set(isIt ? [] : members);
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

  /** Moves a fader, and with it those of its group: all by as much, as far as all of them can. */
  moveFader(name, value, about) {
    const model = this.#model;
    const faders = this.together(name).map((owner) => {
      const setting = levelOf(model, owner);
      const { low, high } = model.declared(owner, setting);
      return { owner, setting, now: model.value(owner, setting), low, high };
    });
    const wanted = value - faders.find(({ owner }) => owner === name).now;
    const least = Math.max(...faders.map(({ now, low }) => low - now));
    const most = Math.min(...faders.map(({ now, high }) => high - now));
    const change = clamp(wanted, least, most);
    const label = faders.length > 1 ? `${faders.length} faders` : about.label;
    const edits = faders.map(({ owner, setting, now }) => ({
      owner,
      setting,
      value: Number((now + change).toFixed(3)),
    }));
    model.edit(edits, { ...about, label });
  }

  /** Mutes a track, or lets it be heard again; so with its group. */
  toggleMute(name) {
    const model = this.#model;
    if (model.kind(name) !== "strip") return;
    const value = !model.value(name, "mute");
    const owners = this.together(name).filter((owner) => model.kind(owner) === "strip");
    const what = owners.length > 1 ? `${owners.length} tracks` : name;
    const edits = owners.map((owner) => ({ owner, setting: "mute", value }));
    model.edit(edits, { label: `${what}: mute ${value ? "on" : "off"}` });
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
    this.dispatchEvent(new CustomEvent("change"));
  }
}
