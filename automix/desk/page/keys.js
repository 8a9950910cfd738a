/* The keys of the desk. */

const JUMP_S = 5;
const TYPED = "input:not([type=radio], [type=checkbox], [type=button]), textarea, select, [contenteditable]";
const TAKES_SPACE = "button, summary, a[href], input, select, textarea, [role=button], [role=switch], [role=checkbox], [role=radio], [role=option], [role=menuitem], [role=tab]";
const TAKES_HOME = `${TYPED}, [role=slider], [role=listbox], [role=radiogroup], [role=tablist], [role=application], dialog`;

/** What keys do, for people: [keys, what they do]. */
const KEYS = [
  [["Space"], "play or pause; a button reached by Tab keeps its space"],
  [["Shift", "Space"], "stop, and back to the start"],
  [[","], `${JUMP_S} s back`],
  [["."], `${JUMP_S} s on`],
  [["Home"], "start of the song, where no control takes the key"],
  [["End"], "end of the song, where no control takes the key"],
  [["L"], "loop on or off"],
  [["I"], "loop from here"],
  [["O"], "loop to here"],
  [["M"], "mute the selected strip"],
  [["S"], "solo the selected strip"],
  [["X"], "put the selected strip into the group, or take it out"],
  [["F"], "put the family of the selected strip into the group"],
  [["J"], "select the next strip"],
  [["K"], "select the strip before"],
  [["A"], "hear A"],
  [["B"], "hear B"],
  [["N"], "hear the mix as it is now"],
  [["T"], "take, hear or use snapshots"],
  [["Ctrl", "Z"], "undo"],
  [["Ctrl", "Shift", "Z"], "redo; also Ctrl Y"],
  [["Ctrl", "S"], "save"],
  [["Arrow keys"], "move the slider that has the focus; with Shift in fine steps; Page keys in large ones"],
  [["Enter"], "type a value, at a slider"],
  [["?"], "this list"],
];

/** All keys, for people: [names, what they do]. */
export function listKeys() {
  const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
  return KEYS.map(([keys, about]) => [keys.map((key) => (isMac && key === "Ctrl" ? "⌘" : key)), isMac ? about.replace("Ctrl", "⌘") : about]);
}

const STORED = "automix desk single keys";

/** Whether keys without Ctrl act everywhere; who speaks to the computer may not want that. */
export function areSingleKeysOn() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

/** Switches keys without Ctrl on or off. */
export function setSingleKeys(isOn) {
  try {
    localStorage.setItem(STORED, isOn ? "on" : "off");
  } catch {
    // A browser that keeps nothing: they stay on.
  }
}

/**
 * Listens to the keys of the whole page. Text that is typed, and what the browser does with keys,
 * stays as it is.
 *
 * @param {object} desk The model, and all that keys act on.
 */
export function listenToKeys(desk) {
  const { model, engine, choice, compare, dialogs, strips, top } = desk;
  const { rate } = model.state;
  const end = () => Math.max(0, model.sound.length - 1);
  const letters = {
    " ": () => top.toggle(),
    ",": () => engine.seek(engine.position - JUMP_S * rate),
    ".": () => engine.seek(Math.min(end(), engine.position + JUMP_S * rate)),
    Home: () => engine.seek(0),
    End: () => engine.seek(end()),
    l: () => top.toggleLoop(),
    i: () => top.markLoop("start"),
    o: () => top.markLoop("end"),
    m: () => strips.toggleMute(model.selected),
    s: () => choice.toggleSolo(model.selected),
    x: () => choice.toggleGroup(model.selected),
    f: () => choice.selectFamily(model.selected),
    j: () => strips.next(1),
    k: () => strips.next(-1),
    a: () => compare.hearSide("a"),
    b: () => compare.hearSide("b"),
    n: () => compare.hearNow(),
    t: () => dialogs.showSnapshots(compare),
    "?": () => dialogs.help(),
  };
  const commands = {
    z: () => top.undo(),
    y: () => top.redo(),
    s: () => dialogs.save(),
  };

  let clicked = null; // what has the focus because it was clicked: it does not keep its space
  let isSpaceTaken = false;
  addEventListener("pointerdown", ({ target }) => {
    clicked = target instanceof Element ? target.closest("button, summary") : null;
  });
  addEventListener("focusin", ({ target }) => {
    if (target !== clicked) clicked = null;
  });
  addEventListener("keyup", (event) => {
    if (event.key !== " " || !isSpaceTaken) return;
    isSpaceTaken = false;
    event.preventDefault(); // or some browsers press the button as well
  });

  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.altKey || dialogs.isOpen) return;
    const { key, target, shiftKey, ctrlKey, metaKey } = event;
    const isThere = target instanceof Element && !target.closest("dialog:not([open])"); // just closed
    const isIn = (selector) => isThere && target.closest(selector) !== null;
    const isCommand = ctrlKey !== metaKey;
    let act;
    if (isCommand) {
      const name = key.toLowerCase();
      if (name !== "s" && isIn(TYPED)) return; // typed text has an undo of its own
      if (name === "z" && shiftKey) act = commands.y;
      else if (!shiftKey) act = Object.hasOwn(commands, name) ? commands[name] : null;
    } else if (!ctrlKey && !metaKey) {
      if (isIn(TYPED) || !areSingleKeysOn()) return;
      if (key === " " && isIn(TAKES_SPACE) && !(clicked && clicked === target)) return;
      if ((key === "Home" || key === "End") && (shiftKey || isIn(TAKES_HOME))) return;
      if (key === " " && shiftKey) act = () => engine.stop();
      else if (shiftKey && /^[a-z]$/i.test(key)) return;
      else act = Object.hasOwn(letters, key.toLowerCase()) ? letters[key.toLowerCase()] : letters[key];
    }
    if (!act) return;
    event.preventDefault();
    if (key === " ") isSpaceTaken = true;
    if (!event.repeat || key === "," || key === "." || (isCommand && key.toLowerCase() !== "s")) act();
  });
}
