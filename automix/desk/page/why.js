/* Why a method set a setting: a bubble beside it, and a list of everything that was decided. */

import { clamp, figure, make, nameOf } from "./drawing.js";
import { formatValue } from "./values.js";

const UNITS = {
  lufs: "LUFS",
  lu: "LU",
  db: "dB",
  dbtp: "dBTP",
  hz: "Hz",
  ms: "ms",
  s: "s",
  bpm: "BPM",
  octaves: "octaves",
  share: "%",
};

/** A figure of a decision in words: "mix_lufs" and −14.2 are "mix −14.2 LUFS". */
function wordFigure(name, value) {
  const words = name.split("_");
  const unit = words.length > 1 || UNITS[name] ? UNITS[words.at(-1)] : undefined;
  const kept = words.at(-1) === "share" || !unit ? words : words.slice(0, -1);
  const what = kept.join(" ") || name;
  if (typeof value === "boolean") return `${what} ${value ? "yes" : "no"}`;
  if (typeof value !== "number") return `${what} ${value}`;
  if (unit === "%") return `${what} ${figure(100 * value, 100 * value < 10 ? 1 : 0)} %`;
  const decimals = Number.isInteger(value) && !unit ? 0 : Math.abs(value) < 10 && !unit ? 2 : 1;
  const text = unit === "Hz" ? String(Math.round(value)) : figure(value, decimals);
  return unit ? `${what} ${text} ${unit}` : `${what} ${text}`;
}

/** The name of a setting with what it is part of: "compressor ratio", "band 2 gain", "send to hall". */
export function describeSetting(model, owner, setting) {
  const parts = setting.split(".");
  const words = [];
  let fields = model.state.declared[model.kind(owner)];
  for (let at = 0; at < parts.length; at += 1) {
    const declared = fields?.[parts[at]];
    const isLast = at === parts.length - 1;
    if (/^\d+$/.test(parts[at])) continue;
    if (declared?.kind === "list" && declared.fields && /^\d+$/.test(parts[at + 1] ?? "")) {
      const entry = model.value(owner, parts.slice(0, at + 2).join("."));
      if (parts[at] === "rides") return `ride of the ${rideName(model, owner, entry?.setting)}`;
      if (entry?.bus !== undefined) words.push(`send to ${entry.bus}`);
      else words.push(`band ${parts[at + 1]}`);
      if (entry?.bus !== undefined) return words.join(" ");
    } else if (isLast) words.push(nameOf(parts[at], declared));
    else if (parts[at] !== "equalizer")
      words.push(declared?.title ?? parts[at].replaceAll("_", " "));
    fields = declared?.fields;
  }
  return words.join(" ");
}

/** The name of what a ride moves: "fader", "send to hall". */
function rideName(model, owner, setting) {
  return setting ? describeSetting(model, owner, setting) : "setting";
}

let open = null;

/**
 * Opens the bubble about a setting that a method set.
 *
 * @param {HTMLElement} anchor What it points to, and where the focus goes back to.
 */
export function openWhy(model, owner, setting, anchor) {
  open?.close();
  const decision = model.decision(owner, setting);
  if (!decision) return;
  const controller = new AbortController();
  const { signal } = controller;
  const name = describeSetting(model, owner, setting);
  const title = `Why ${name}`;
  const present = make("dd", {});
  const back = make("button", { type: "button", class: "why-return" }, "");
  const bubble = make(
    "div",
    { class: "why-bubble", role: "dialog", "aria-label": title, tabindex: -1 },
    make(
      "div",
      { class: "why-head" },
      make("strong", {}, sentence(decision.rule)),
      make(
        "button",
        { type: "button", class: "why-close", "aria-label": "Close", onclick: () => close() },
        "×",
      ),
    ),
    make("p", { class: "why-reason" }, sentence(decision.reason)),
    listFigures(decision.figures),
    make(
      "dl",
      { class: "why-values" },
      make("dt", {}, "set to"),
      make("dd", {}, wordValue(model, owner, setting, decision.value)),
      make("dt", {}, "now"),
      present,
    ),
    back,
  );
  const isRide = setting.startsWith("rides.");
  const update = () => {
    const value = model.value(owner, setting);
    const isSame = !isRide && sameValue(value, decision.value);
    present.textContent = isRide ? (value ? "the ride is there" : "the ride is gone") : "";
    if (!isRide) present.textContent = wordValue(model, owner, setting, value);
    back.textContent = isSame
      ? "it is as the method set it"
      : `Return to ${wordValue(model, owner, setting, decision.value)}`;
    back.disabled = isSame;
    back.hidden = isRide;
  };
  back.addEventListener("click", () => {
    model.edit([{ owner, setting, value: decision.value }], { label: `${owner}: ${name} back` });
    close();
  });
  const close = () => {
    if (open !== here) return;
    open = null;
    controller.abort();
    const hadFocus = bubble.contains(document.activeElement);
    bubble.remove();
    anchor.setAttribute?.("aria-expanded", "false");
    if (hadFocus && anchor.isConnected) anchor.focus();
  };
  const here = { close };
  open = here;
  update();
  document.body.append(bubble);
  anchor.setAttribute?.("aria-expanded", "true");
  place(bubble, anchor);
  bubble.focus({ preventScroll: true });
  bubble.addEventListener("keydown", (event) => {
    if (event.key === "Tab") keepFocus(event, bubble);
    if (event.key === "Escape") {
      event.preventDefault();
      close();
    }
    event.stopPropagation();
  });
  model.addEventListener("change", update, { signal });
  model.addEventListener("select", close, { signal });
  addEventListener("resize", () => place(bubble, anchor), { signal });
  document.addEventListener("scroll", () => place(bubble, anchor), { signal, capture: true });
  document.addEventListener(
    "pointerdown",
    (event) => {
      if (!bubble.contains(event.target) && !anchor.contains(event.target)) close();
    },
    { signal, capture: true },
  );
}

