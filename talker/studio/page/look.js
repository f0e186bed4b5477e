/** The panel beside the stage: how the speaker is looked at. */
import * as api from "./api.js";
import { button, el, field, refill, select, slider, toast } from "./dom.js";
import { refreshHome } from "./fresh.js";
import { lookAhead } from "./stage.js";
import { on, project, set, state } from "./state.js";

const degrees = (x) => `${x.toFixed(0)}°`;

export function look(panel, { addFile }) {
  const yaw = slider(
    "Turn",
    { min: -60, max: 60, step: 1, value: state.yaw, shown: degrees },
    (x) => set({ yaw: x }),
  );
  const pitch = slider(
    "Lift",
    { min: -35, max: 35, step: 1, value: state.pitch, shown: degrees },
    (x) => set({ pitch: x }),
  );
  const roll = slider(
    "Tilt",
    { min: -30, max: 30, step: 1, value: state.roll, shown: degrees },
    (x) => set({ roll: x }),
  );
  const zoom = slider(
    "Zoom",
    { min: 0.5, max: 3, step: 0.02, value: state.zoom, shown: (x) => `${x.toFixed(2)}×` },
    (x) => set({ zoom: x }),
  );
  const rest = el("div", { class: "column" });

  const show = () => {
    const edit = project()?.edits.find((each) => each.name === state.edit);
    refill(rest,
      el("hr"),
      edit ? el("div", { class: "column" },
        el("div", { class: "row spread" }, el("h2", {}, edit.name),
          button(
            "Compare",
            () => set({ pair: !state.pair }),
            { "aria-pressed": String(state.pair), title: "Original beside edit, with a line to drag" },
          )),
        el("p", { class: "soft" }, `“${edit.instruction}”`),
        slider(
          "Strength of the edit",
          { min: 0, max: 1, step: 0.1, value: state.strength },
          (x) => set({ strength: x }),
        ),
        slider("Detail w", { min: 0, max: 1.5, step: 0.05, value: state.detail }, (x) => set({ detail: x })),
        manage(edit))
        : el("p", { class: "soft" }, project()?.edits.length
          ? "As filmed. Pick an edit below the stage to change the picture."
          : "As filmed. Under Edit you make him or her something else."),
      el("hr"),
      el("h2", {}, "Head and eyes"),
      el("label", { class: "row" }, el("input", {
        type: "checkbox", checked: state.motion === "take", onchange: (event) => set(
          { motion: event.target.checked ? "take" : "still" },
        ),
      }), "Move as filmed while speaking"),
      state.facts?.has_eyes && el("label", { class: "row" }, el("input", {
        type: "checkbox", checked: state.eyes === null, onchange: (event) => {
          set({ eyes: event.target.checked ? null : 1 });
          show();
        },
      }), "Blink as filmed"),
      state.facts?.has_eyes && state.eyes !== null
        && slider("Eyes open", { min: 0, max: 1, step: 0.05, value: state.eyes }, (x) => set({ eyes: x })),
      el("hr"),
      el("h2", {}, "Background"),
      background(addFile, show));
  };
  refill(panel,
    el("div", { class: "row spread" }, el("h2", {}, "View"), button("Back to 0", lookAhead, { class: "plain" })),
    el("p", { class: "small soft" }, "0 is as filmed: a head that is turned in the film is turned at 0, too."),
    yaw, pitch, roll, zoom, rest);
  show();
  return [
    on(
      ["yaw", "pitch", "roll", "zoom"],
      () => { yaw.set(state.yaw); pitch.set(state.pitch); roll.set(state.roll); zoom.set(state.zoom); },
    ),
    on(["edit", "home", "facts", "pair", "project", "background"], show),
  ];
}

function background(addFile, show) {
  const isColour = state.background?.startsWith("#");
  const kind = state.background === null ? "own" : isColour ? "colour" : state.background;
  const choices = [
    ["own", "The speaker's own"],
    ["colour", "A colour"],
    ...(state.home?.pictures ?? []).map((name) => [name, name]),
    ["+", "Add a picture…"],
  ];
  return el("div", { class: "row" },
    select(choices, kind, (value) => {
      if (value === "+") { addFile("image/*"); show(); } else set(
        { background: value === "own" ? null : value === "colour" ? "#1e4d6b" : value },
      );
    }, { "aria-label": "Background" }),
    isColour && el(
      "input",
      {
        type: "color",
        value: state.background,
        "aria-label": "Colour of the background",
        oninput: (event) => set({ background: event.target.value }),
      },
    ));
}

/** Renaming and removing an edit. */
function manage(edit) {
  const name = el("input", { type: "text", value: edit.name, maxLength: 64 });
  const act = async (what) => {
    try {
      toast((await what()).text);
      await refreshHome();
    } catch (error) { toast(error.message); }
  };
  return el("details", {}, el("summary", { class: "small soft" }, "Rename or remove"),
    el("div", { class: "column", style: "margin-top:8px" }, field("Name", name), el("div", { class: "row" },
      button("Rename", () => act(async () => {
        const done = await api.renameEdit(state.project, edit.name, name.value);
        set({ edit: name.value });
        return done;
      })),
      button("Remove for good", () => confirm(`Remove “${edit.name}” for good?`) && act(async () => {
        const done = await api.removeEdit(state.project, edit.name);
        set({ edit: null, pair: false });
        return done;
      })))));
}
