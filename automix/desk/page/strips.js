/* The strips: one for each track and bus, and the master, in a row that scrolls. */

import { make } from "./drawing.js";
import { Strip } from "./strip.js";

/**
 * Shows the strips.
 *
 * @param {HTMLElement} element Where they go.
 * @param {import("./model.js").Model} model
 * @param {import("./engine.js").Engine} engine
 * @param {import("./choice.js").Choice} choice
 * @returns {{next: (step: number) => void, toggleMute: (owner: string) => void,
 *   update: (readings: object) => void,
 *   listen: (hearing: import("./hearing.js").Hearing) => void}}
 */
export function showStrips(element, model, engine, choice) {
  const row = make("div", { class: "strip-row" });
  const strips = new Map(); // by name, in order
  const visible = new Set();
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const strip = strips.get(target.dataset.owner);
        if (!strip) continue;
        if (isIntersecting) visible.add(strip);
        else visible.delete(strip);
      }
    },
    { root: null, rootMargin: "0px 100px" },
  );
  let hearing = null;
  let controller = null;

  function build() {
    controller?.abort();
    controller = new AbortController();
    watcher.disconnect();
    strips.clear();
    visible.clear();
    const { tracks, buses } = model.plan;
    for (const { name } of [...tracks, ...buses]) add(name);
    add("master");
    row.replaceChildren(...[...strips.values()].map((strip) => strip.element));
    for (const strip of strips.values()) watcher.observe(strip.element);
    mark();
  }

  function add(name) {
    strips.set(name, new Strip(name, model, choice, controller.signal));
    if (name === "master") strips.get(name).element.append(makeGathered(choice, controller.signal));
  }

  /** Shows which strip is selected, and lets the Tab key stop at its controls alone. */
  function mark() {
    const selected = strips.has(model.selected) ? model.selected : strips.keys().next().value;
    for (const [name, strip] of strips) strip.select(name === selected);
  }

  function neighbour(owner, step) {
    const names = [...strips.keys()];
    const at = names.indexOf(owner) + step;
    return names[at] ?? null;
  }

  /** Selects another strip, and moves the focus to the same control of it. */
  function go(owner, kind) {
    if (owner === null) return;
    model.select(owner);
    const strip = strips.get(owner);
    const target = strip.element.querySelector(`[data-stop="${CSS.escape(kind)}"]`);
    (target ?? strip.head).focus({ preventScroll: true });
    strip.element.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  row.addEventListener("focusin", ({ target }) => {
    const owner = target.closest(".strip")?.dataset.owner;
    if (owner) model.select(owner);
  });
  row.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input")) return;
    if (key !== "ArrowLeft" && key !== "ArrowRight") return;
    const owner = target.closest(".strip")?.dataset.owner;
    if (!owner) return;
    event.preventDefault();
    go(neighbour(owner, key === "ArrowRight" ? 1 : -1), target.dataset.stop ?? "name");
  });
  let anchor = null; // clicked last: with Shift, the group goes from it
  row.addEventListener("click", (event) => {
    const owner = event.target.closest(".strip")?.dataset.owner;
    if (!owner || !event.target.closest(".strip-head")) return;
    if (event.shiftKey && model.selected) {
      const names = [...strips.keys()];
      const [from, to] = [names.indexOf(anchor ?? owner), names.indexOf(owner)].sort((a, b) => a - b);
      choice.extendGroup(names.slice(from, to + 1));
    } else if (event.ctrlKey || event.metaKey) choice.toggleGroup(owner);
    else if (event.detail > 1 && model.kind(owner) === "strip") choice.selectFamily(owner);
    anchor = owner;
  });

  choice.addEventListener("change", () => {
    for (const strip of strips.values()) strip.refresh();
  });
  model.addEventListener("select", mark);
  model.addEventListener("change", ({ detail: { owners } }) => {
    const names = [...model.plan.tracks, ...model.plan.buses].map(({ name }) => name);
    const shown = [...strips.keys()].slice(0, -1);
    if (!owners && JSON.stringify(names) !== JSON.stringify(shown)) {
      build();
      return;
    }
    for (const name of owners ?? strips.keys()) strips.get(name)?.refresh();
    for (const { name } of owners ? model.plan.buses : []) strips.get(name)?.refreshFeeds();
    move();
  });

  let asked = 0;
  let readings = null;
  function draw() {
    asked = 0;
    const seconds = engine.position / model.state.rate;
    let isFalling = false;
    for (const strip of visible) {
      isFalling = strip.draw(readings, seconds, hearing, engine.playing) || isFalling;
    }
    if (isFalling && !engine.playing) move(); // meters fall to rest where nothing more is heard
  }
  function move() {
    asked ||= requestAnimationFrame(draw);
  }
  engine.addEventListener("state", move);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", move); // meters at rest, too
  element.replaceChildren(row, makeGathered(choice));
  build();
  return {
    next: (step) => {
      const owner = neighbour(model.selected, step);
      const stop = document.activeElement?.closest?.(".strip") ? document.activeElement.dataset.stop : "name";
      go(owner, stop ?? "name");
    },
    toggleMute: (owner) => choice.toggleMute(owner),
    update: (latest) => {
      readings = latest;
      move();
    },
    listen: (heard) => (hearing = heard),
  };
}

/** Says how many strips are in the group and soloed, with buttons that end both. */
function makeGathered(choice, signal) {
  const end = (name, act) => make("button", { type: "button", class: `gathered-${name}`, onclick: act });
  const solo = end("solo", () => choice.clearSolo());
  const group = end("group", () => choice.clearGroup());
  const tell = (button, count, text, what) => {
    button.hidden = count === 0;
    button.replaceChildren(text, make("span", { "aria-hidden": "true" }, " ×"));
    button.setAttribute("aria-label", `${text}: ${what}`);
    button.title = what;
  };
  const refresh = () => {
    tell(solo, choice.solo.size, `${choice.solo.size} solo`, "let all be heard again");
    tell(group, choice.group.size, `${choice.group.size} in the group`, "end the group");
  };
  choice.addEventListener("change", refresh, { signal });
  refresh();
  return make("div", { class: "gathered" }, solo, group);
}
