/* What the desk tells the person: notes and warnings that go by themselves, errors that stay. */

import { make } from "./drawing.js";

const NOTE_MS = 7000;
const WARNING_MS = 12000; // it stays among the notes
const MOST_SHOWN = 5;

/** A message of the program as a sentence; the name of a file at its start stays as it is. */
export function asSentence(text) {
  const isName = /[/.:_]/.test(text.split(" ", 1)[0]);
  return isName ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Shows messages, and says them to a screen reader: errors at once, others when there is time.
 */
export class Messages extends EventTarget {
  /** All that was warned of, for later: sentences. */
  kept = [];
  #quiet;
  #loud;
  #seen = new Set(); // warnings that were shown

  /**
   * @param {HTMLElement} quiet A polite live region.
   * @param {HTMLElement} loud An alert.
   */
  constructor(quiet, loud) {
    super();
    this.#quiet = quiet;
    this.#loud = loud;
    new ResizeObserver(() => {
      document.documentElement.style.setProperty("--errors", `${loud.offsetHeight + 8}px`);
    }).observe(loud);
  }

  /**
   * Shows a message.
   *
   * @param {string} text
   * @param {"note"|"warning"|"error"} kind
   * @param {{action?: string, act?: () => void}} more A button of the message.
   */
  show(text, kind = "note", { action, act } = {}) {
    const sentence = asSentence(text);
    if (kind === "warning" && !act) this.#keep(text);
    return this.#add(make("p", {}, sentence), sentence, kind, { action, act });
  }

  #add(body, sentence, kind, { action, act, isBrief = !act } = {}) {
    const region = kind === "error" ? this.#loud : this.#quiet;
    const same = [...region.children].find((shown) => shown.dataset.text === sentence);
    same?.remove();
    const dismiss = make("button", { type: "button", class: "message-close", "aria-label": "Dismiss" }, "×");
    const message = make(
      "div",
      { class: `message ${kind}`, "data-text": sentence },
      body,
      action ? make("button", { type: "button", class: "message-act" }, action) : null,
      dismiss,
    );
    const leave = () => {
      const next = message.nextElementSibling ?? message.previousElementSibling;
      const hadFocus = message.contains(document.activeElement);
      message.remove();
      if (hadFocus) (next?.querySelector(".message-close") ?? document.querySelector("#play"))?.focus();
    };
    dismiss.addEventListener("click", leave);
    message.querySelector(".message-act")?.addEventListener("click", () => {
      leave();
      act();
    });
    region.append(message);
    while (region.children.length > MOST_SHOWN) region.firstElementChild.remove();
    if (kind === "note") this.#leaveLater(message, leave, NOTE_MS);
    if (kind === "warning" && isBrief) this.#leaveLater(message, leave, WARNING_MS);
    return leave;
  }

  #keep(sentence) {
    this.#seen.add(sentence);
    if (this.kept.includes(sentence)) return;
    this.kept.push(sentence);
    this.dispatchEvent(new CustomEvent("kept"));
  }

  /** Shows what may be wrong with the plan or its files, each sentence once; `read` lists them. */
  warn(sentences, read) {
    const fresh = [...new Set(sentences)].filter((sentence) => !this.#seen.has(sentence));
    for (const sentence of fresh) this.#keep(sentence);
    if (fresh.length < 3) {
      for (const sentence of fresh) this.show(sentence, "warning");
      return;
    }
    const told = `${fresh.length} notes about this mix`; // a list would hide the page
    this.#add(make("p", {}, told), told, "warning", { action: "Read them", act: read, isBrief: true });
  }

  /** A message stays while it is looked at. */
  #leaveLater(message, leave, time) {
    const look = () => {
      if (!message.isConnected) return;
      if (message.matches(":hover, :focus-within")) setTimeout(look, time / 2);
      else leave();
    };
    setTimeout(look, time);
  }
}
