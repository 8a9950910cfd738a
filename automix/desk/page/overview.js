/* The outline of the whole mix: where it plays, and what is looped. */

import { clamp, clock, make, Surface } from "./drawing.js";

const STEP_S = 1;
const PAGE_S = 10;
const CLICK_PX = 4; // what moves less is a click
const EDGE_PX = 7; // so near, an edge of the loop is dragged

/**
 * Makes the overview. A click goes there; a drag makes the loop.
 *
 * @param {import("./model.js").Model} model
 * @param {import("./engine.js").Engine} engine
 * @param {import("./hearing.js").Hearing} hearing
 * @returns {{element: HTMLElement, move: (frame: number) => void}}
 */
export function makeOverview(model, engine, hearing) {
  const canvas = make("canvas", { class: "overview-shape", "aria-hidden": "true" });
  const region = make("div", { class: "overview-loop", "aria-hidden": "true", hidden: true });
  const head = make("div", { class: "overview-head", "aria-hidden": "true" });
  const element = make(
    "div",
    {
      class: "overview",
      role: "slider",
      tabindex: "0",
      "aria-label": "Position in the mix",
      "aria-valuemin": "0",
      "aria-orientation": "horizontal",
      title: "Click to go there; drag to loop",
    },
    canvas,
    region,
    head,
  );
  const { rate } = model.state;
  let envelope = null;
  const surface = new Surface(canvas, (context, width, height, ink) => {
    envelope ??= sumOutlines(model, hearing);
    drawEnvelope(context, width, height, ink, envelope);
  });
  const length = () => Math.max(1, model.sound.length);

  const forget = () => {
    envelope = null;
    surface.redraw();
  };
  let timer = 0;
  const forgetSoon = () => {
    timer ||= setTimeout(() => {
      timer = 0;
      forget();
    }, 300);
  };
  hearing.addEventListener("heard", forgetSoon);
  model.addEventListener("change", forgetSoon);

  let width = 0;
  new ResizeObserver(() => {
    width = element.clientWidth;
    move(engine.position);
    showLoop();
  }).observe(element);

  function move(frame) {
    head.style.transform = `translateX(${((frame / length()) * width).toFixed(2)}px)`;
    const seconds = Math.floor(frame / rate);
    if (element.getAttribute("aria-valuenow") === String(seconds)) return;
    element.setAttribute("aria-valuenow", seconds);
    element.setAttribute("aria-valuetext", `${clock(seconds, 0)} of ${clock(length() / rate, 0)}`);
  }

  function showLoop(loop = engine.loop) {
    region.hidden = !loop;
    if (!loop) return;
    region.style.left = `${(100 * loop.start) / length()}%`;
    region.style.width = `${(100 * (loop.end - loop.start)) / length()}%`;
  }

  let drag = null; // {from: frame, x, isMoved, ends: frames of the loop, once it is moved}
  const frameAt = (event) => {
    const box = element.getBoundingClientRect();
    return clamp((event.clientX - box.left) / box.width, 0, 1) * length();
  };
  const edgeAt = (event) => {
    const { loop } = engine;
    if (!loop) return null;
    const box = element.getBoundingClientRect();
    const far = (frame) => Math.abs(box.left + (frame / length()) * box.width - event.clientX);
    const [toStart, toEnd] = [far(loop.start), far(loop.end)];
    if (Math.min(toStart, toEnd) > EDGE_PX) return null;
    return toStart < toEnd ? loop.end : loop.start; // the edge that stays
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    drag = { from: edgeAt(event) ?? frameAt(event), x: event.clientX, isMoved: false };
  });
  element.addEventListener("pointermove", (event) => {
    if (!drag) {
      element.classList.toggle("at-edge", edgeAt(event) !== null);
      return;
    }
    if (Math.abs(event.clientX - drag.x) >= CLICK_PX) drag.isMoved = true;
    if (!drag.isMoved) return;
    const ends = [drag.from, frameAt(event)].sort((a, b) => a - b);
    drag.ends = ends;
    showLoop({ start: ends[0], end: ends[1] });
  });
  element.addEventListener("pointerup", (event) => {
    if (!drag) return;
    if (drag.ends) engine.setLoop(...drag.ends);
    else engine.seek(frameAt(event));
    drag = null;
  });
  element.addEventListener("pointercancel", () => {
    drag = null;
    showLoop();
  });

  const steps = {
    ArrowLeft: -STEP_S,
    ArrowDown: -STEP_S,
    ArrowRight: STEP_S,
    ArrowUp: STEP_S,
    PageDown: -PAGE_S,
    PageUp: PAGE_S,
    Home: -Infinity,
    End: Infinity,
  };
  element.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const seconds = event.shiftKey ? step / 10 : step;
    engine.seek(clamp(engine.position + seconds * rate, 0, length() - 1));
  });

  engine.addEventListener("state", () => showLoop());
  model.addEventListener("change", () => {
    element.setAttribute("aria-valuemax", Math.floor(length() / rate));
    showLoop();
  });
  element.setAttribute("aria-valuemax", Math.floor(length() / rate));
  move(0);
  return { element, move };
}

const COLUMNS = 1200;

/** The powers of the tracks at their gains, added up: an estimate, to find one's way. */
function sumOutlines(model, hearing) {
  const sum = new Float64Array(COLUMNS);
  const { rate } = model.state;
  const seconds = model.sound.length / rate;
  let isHeard = false;
  for (const strip of model.plan.tracks) {
    const heard = strip.mute ? null : hearing.of(strip.name);
    if (!heard) continue;
    isHeard = true;
    const gain = 10 ** (strip.fader_db / 20);
    const { low, high } = heard.overview;
    const perSecond = low.length / (hearing.framesOf(heard) / rate);
    for (let column = 0; column < COLUMNS; column += 1) {
      const first = Math.floor((column / COLUMNS) * seconds * perSecond);
      const last = Math.max(first + 1, Math.ceil(((column + 1) / COLUMNS) * seconds * perSecond));
      let peak = 0;
      for (let at = first; at < Math.min(last, low.length); at += 1) {
        peak = Math.max(peak, high[at], -low[at]);
      }
      sum[column] += (gain * peak) ** 2;
    }
  }
  if (!isHeard) return null;
  let most = 0;
  for (let column = 0; column < COLUMNS; column += 1) {
    sum[column] = Math.sqrt(sum[column]);
    most = Math.max(most, sum[column]);
  }
  return most > 0 ? sum.map((value) => value / most) : sum;
}

function drawEnvelope(context, width, height, ink, envelope) {
  const middle = height / 2;
  context.fillStyle = ink("accent");
  if (!envelope) {
    context.fillStyle = ink("edge");
    context.fillRect(0, middle - 0.5, width, 1);
    return;
  }
  context.beginPath();
  for (let x = 0; x < width; x += 1) {
    const first = Math.floor((x / width) * COLUMNS);
    const last = Math.max(first + 1, Math.floor(((x + 1) / width) * COLUMNS));
    let peak = 0;
    for (let at = first; at < last; at += 1) peak = Math.max(peak, envelope[at]);
    const half = Math.max(0.5, peak * (middle - 2));
    context.rect(x, middle - half, 1, 2 * half);
  }
  context.globalAlpha = 0.75;
  context.fill();
  context.globalAlpha = 1;
}
