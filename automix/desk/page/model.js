/* The plan as the page knows it: what the server last said, with the edits under way laid over it. */

/** The snapshot that is always there: the plan as it was opened. */
export const AS_OPENED = "as opened";
const PATIENCE_MS = 5000; // with an edit that is not answered

/** A value inside a strip, a bus or the master, by its dotted path; lists count from 1. */
function follow(part, setting) {
  let value = part;
  for (const name of setting.split(".")) {
    if (value === null || typeof value !== "object") return undefined;
    value = Array.isArray(value) ? value[Number(name) - 1] : value[name];
  }
  return value;
}

/** A copy of a part in which the value at a path is another; what is not on the path is shared. */
function replaceAt(part, setting, value) {
  const [name, ...rest] = setting.split(".");
  const key = Array.isArray(part) ? Number(name) - 1 : name;
  const copy = Array.isArray(part) ? [...part] : { ...part };
  copy[key] = rest.length ? replaceAt(part[key], rest.join("."), value) : value;
  return copy;
}

async function ask(path, request) {
  try {
    const answer = await fetch(path, request);
    return { ok: answer.ok, status: answer.status, body: await answer.json() };
  } catch {
    return { ok: false, status: 0, body: { message: "the desk does not answer; is it closed?" } };
  }
}

/**
 * Holds the plan, sends edits, and tells of every change.
 *
 * Events: "change" {owners: Set of names, or null for all}, "ready", "snapshots", "master",
 * "rendering" {progress}, "rendered", "file", "message" {text, kind}, "select", "saved", "closing",
 * "lost" when the desk does not answer any more, and "found" when it does again.
 */
export class Model extends EventTarget {
  /** Asks the server for the state and listens to its events. */
  static async open() {
    const model = new Model();
    await model.refresh();
    model.#listen();
    return model;
  }

  #base = null; // as the server last said
  #pending = []; // requests that it has not answered for, the oldest first
  #waiting = new Map(); // edits that go with the next request, by owner and setting
  #number = 0;
  #isSending = false;
  #tab = crypto.randomUUID();
  #events = null;
  #taken = ""; // what the last event about the plan said, which may come twice
  isLost = false;
  isClosed = false;
  state = null;
  selected = null;

  get plan() {
    return this.state.plan;
  }

  get sound() {
    return this.state.sound;
  }

