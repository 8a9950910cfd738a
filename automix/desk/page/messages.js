/* What the desk tells the person: notes that go by themselves, warnings and errors that stay. */

import { make } from "./drawing.js";

const NOTE_MS = 7000;
const MOST_SHOWN = 5;

/** A message of the program as a sentence; the name of a file at its start stays as it is. */
export function asSentence(text) {
  const isName = /[/.:_]/.test(text.split(" ", 1)[0]);
  return isName ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Shows messages, and says them to a screen reader: errors at once, others when there is time.
 */
export class Messages {
  #quiet;
  #loud;
  #seen = new Set(); // warnings that were shown

  /**
   * @param {HTMLElement} quiet A polite live region.
   * @param {HTMLElement} loud An alert.
   */
  constructor(quiet, loud) {
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
    if (kind === "warning") this.#seen.add(text);
    return this.#add(make("p", {}, sentence), sentence, kind, { action, act });
  }

  #add(body, sentence, kind, { action, act } = {}) {
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
    if (kind === "note") this.#leaveLater(message, leave);
    return leave;
  }

  /** Shows what may be wrong with the plan or its files, each sentence once. */
  warn(sentences) {
    const fresh = [...new Set(sentences)].filter((sentence) => !this.#seen.has(sentence));
    for (const sentence of fresh) this.#seen.add(sentence);
    if (fresh.length < 3) {
      for (const sentence of fresh) this.show(sentence, "warning");
      return;
    }
    const list = make("ul", {}, fresh.map((sentence) => make("li", {}, asSentence(sentence))));
    this.#add(list, fresh.join("; "), "warning");
  }

  /** A note stays while it is looked at. */
  #leaveLater(message, leave) {
    const look = () => {
      if (!message.isConnected) return;
      if (message.matches(":hover, :focus-within")) setTimeout(look, NOTE_MS / 2);
      else leave();
    };
    setTimeout(look, NOTE_MS);
  }
}
