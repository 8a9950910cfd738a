/* Everything about the strip, the bus or the master that is selected. */

import { figure, make } from "./drawing.js";
import { EqualizerView } from "./equalizer.js";
import { Hearing } from "./hearing.js";
import { InsertsView } from "./inserts.js";
import { Waveform } from "./waveform.js";
import { listDecisions } from "./why.js";

/**
 * Shows the inspector.
 *
 * @param {HTMLElement} element Where it goes.
 * @param {import("./model.js").Model} model The plan.
 * @param {import("./engine.js").Engine} engine What plays it.
 * @returns {object} Its parts: `waveform`, `equalizer`, `inserts`, and `hearing`, what was heard of the
 *   tracks, which the strips and the bar show as well.
 */
export function showInspector(element, model, engine) {
  const hearing = new Hearing(model);
  const waveform = new Waveform(model, engine, hearing);
  const equalizer = new EqualizerView(model, hearing);
  const inserts = new InsertsView(model, engine, hearing);
  inserts.onride = (setting) => {
    waveform.element.scrollIntoView({ block: "nearest" });
    waveform.choose(setting);
  };
  waveform.onposition = (seconds) => inserts.moveTo(seconds);
  const title = make("h2", { class: "inspector-title" });
  const about = make("p", { class: "inspector-about hint" });
  const reasons = make("div", {});
  const count = make("span", { class: "hint" });
  const why = make(
    "details",
    { class: "inspector-part inspector-why" },
    make("summary", {}, make("h3", {}, "Why"), count),
    reasons,
  );
  why.addEventListener("toggle", () => fillReasons());
  const part = (name, heading, child) =>
    make(
      "section",
      { class: `inspector-part ${name}`, "aria-label": heading },
      heading ? make("h3", {}, heading) : null,
      child,
    );
  const equalizerPart = part("inspector-equalizer", "Equalizer", equalizer.element);
  const pieces = [
    part("inspector-waveform", "Waveform and rides", waveform.element),
    equalizerPart,
    part("inspector-inserts", "Signal flow", inserts.element),
    why,
  ];
  pieces[0].querySelector("h3").classList.add("unseen");
  element.classList.add("inspector");
  element.replaceChildren(
    make("div", { class: "inspector-head" }, title, about),
    make("div", { class: "inspector-parts" }, pieces),
  );

  let owner = null;
  let toldReasons = "";

  function fillReasons() {
    const prefix = `${owner}.`;
    const decided = model.plan.decisions.filter(({ setting }) => setting.startsWith(prefix));
    const many = `${decided.length} ${decided.length === 1 ? "decision" : "decisions"}`;
    count.textContent = decided.length ? many : "nothing was decided here";
    if (!why.open) return;
    const told = JSON.stringify([owner, decided, model.part(owner)]);
    if (told === toldReasons || reasons.contains(document.activeElement)) return;
    toldReasons = told;
    reasons.replaceChildren(...tellProvenance(model, owner), listDecisions(model, owner));
  }

  /** The tracks that what is shown needs to be heard of, the most urgent first. */
  function ask() {
    const names = model.plan.tracks.map(({ name }) => name);
    hearing.want(
      model.kind(owner) === "strip" ? [owner, ...names.filter((name) => name !== owner)] : names,
    );
  }

  /** What the part is, and how loud it is. */
  function tellAbout() {
    const kind = model.kind(owner);
    const { role } = model.part(owner);
    const lufs = kind === "strip" ? hearing.of(owner)?.lufs : null;
    const words = {
      strip: [role && role !== owner ? role : "track"],
      bus: ["bus"],
      master: ["the sum of all tracks and returns", model.state.hands_off],
    }[kind];
    if (Number.isFinite(lufs)) words.push(`${figure(lufs)} LUFS before the fader`);
    about.textContent = words.filter(Boolean).join(" · ");
  }

  function show() {
    const wanted = model.selected ?? model.plan.tracks[0]?.name ?? "master";
    owner = model.part(wanted) ? wanted : "master";
    const kind = model.kind(owner);
    title.textContent = owner;
    const family = model.state.families?.[owner];
    element.dataset.family = family ?? kind;
    tellAbout();
    equalizerPart.hidden = !model.state.declared[kind].equalizer;
    waveform.show(owner);
    if (!equalizerPart.hidden) equalizer.show(owner);
    inserts.show(owner);
    fillReasons();
    ask();
  }

  model.addEventListener("select", show);
  model.addEventListener("change", ({ detail: { owners } }) => {
    if (!owners || !model.part(owner)) {
      show();
      return;
    }
    const isOwn = owners.has(owner);
    if (isOwn) inserts.refresh();
    if (isOwn) tellAbout();
    if (isOwn || model.kind(owner) !== "strip") waveform.refresh();
    if (isOwn && !equalizerPart.hidden) equalizer.refresh();
    else equalizer.plot.redraw(); // the levels of others are seen behind the curve
    if (isOwn) fillReasons();
  });
  model.addEventListener("ready", () => waveform.redraw());
  hearing.addEventListener("heard", ({ detail }) => detail.name === owner && tellAbout());
  show();
  return { waveform, equalizer, inserts, hearing };
}

/** What wrote the plan; shown with the master. */
function tellProvenance(model, owner) {
  if (owner !== "master") return [];
  const told = model.state.provenance ?? model.state.plan;
  const rows = [
    ["method", told.method],
    ["preset", told.preset],
    ["taste", told.taste],
    ["seed", told.seed],
    ["written by", told.automix_version && `automix ${told.automix_version}`],
    ["desk of", `automix ${model.state.version}`],
    ["file", model.state.file],
  ].filter(([, value]) => value !== undefined && value !== null && value !== "");
  return [
    make(
      "dl",
      { class: "why-provenance" },
      rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]),
    ),
  ];
}