  /** Reads the whole state anew. */
  async refresh() {
    const { ok, body } = await this.get("state");
    if (!ok) throw new Error(body.message);
    // An answer that was on its way while an event came tells of an earlier plan.
    if (this.#base && body.revision < this.#base.revision) return this.refresh();
    this.#base = body;
    this.#taken = "";
    this.#lay();
    this.#tell("change", { owners: null });
  }

  /** The strip, the bus or the master of a name. */
  part(owner) {
    if (owner === "master") return this.plan.master;
    const named = (part) => part.name === owner;
    return this.plan.tracks.find(named) ?? this.plan.buses.find(named);
  }

  /** "strip", "bus" or "master". */
  kind(owner) {
    if (owner === "master") return "master";
    return this.plan.buses.some((bus) => bus.name === owner) ? "bus" : "strip";
  }

  /** The value of a setting, by its dotted path. */
  value(owner, setting) {
    return follow(this.part(owner), setting);
  }

  /** How a setting is declared: its range, unit and meaning. */
  declared(owner, setting) {
    let fields = this.state.declared[this.kind(owner)];
    let found;
    for (const name of setting.split(".")) {
      if (/^\d+$/.test(name)) continue; // an entry of a list
      found = fields?.[name];
      fields = found?.fields;
    }
    return found;
  }

  /** Why a method set a setting, and to what. */
  decision(owner, setting) {
    return this.plan.decisions.find((decision) => decision.setting === `${owner}.${setting}`);
  }

  /** The ride of a setting, if it moves. */
  ride(owner, setting) {
    return this.part(owner).rides.find((ride) => ride.setting === setting);
  }

  /**
   * Changes settings: here at once, at the server within a frame.
   *
   * @param {{owner: string, setting: string, value: any}[]} edits
   * @param {{gesture?: string, label?: string}} about Edits of one gesture are undone together.
   */
  edit(edits, { gesture = crypto.randomUUID(), label = "" } = {}) {
    const last = [...this.#waiting.values()].at(-1);
    if (last && (last.gesture !== gesture || last.label !== label)) this.#send();
    for (const edit of edits) {
      const key = JSON.stringify([edit.owner, edit.setting]);
      this.#waiting.delete(key);
      this.#waiting.set(key, { ...edit, gesture, label });
    }
    this.#lay();
    this.#tell("change", { owners: new Set(edits.map(({ owner }) => owner)) });
    if (!this.#isSending) requestAnimationFrame(() => this.#send());
    if (!this.#isSending) setTimeout(() => this.#send(), 50); // a hidden page has no frames
  }

  /** Whether edits are under way that the desk has not answered for. */
  get isBusy() {
    return this.#pending.length > 0 || this.#waiting.size > 0;
  }

  /** Takes back the last step, whoever made it. */
  undo() {
    return this.act("undo");
  }

  /** Makes the last step that was taken back again. */
  redo() {
    return this.act("redo");
  }

  /** Saves the plan; answers 409 where its file changed meanwhile, see `post`. */
  save(body = {}) {
    return this.act("save", body);
  }

  /**
   * Does something with the plan as it is here: once all edits have arrived.
   *
   * @returns {Promise<{ok: boolean, status: number, body: any}>}
   */
  async act(path, body = {}) {
    this.#send();
    while (this.isBusy) await new Promise((done) => setTimeout(done, 5));
    const answer = await this.post(path, { ...body, tab: this.#tab });
    if (answer.ok && answer.body.owners) this.#take(answer.body);
    return answer;
  }

  /**
   * Asks the desk for something.
   *
   * @returns {Promise<{ok: boolean, status: number, body: any}>}
   */
  get(path) {
    return ask(path, { cache: "no-store" });
  }

  /**
   * Sends a request of the page.
   *
   * @returns {Promise<{ok: boolean, status: number, body: any}>}
   */
  post(path, body = {}) {
    return ask(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /** Chooses whose settings are looked at. */
  select(owner) {
    if (owner === this.selected) return;
    this.selected = owner;
    this.#tell("select", { owner });
  }

  /** Tells the person something. */
  say(text, kind = "note") {
    this.#tell("message", { text, kind });
  }

  async #send() {
    if (this.#isSending || !this.#waiting.size) return;
    this.#isSending = true;
    const [{ gesture, label }] = this.#waiting.values();
    const edits = []; // those of the next gesture follow in a request of their own
    for (const [key, edit] of this.#waiting) {
      if (edit.gesture !== gesture || edit.label !== label) break;
      this.#waiting.delete(key);
      edits.push(edit);
    }
    const number = (this.#number += 1);
    this.#pending.push({ number, edits });
    const plain = edits.map(({ owner, setting, value }) => ({ owner, setting, value }));
    // A program that is stopped or swamped keeps the line open: nothing else would tell of it.
    const late = setTimeout(() => this.say("the desk does not answer; edits wait until it does"), PATIENCE_MS);
    const { ok, body } = await this.post("edit", {
      tab: this.#tab,
      number,
      gesture,
      label,
      edits: plain,
    });
    clearTimeout(late);
    this.#isSending = false;
    this.#pending = this.#pending.filter((request) => request.number !== number);
    if (ok && body.owners) this.#take(body);
    if (!ok) {
      this.#lay();
      this.#tell("change", { owners: new Set(edits.map(({ owner }) => owner)) });
      this.say(body.message, "error");
    }
    this.#send();
  }

  /** Lays the edits that are under way over what the server said. */
  #lay() {
    const plan = { ...this.#base.plan };
    const edits = [...this.#pending.flatMap((request) => request.edits), ...this.#waiting.values()];
    for (const { owner, setting, value } of edits) {
      const change = (part) => (part.name === owner ? replaceAt(part, setting, value) : part);
      if (owner === "master") plan.master = replaceAt(plan.master, setting, value);
      plan.tracks = plan.tracks.map(change);
      plan.buses = plan.buses.map(change);
    }
    this.state = { ...this.#base, plan };
  }

  #listen() {
    this.#events = new EventSource("events");
    const on = (name, take) =>
      this.#events.addEventListener(name, (event) => take(JSON.parse(event.data)));
    on("plan", (event) => this.#take(event));
    on("ready", ({ tracks }) => {
      for (const [name, ready] of Object.entries(tracks)) {
        if (this.sound.tracks[name]) this.sound.tracks[name].ready = ready;
      }
      this.#tell("ready", { tracks });
    });
    on("snapshots", (snapshots) => {
      this.#base.snapshots = this.state.snapshots = snapshots;
      this.#tell("snapshots", { snapshots });
    });
    on("warning", ({ message }) => this.say(message, "warning"));
    for (const name of ["master", "rendering", "rendered", "file"]) {
      on(name, (detail) => this.#tell(name, detail));
    }
    on("closing", () => this.close());
    this.#events.onerror = () => this.#lose();
    this.#events.onopen = () => {
      if (this.isLost) this.refresh().then(() => this.#find(), () => {});
    };
  }

  /** The desk has ended: nothing more is asked of it. */
  close() {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#events.close();
    this.#tell("closing", {});
  }

  #lose() {
    if (this.isLost || this.isClosed) return;
    this.isLost = true;
    this.#tell("lost", {});
  }

  #find() {
    this.isLost = false;
    this.#tell("found", {});
  }

  /** Takes what the server says after a change. */
  #take(event) {
    if (event.revision < this.#base.revision) return;
    const { revision, tab, number, is_saved: isSaved } = event;
    const told = JSON.stringify([revision, tab, number, isSaved]);
    if (told === this.#taken) return; // as an answer and as an event
    this.#taken = told;
    if (event.structure) {
      this.refresh().catch((error) => this.say(error.message, "error"));
      return;
    }
    const { owners, decisions, ...rest } = event;
    const change = (part) => owners[part.name] ?? part;
    const plan = this.#base.plan;
    this.#base = {
      ...this.#base,
      ...rest,
      plan: {
        ...plan,
        tracks: plan.tracks.map(change),
        buses: plan.buses.map(change),
        master: owners.master ?? plan.master,
        decisions: decisions ?? plan.decisions,
      },
    };
    this.#lay();
    this.#tell("change", { owners: new Set(Object.keys(owners)) });
    if (event.is_saved && !event.is_changed_underneath) this.#tell("saved", {});
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
