/* What the desk asks the person, in dialogs. */

import { figure, make, nameOf } from "./drawing.js";
import { areSingleKeysOn, listKeys, setSingleKeys } from "./keys.js";
import { asSentence } from "./messages.js";
import { AS_OPENED } from "./model.js";
import { formatValue } from "./values.js";

/** Asks, saves, renders and quits; says what came of it. */
export class Dialogs {
  #model;
  #engine;
  #messages;
  #lost = null;
  #forget = () => {}; // takes the message away that the file was changed

  constructor(model, engine, messages) {
    this.#model = model;
    this.#engine = engine;
    this.#messages = messages;
    model.addEventListener("closing", () => this.#showClosed());
    model.addEventListener("lost", () => setTimeout(() => this.#showLost(), 2500));
    model.addEventListener("found", () => {
      this.#lost?.close();
      this.#lost = null;
      messages.show("connected again");
    });
    model.addEventListener("file", () => this.#tellFileChanged());
    if (model.state.is_changed_underneath) this.#tellFileChanged();
    model.addEventListener("saved", () => this.#forget());
    model.addEventListener("rendered", ({ detail }) => this.#tellRendered(detail));
  }

  /** Whether a dialog is open: keys are its own then. */
  get isOpen() {
    return document.querySelector("dialog[open]") !== null;
  }

  /** Saves the plan. Returns whether it is saved. */
  async save() {
    const answer = await this.#model.save();
    if (answer.ok) {
      this.#messages.show(`saved ${this.#model.state.file}`);
      return true;
    }
    if (answer.status === 409 && answer.body.conflicts) return this.#settle(answer.body);
    this.#complain(answer);
    return false;
  }

  /** Ends the desk, and asks first if something is not saved. */
  async quit() {
    const { file } = this.#model.state;
    let save = false;
    if (!this.#model.state.is_saved || this.#model.isBusy) {
      const chosen = await ask({
        title: "Quit with unsaved edits?",
        body: [make("p", {}, `${file} does not hold your latest edits. They are kept beside it, and offered again when it is opened next.`)],
        choices: [
          { value: "save", label: "Save and quit", isFirst: true },
          { value: "keep", label: "Quit, keep the edits for next time" },
        ],
      });
      if (chosen === null) return;
      save = chosen === "save";
    }
    if (save && !(await this.save())) return;
    this.#engine.pause();
    const answer = await this.#model.act("quit", { save: false });
    if (answer.ok) this.#model.close();
    else this.#complain(answer);
  }

  /** Writes the mix beside the plan; asks before one is written over. */
  async render(overwrite = false) {
    const answer = await this.#model.act("render", { overwrite });
    if (answer.ok) return;
    if (answer.status === 409 && answer.body.exists) {
      const chosen = await ask({
        title: "Write over the mix?",
        body: [make("p", {}, `${this.#model.state.mix.file} is there already.`)],
        choices: [{ value: "over", label: "Write over it", isFirst: true }],
      });
      if (chosen === "over") await this.render(true);
    } else if (answer.status === 409 && answer.body.conflicts) {
      if (await this.#settle(answer.body)) await this.render(overwrite);
    } else this.#complain(answer);
  }

  /** Offers edits that an earlier desk did not save. */
  async offerRecovery() {
    const { recovery, file } = this.#model.state;
    if (!recovery) return;
    const count = recovery.edits === 1 ? "One edit" : `${recovery.edits} edits`;
    const was = recovery.edits === 1 ? "was" : "were";
    const when = new Date(recovery.time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    const chosen = await ask({
      title: "Restore unsaved edits?",
      body: [make("p", {}, `${count} of ${when} ${was} not saved to ${file}.`)],
      choices: [
        { value: "restore", label: "Restore", isFirst: true },
        { value: "discard", label: "Discard" },
      ],
      cancel: "Later",
    });
    if (chosen === null) return;
    const answer = await this.#model.act("recover", { accept: chosen === "restore" });
    if (!answer.ok) this.#complain(answer);
    await this.#model.refresh().catch((error) => this.#messages.show(error.message, "error"));
    if (answer.ok && chosen === "restore") this.#messages.show(`${count.toLowerCase()} restored`);
  }

  /** Lists all keys. */
  async help() {
    const spell = (keys) => keys.flatMap((key, at) => [at ? " " : "", make("kbd", {}, key)]);
    const rows = listKeys().map(([keys, about]) =>
      make("div", {}, make("dt", {}, spell(keys)), make("dd", {}, about)),
    );
    const single = make("input", { type: "checkbox", checked: areSingleKeysOn() });
    single.addEventListener("change", () => setSingleKeys(single.checked));
    await ask({
      title: "Keys",
      body: [
        make("dl", { class: "keys" }, rows),
        make("label", { class: "check" }, single, "Keys without Ctrl or ⌘ act everywhere on the page"),
      ],
      choices: [],
      cancel: "Close",
    });
  }

  /** What was warned of so far, and is told when there is more. */
  get messages() {
    return this.#messages;
  }

  /** Lists what was warned of. */
  async showNotes() {
    const rows = this.#messages.kept.map((sentence) => make("li", {}, asSentence(sentence)));
    await ask({
      title: "Notes about this mix",
      body: [rows.length ? make("ul", {}, rows) : make("p", {}, "There are none.")],
      choices: [],
      cancel: "Close",
    });
  }

  /** Takes, uses and drops snapshots. */
  async showSnapshots(compare) {
    const name = make("input", { id: "snapshot-name", type: "text", maxlength: "60", autocomplete: "off", required: true });
    const list = make("ul", { class: "snapshot-list" });
    const fill = () => {
      const hadFocus = list.contains(document.activeElement);
      list.replaceChildren(...this.#model.state.snapshots.map((snapshot) => this.#makeSnapshot(snapshot, compare)));
      if (hadFocus) name.focus();
    };
    const form = make(
      "form",
      { class: "snapshot-form" },
      make("label", { for: "snapshot-name" }, "Name"),
      name,
      make("button", { type: "submit", class: "first" }, "Take a snapshot"),
    );
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (await compare.take(name.value.trim())) name.value = "";
      name.focus();
    });
    const done = new AbortController();
    this.#model.addEventListener("snapshots", fill, { signal: done.signal });
    fill();
    name.value = this.#proposeName();
    await ask({
      title: "Snapshots",
      body: [
        make("p", {}, "A snapshot keeps the mix as it is now. A and B in the bar compare two of them at equal loudness."),
        form,
        list,
      ],
      choices: [],
      cancel: "Close",
      focus: name,
    });
    done.abort();
  }

  #proposeName() {
    const names = new Set(this.#model.state.snapshots.map(({ name }) => name));
    let number = 1;
    while (names.has(`mix ${number}`)) number += 1;
    return `mix ${number}`;
  }

  #makeSnapshot({ name, lufs, is_measured: isMeasured }, compare) {
    const hear = async () => {
      compare.sides.a = name;
      await compare.hearSide("a");
    };
    const isFirst = name === AS_OPENED;
    return make(
      "li",
      {},
      make("span", { class: "snapshot-name" }, name),
      make("span", { class: "hint" }, lufs === null ? (isMeasured ? "no loudness" : "measuring …") : `${figure(lufs)} LUFS`),
      make("button", { type: "button", "aria-label": `Hear ${name}`, onclick: hear }, "Hear"),
      make(
        "button",
        {
          type: "button",
          "aria-label": `Use ${name}`,
          onclick: async () => {
            const answer = await this.#model.act("snapshot/use", { name });
            if (answer.ok) this.#messages.show(`the mix is “${name}” now; undo brings back what it was`);
            else this.#complain(answer);
            compare.hearNow();
          },
        },
        "Use",
      ),
      isFirst
        ? null
        : make("button", { type: "button", "aria-label": `Drop ${name}`, onclick: () => compare.drop(name) }, "Drop"),
    );
  }

  /** The file changed underneath: asks what to do, and does it. Returns whether the plan is saved. */
  async #settle({ message, conflicts, is_plan: isPlan = true }) {
    const rows = conflicts.map((conflict, at) => makeConflict(this.#model, conflict, at));
    const table = rows.length
      ? make(
          "table",
          { class: "conflicts" },
          make("caption", {}, rows.length === 1 ? "One setting was changed here and there:" : `${rows.length} settings were changed here and there:`),
          make(
            "thead",
            {},
            make("tr", {}, ["Setting", "Before", "Mine", "Theirs"].map((name) => make("th", { scope: "col" }, name))),
          ),
          make("tbody", {}, rows.map(({ row }) => row)),
        )
      : make("p", {}, isPlan ? "No setting was changed both here and there." : "Mend it there and save again, or write over it.");
    const chosen = await ask({
      title: "The file has changed",
      body: [make("p", {}, `${asSentence(message)}.`), table],
      choices: [
        isPlan && { value: "merge", label: rows.length ? "Merge as chosen" : "Merge and save", isFirst: true },
        { value: "overwrite", label: "Overwrite it with mine" },
        isPlan && { value: "reload", label: "Take what is there" },
      ].filter(Boolean),
    });
    if (chosen === null) return false;
    let answer;
    if (chosen === "merge") {
      const choices = Object.fromEntries(rows.map(({ address, choice }) => [address, choice()]));
      answer = await this.#model.save({ choices, force: "merge" });
    } else if (chosen === "overwrite") answer = await this.#model.save({ force: "overwrite" });
    else answer = await this.#model.act("reload");
    if (!answer.ok) this.#complain(answer);
    else if (chosen === "reload") this.#messages.show("the mix is what the file holds; undo brings back yours");
    else this.#messages.show(`${chosen === "merge" ? "merged and saved" : "saved"} ${this.#model.state.file}`);
    return answer.ok;
  }

  #tellFileChanged() {
    const { file, is_saved: isSaved } = this.#model.state;
    const look = isSaved
      ? { action: "Take what is there", act: () => this.#reload() }
      : { action: "Look at it", act: () => this.save() };
    this.#forget();
    this.#forget = this.#messages.show(`${file} was changed by another program`, "warning", look);
  }

  async #reload() {
    const answer = await this.#model.act("reload");
    if (answer.ok) this.#messages.show("the mix is what the file holds; undo brings back yours");
    else this.#complain(answer);
  }

  #tellRendered({ file, lufs, true_peak_dbtp: peak, seconds, message }) {
    if (message) {
      this.#messages.show(message, "error");
      return;
    }
    this.#model.state.mix.exists = true;
    const parts = [
      Number.isFinite(lufs) ? `${figure(lufs)} LUFS` : null,
      Number.isFinite(peak) ? `true peak ${figure(peak)} dBTP` : null,
      `in ${seconds.toFixed(1)} s`,
    ].filter(Boolean);
    this.#messages.show(`rendered ${file}: ${parts.join(", ")}`, "result");
  }

  #complain({ body, status }) {
    if (status === 0 && this.#model.isClosed) return;
    this.#messages.show(body.message, "error");
  }

  #showLost() {
    if (!this.#model.isLost || this.#model.isClosed || this.#lost) return;
    this.#engine.pause();
    this.#lost = show({
      title: "The desk does not answer",
      body: [
        make("p", {}, "The program behind this page has ended, or is busy. Your edits are kept in the journal beside the plan."),
        make("p", {}, "If it has ended, open the desk again; it offers them:"),
        makeCommand(this.#model.state.file),
      ],
    });
  }

  #showClosed() {
    this.#lost?.close();
    this.#engine.pause();
    const { file, is_saved: isSaved } = this.#model.state;
    const told = isSaved
      ? "Everything is saved. You can close this page."
      : "Edits that are not saved are kept beside the plan, and offered when it is opened again. You can close this page.";
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
    show({
      title: "The desk is closed",
      body: [make("p", {}, told), make("p", {}, "To open it again:"), makeCommand(file)],
    });
  }
}

function makeCommand(file) {
  const quoted = /^[\w./+-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
  return make("pre", { class: "command", tabindex: "0" }, `automix desk ${quoted}`);
}

function makeConflict(model, { address, base, mine, theirs }, at) {
  const { title, declared } = findSetting(model, address);
  const spell = (value) => {
    if (value === null || value === undefined) return "none";
    if (typeof value === "number" && declared?.kind === "number") return formatValue(declared, value);
    return typeof value === "string" ? value : JSON.stringify(value);
  };
  const name = `conflict-${at}`;
  const option = (side, value) => {
    const radio = make("input", { type: "radio", name, value: side, checked: side === "mine" });
    const about = make("span", { class: "unseen" }, `${side} for ${title}: `);
    return make("td", {}, make("label", {}, radio, about, make("code", {}, spell(value))));
  };
  const row = make(
    "tr",
    { "data-address": address },
    make("th", { scope: "row", title: address }, title),
    make("td", {}, make("code", {}, spell(base))),
    option("mine", mine),
    option("theirs", theirs),
  );
  return { row, address, choice: () => row.querySelector("input:checked").value };
}

/** What an address such as "bass.compressor.ratio" is called and declared as. */
function findSetting(model, address) {
  const { tracks, buses } = model.plan;
  const owners = ["master", ...[...tracks, ...buses].map(({ name }) => name)];
  const owner = owners
    .filter((name) => address.startsWith(`${name}.`))
    .sort((one, other) => other.length - one.length)[0];
  if (owner === undefined) return { title: address };
  const setting = address.slice(owner.length + 1);
  const declared = setting.startsWith("rides.") ? undefined : model.declared(owner, setting);
  const words = setting.split(".");
  const last = nameOf(words.pop(), declared);
  return { title: [owner, ...words.map((word) => word.replaceAll("_", " ")), last].join(" "), declared };
}

let titles = 0;

/** Shows a dialog that only closes when it is told to, or by one of its buttons. */
function show({ title, body, buttons = [], closes = false, focus = null }) {
  const id = `dialog-title-${(titles += 1)}`;
  const heading = make("h2", { id, tabindex: "-1" }, title);
  const dialog = make(
    "dialog",
    { class: "dialog", "aria-labelledby": id },
    heading,
    make("div", { class: "dialog-body" }, body),
    buttons.length ? make("div", { class: "dialog-buttons" }, buttons) : null,
  );
  const before = document.activeElement;
  dialog.addEventListener("cancel", (event) => {
    if (!closes) event.preventDefault();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before?.isConnected) before.focus({ preventScroll: true });
  });
  document.body.append(dialog);
  dialog.showModal();
  (focus ?? dialog.querySelector(".first") ?? heading).focus();
  return dialog;
}

/**
 * Asks in a dialog.
 *
 * @param {{title: string, body: Node[], choices: {value: string, label: string, isFirst?: boolean}[],
 *   cancel?: string, focus?: HTMLElement}} about
 * @returns {Promise<string | null>} The value of what was chosen; null if it was left.
 */
function ask({ title, body, choices, cancel = "Cancel", focus = null }) {
  return new Promise((done) => {
    const button = ({ value, label, isFirst }) =>
      make("button", { type: "button", class: isFirst ? "first" : "", onclick: () => dialog.close(value) }, label);
    const leave = make("button", { type: "button", onclick: () => dialog.close() }, cancel);
    const dialog = show({ title, body, buttons: [...choices.map(button), leave], closes: true, focus });
    dialog.addEventListener("close", () => done(dialog.returnValue || null));
  });
}