/** A list of everything that methods decided about a part, each with its bubble. */
export function listDecisions(model, owner) {
  const prefix = `${owner}.`;
  const found = model.plan.decisions.filter(({ setting }) => setting.startsWith(prefix));
  if (!found.length) return make("p", { class: "hint" }, "No method decided anything here.");
  const byRule = new Map();
  for (const decision of found) {
    if (!byRule.has(decision.rule)) byRule.set(decision.rule, []);
    byRule.get(decision.rule).push(decision);
  }
  const rows = [...byRule].map(([rule, decisions]) =>
    make(
      "li",
      {},
      make("strong", {}, sentence(rule)),
      ...mergeReasons(decisions).map(({ reason, settings }) =>
        make(
          "div",
          { class: "why-row" },
          make("span", { class: "why-text" }, reason),
          make(
            "span",
            { class: "why-settings" },
            settings.map((decision) => {
              const setting = decision.setting.slice(prefix.length);
              const value = model.value(owner, setting);
              const isRide = setting.startsWith("rides.");
              const isMoved = !isRide && !sameValue(value, decision.value);
              const words = describeSetting(model, owner, setting);
              return make(
                "button",
                {
                  type: "button",
                  class: isMoved ? "why-chip moved" : "why-chip",
                  "aria-haspopup": "dialog",
                  title: isMoved ? "changed since" : "as the method set it",
                  onclick: (event) => openWhy(model, owner, setting, event.currentTarget),
                },
                `${words} ${wordValue(model, owner, setting, decision.value)}`,
                isMoved ? ` → ${wordValue(model, owner, setting, value)}` : "",
              );
            }),
          ),
        ),
      ),
    ),
  );
  return make("ul", { class: "why-list" }, rows);
}

function mergeReasons(decisions) {
  const merged = new Map();
  for (const decision of decisions) {
    const reason = sentence(decision.reason);
    if (!merged.has(reason)) merged.set(reason, { reason, settings: [] });
    merged.get(reason).settings.push(decision);
  }
  return [...merged.values()];
}

function listFigures(figures) {
  const entries = Object.entries(figures ?? {});
  if (!entries.length) return null;
  return make(
    "ul",
    { class: "why-figures" },
    entries.map(([name, value]) => make("li", {}, wordFigure(name, value))),
  );
}

function wordValue(model, owner, setting, value) {
  if (value === undefined || value === null) return "nothing";
  if (setting.startsWith("rides.")) {
    return typeof value === "number" ? `up to ${figure(value)} dB` : "a ride";
  }
  const declared = model.declared(owner, setting);
  if (typeof value === "boolean") return value ? "on" : "off";
  return declared ? formatValue(declared, value) : String(value);
}

function sameValue(one, other) {
  if (typeof one === "number" && typeof other === "number") return Math.abs(one - other) < 1e-6;
  return one === other;
}

function sentence(text) {
  const told = text.replaceAll(/(^|[\s(])-(?=\d)/g, "$1−");
  return told ? told[0].toUpperCase() + told.slice(1) : "";
}

function place(bubble, anchor) {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = bubble;
  const left = clamp(box.left + box.width / 2 - width / 2, 8, Math.max(8, innerWidth - width - 8));
  const isBelow = box.bottom + height + 12 < innerHeight || box.top < height + 12;
  const top = isBelow ? box.bottom + 8 : box.top - height - 8;
  bubble.style.left = `${left}px`;
  bubble.style.top = `${clamp(top, 8, Math.max(8, innerHeight - height - 8))}px`;
}

function keepFocus(event, bubble) {
  const stops = [...bubble.querySelectorAll("button:not([disabled]):not([hidden])")];
  const at = stops.indexOf(document.activeElement);
  event.preventDefault();
  stops.at((at + (event.shiftKey ? -1 : 1)) % stops.length)?.focus();
}
