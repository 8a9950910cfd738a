/* Takes part in a test as a person would: by its buttons, keys and fields. `wishes` holds the
 * rating to give, by stimulus; `aspects` of likert get the same. Resolves with the result. */
async (wishes) => {
  const until = async (condition) => {
    for (let tries = 0; !condition(); tries += 1) {
      if (tries > 4000) throw new Error(`never true: ${condition}; page: ${main.innerText}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  const place = () => document.getElementById("place").textContent;
  const next = () => main.querySelector(".next").click();
  const press = (element, key) =>
    element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  await until(() => main.querySelector(".next"));
  next();
  for (;;) {
    await until(() => !main.querySelector(".loading"));
    if (document.getElementById("sent") || /save your answers/.test(main.innerText)) break;
    const step = state.step;
    if (main.querySelector("form")) {
      for (const group of main.querySelectorAll("fieldset")) group.querySelector("input").click();
      for (const area of main.querySelectorAll("textarea")) area.value = "It was <fun>.";
    } else if (place() === "Training") {
      for (const button of main.querySelectorAll(".mixes .mix")) button.click();
    } else {
      const passage = order.find(({ id }) => place().startsWith("Passage") && id === shownPassage());
      for (const [index, name] of passage.stimuli.entries()) {
        press(document.body, String(index + 1));
        await until(() => player.heard === name && player.playing);
        if (test.type === "likert") {
          const card = main.querySelectorAll(".card")[index];
          for (const row of card.querySelectorAll("fieldset")) {
            row.querySelectorAll("input")[wishes[name] - 1].click();
          }
        } else {
          const knob = main.querySelectorAll(".knob")[index];
          press(knob, "Home");
          const steps = Math.round((wishes[name] - test.scale.low) / test.scale.step);
          for (let step = 0; step < steps; step += 1) press(knob, "ArrowRight");
        }
      }
    }
    main.querySelector(".next").click();
    await until(() => state.step !== step);
  }
  return resultOf();

  function shownPassage() {
    return order[Number(place().match(/\d+/)[0]) - 1].id;
  }
}
