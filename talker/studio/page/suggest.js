/** What the built-in editor knows, to click instead of typing. `say` hears the instruction. */
import { button, el, refill, select } from "./dom.js";
import { state } from "./state.js";

export function suggest(node, say, isOpen) {
  if (!state.words) return;
  const kinds = { picture: "Pictures", statue: "Statues", light: "Light", photo: "Photos" };
  const pick = (list, text) => list.map((each) => button(text(each), () => say(each.say)));
  refill(node, el("details", { open: isOpen },
    el("summary", { class: "small soft" }, "What the built-in editor knows"),
    el("div", { class: "column", style: "gap:8px;margin-top:8px" },
      Object.entries(kinds).map(([kind, title]) => el("div", {}, el("h3", {}, title),
        el(
          "div",
          { class: "chips" },
          pick(state.words.styles.filter((style) => style.kind === kind), (style) => style.title),
        ))),
      colours(say))));
}

function colours(say) {
  const names = Object.keys(state.words.colours);
  let region = state.words.regions[0], colour = names[0];
  return el("div", {}, el("h3", {}, "Colours"), el("div", { class: "row" },
    select(
      state.words.regions.map((each) => [each, each]),
      region,
      (value) => { region = value; },
      { "aria-label": "What to colour" },
    ),
    select(names.map((each) => [each, each]), colour, (value) => { colour = value; }, { "aria-label": "Colour" }),
    button("Say it", () => say(`make the ${region} ${colour}`))));
}
