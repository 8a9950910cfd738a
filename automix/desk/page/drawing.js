/* What all of the page stands on: elements, numbers and times in words, canvases that stay crisp. */

/** An element with attributes, listeners ("onclick") and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** A number kept within its limits. */
export function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

/** Rounds to a number of decimals, so that a plan reads as a person would write it. */
export function round(value, decimals) {
  return Number(value.toFixed(decimals));
}

/** A number with a real minus sign. */
export function figure(value, decimals = 1) {
  return value.toFixed(decimals).replace("-", "−");
}

/** A time as minutes and seconds, as precise as asked. */
export function clock(seconds, decimals = 1) {
  const whole = Math.max(0, round(seconds, decimals));
  const minutes = Math.floor(whole / 60);
  const rest = (whole - 60 * minutes).toFixed(decimals);
  return `${minutes}:${rest.padStart(decimals ? decimals + 3 : 2, "0")}`;
}

/** Seconds of a time as people type it: "83", "1:23.4"; null if it is none. */
export function parseTime(text) {
  const match = /^\s*(?:(\d+)\s*:\s*)?(\d+(?:[.,]\d*)?|[.,]\d+)\s*s?\s*$/.exec(text);
  return match && 60 * Number(match[1] ?? 0) + Number(match[2].replace(",", "."));
}

/** A frequency for people: 80 Hz, 2.5 kHz. */
export function hertz(frequency) {
  if (frequency < 1000) return `${Number(frequency.toPrecision(3))} Hz`;
  return `${Number((frequency / 1000).toPrecision(3))} kHz`;
}

/** The name of a setting for people: "max_reduction_db" in dB is "max reduction". */
export function nameOf(setting, declared) {
  const name = setting.split(".").at(-1);
  const unit = (declared?.unit ?? "").toLowerCase().replace("/", "_");
  const plain = unit && name.endsWith(`_${unit}`) ? name.slice(0, -unit.length - 1) : name;
  return (plain === "q" ? "Q" : plain).replaceAll("_", " ");
}

const redrawers = new Set(); // of the canvases on screen
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const redraw of redrawers) redraw();
});

/**
 * A canvas that is as sharp as the screen, and drawn anew at most once a frame.
 *
 * `draw(context, width, height, ink)` works in CSS pixels; `ink(name)` is a color of the page.
 */
export class Surface {
  constructor(canvas, draw) {
    this.canvas = canvas;
    this.draw = draw;
    this.width = 0;
    this.height = 0;
    this.frame = 0;
    this.redraw = this.redraw.bind(this);
    new ResizeObserver(this.redraw).observe(canvas);
  }

  redraw() {
    if (!this.frame) this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    this.frame = 0;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) {
      redrawers.delete(this.redraw); // until it is shown again, which changes its size
      return;
    }
    redrawers.add(this.redraw);
    const ratio = devicePixelRatio || 1;
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== across) this.canvas.width = across;
    if (this.canvas.height !== down) this.canvas.height = down;
    this.width = width;
    this.height = height;
    const context = this.canvas.getContext("2d");
    context.setTransform(across / width, 0, 0, down / height, 0, 0);
    context.clearRect(0, 0, width, height);
    const style = getComputedStyle(this.canvas);
    context.font = `11px ${style.fontFamily}`;
    context.textBaseline = "alphabetic";
    this.draw(context, width, height, (name) => style.getPropertyValue(`--${name}`).trim());
  }
}

/** A line through points [x, y, x, y, …]. */
export function trace(context, points) {
  context.beginPath();
  for (let at = 0; at < points.length; at += 2) context.lineTo(points[at], points[at + 1]);
}

/** A line between two points on the grid of the screen, one pixel wide. */
export function rule(context, x1, y1, x2, y2) {
  context.beginPath();
  const half = (value) => Math.round(value) + 0.5;
  context.moveTo(half(x1), half(y1));
  context.lineTo(half(x2), half(y2));
  context.stroke();
}
