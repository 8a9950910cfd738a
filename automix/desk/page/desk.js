/* The desk: opens the plan, and joins what shows, plays and changes it. */

import { Choice } from "./choice.js";
import { Compare } from "./compare.js";
import { Dialogs } from "./dialogs.js";
import { make } from "./drawing.js";
import { Engine } from "./engine.js";
import { showInspector } from "./inspector.js";
import { listenToKeys } from "./keys.js";
import { Messages } from "./messages.js";
import { Model } from "./model.js";
import { showStrips } from "./strips.js";
import { showTop } from "./transport.js";

const find = (selector) => document.querySelector(selector);
const messages = new Messages(find("#messages"), find("#errors"));

/** The answer of the desk, which holds sound; else an error is thrown that says what it said. */
async function fetchSound(path, signal) {
  const answer = await fetch(path, { signal });
  if (answer.ok) return answer;
  const { message } = await answer.json().catch(() => ({ message: `it answers ${answer.status}` }));
  throw Object.assign(new Error(message), { status: answer.status });
}

/** The plan's name in the title of the page, with a dot while it is not saved. */
function showTitle(model) {
  const { name, is_saved: isSaved } = model.state;
  const title = `${isSaved && !model.isBusy ? "" : "• "}${name} – automix desk`;
  if (document.title !== title) document.title = title;
}

let refreshing = 0;

/** Asks what the plan sounds like now, at most once a second. */
function refreshSoon(model) {
  refreshing ||= setTimeout(() => {
    refreshing = 0;
    model.refresh().catch(() => {}); // a desk that is lost is told by the model
  }, 1000);
}

async function open() {
  const opening = make("p", { class: "opening" }, "Opening the plan …");
  find("#strips").replaceChildren(opening);
  let model;
  try {
    model = await Model.open();
  } catch (error) {
    opening.remove();
    const again = { action: "Try again", act: () => location.reload() };
    messages.show(`the plan cannot be shown: ${error.message}`, "error", again);
    return;
  }
  model.addEventListener("message", ({ detail: { text, kind } }) => messages.show(text, kind));
  const engine = new Engine(
    (chunk, keys, signal) =>
      fetchSound(`sound/${chunk}?keys=${keys.join(",")}`, signal).catch((error) => {
        if (error.status === 404) refreshSoon(model); // a render went that is not wanted any more
        throw error;
      }),
    async (key) => (await fetchSound(`response/${key}`)).arrayBuffer(),
  );
  engine.addEventListener("error", ({ detail }) => {
    if (!model.isLost && !model.isClosed) messages.show(detail.message, "error");
  });
  const compare = new Compare(model, engine);
  const choice = new Choice(model, engine);
  const dialogs = new Dialogs(model, engine, messages);
  find("#title").textContent = `${model.state.name}: mixing desk`;
  const lead = model.plan.tracks.find(({ role }) => role === "lead vocal"); // what is moved most
  model.selected ??= (lead ?? model.plan.tracks[0])?.name ?? "master";
  const strips = showStrips(find("#strips"), model, engine, choice);
  const { hearing } = showInspector(find("#inspector"), model, engine);
  strips.listen(hearing); // for the gain reduction beside the meters
  const top = showTop(find("#top"), model, engine, choice, { compare, dialogs, hearing });
  listenToKeys({ model, engine, choice, compare, dialogs, strips, top });
  compare.refresh();

  model.addEventListener("change", () => {
    compare.refresh();
    showTitle(model);
    messages.warn(model.state.warnings, () => dialogs.showNotes());
  });
  model.addEventListener("ready", () => compare.refresh());
  model.addEventListener("saved", () => showTitle(model));
  engine.addEventListener("readings", () => strips.update(engine.readings));
  addEventListener("beforeunload", (event) => {
    if (model.isBusy && !model.isClosed) event.preventDefault();
  });
  showTitle(model);
  messages.warn(model.state.warnings, () => dialogs.showNotes());
  dialogs.offerRecovery();
}

open();
