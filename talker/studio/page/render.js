/** A video: view, size, background; the command that makes it; the film when it is done. */
import * as api from "./api.js";
import { button, complaint, el, field, refill, select, toast, viewWords } from "./dom.js";
import { errorOf, progressOf } from "./queue.js";
import { bounds, isAtWork, on, project, state } from "./state.js";

const wanted = { path: false, from: null, to: null, size: "" };
const pose = () => (
  {
    yaw: Math.round(state.yaw),
    pitch: Math.round(state.pitch),
    roll: Math.round(state.roll),
    zoom: +state.zoom.toFixed(2),
  }
);

/** The stage's view as it is said: a tilt only where there is one. */
function seen() {
  const { roll, ...rest } = pose();
  return roll ? { ...rest, roll } : rest;
}

export function render(panel) {
  wanted.from ??= { yaw: -20, pitch: 0, roll: 0, zoom: 1 };
  wanted.to ??= { yaw: 20, pitch: 0, roll: 0, zoom: 1 };
  const form = el("div", { class: "column" }), line = el("code", { class: "command", id: "command" });
  const work = el("div", { class: "column" }), made = el("div", { class: "renders" });

  const begin = button(
    "Render",
    async () => { try { await api.order(order()); } catch (error) { toast(error.message); } },
    { class: "main", id: "render" },
  );
  const copy = () => navigator.clipboard.writeText(line.textContent).then(
    () => toast("Copied"),
    () => toast("The browser does not let it be copied; mark it and copy it by hand"),
  );
  const copying = button("Copy", copy, { class: "plain small" });
  let asked = 0;
  const tell = async () => {
    const mine = ++asked;
    begin.disabled = copying.disabled = true;
    const not = !state.project ? "There is no speaker yet: fit one under Start"
      : !state.voice ? "Choose a sound below the stage first" : complaint(form);
    const [isOrder, text] = not ? [false, not]
      : await api.command(order()).then((found) => [true, found.command], (error) => [false, error.message]);
    if (mine !== asked) return; // another view by now
    line.textContent = text;
    line.classList.toggle("error", !isOrder);
    begin.disabled = copying.disabled = !isOrder;
  };
  const show = () => {
    refill(form,
      el("fieldset", {}, el("legend", {}, "View"), el("div", { class: "column", style: "gap:8px" },
        el(
          "label",
          { class: "choice" },
          el(
            "input",
            { type: "radio", name: "path", checked: !wanted.path, onchange: () => { wanted.path = false; show(); } },
          ),
          el("span", {}, "As on the stage ", el("span", { class: "soft" }, `(${viewWords(seen())})`)),
        ),
        el(
          "label",
          { class: "choice" },
          el(
            "input",
            {
              type: "radio",
              name: "path",
              id: "path",
              checked: wanted.path,
              onchange: () => { wanted.path = true; show(); },
            },
          ),
          "Moving along the sound",
        ),
        wanted.path && keys("From", wanted.from, show), wanted.path && keys("To", wanted.to, show))),
      field(
        "Height",
        select(
          [["", "as fitted"], ["256", "256 px"], ["384", "384 px"], ["512", "512 px"], ["768", "768 px"]],
          wanted.size,
          (value) => { wanted.size = value; tell(); },
        ),
      ),
      el(
        "p",
        { class: "small soft" },
        `The rest is as on the stage: ${[state.edit ?? "as filmed", state.background].filter(Boolean).join(", ")}.`,
      ));
    tell();
  };
  refill(panel, el("h2", {}, "Render a video"), form,
    el(
      "div",
      { class: "column", style: "gap:6px" },
      el(
        "div",
        { class: "row spread" },
        el("h3", {}, "The command, in the studio’s folder"),
        copying,
      ),
      line,
    ),
    begin, work, el("hr"), el("h2", {}, "Videos"), made);
  show();
  showWork(work);
  showMade(made);
  return [
    on(
      [
        "yaw",
        "pitch",
        "roll",
        "zoom",
        "edit",
        "detail",
        "strength",
        "background",
        "voice",
        "motion",
        "eyes",
        "project",
      ],
      show,
    ),
    on(["jobs"], () => showWork(work)), on(["home", "project"], () => showMade(made)),
  ];
}

function order() {
  const now = pose(), view = {};
  for (const [key, still] of [["yaw", 0], ["pitch", 0], ["roll", 0], ["zoom", 1]]) {
    if (wanted.path) {
      const [a, b] = [wanted.from[key], wanted.to[key]];
      if (a !== still || b !== still) view[key] = a === b ? a : [a, b];
    } else if (now[key] !== still) view[key] = now[key];
  }
  return {
    kind: "drive", project: state.project, audio: state.voice, ...(Object.keys(view).length && { view }),
    ...(state.edit && { edit: state.edit }),
    ...(state.edit && state.detail !== 0.8 && { detail: state.detail }), ...(
      state.edit && state.strength !== 1 && { strength: state.strength }
    ),
    ...(
      state.background && { background: state.background }
    ), ...(state.motion !== "take" && { motion: state.motion }),
    ...(state.eyes !== null && { eyes: state.eyes }), ...(wanted.size && { size: +wanted.size }),
  };
}

function keys(title, key, show) {
  const number = (name, word, props) => field(
    word,
    el(
      "input",
      {
        type: "number",
        value: key[name],
        style: "width:100%",
        onchange: (event) => { key[name] = +event.target.value; show(); },
        ...bounds("view", name), ...props,
      },
    ),
  );
  return el("div", { class: "keys" }, el(
    "h3",
    {},
    title,
  ), number("yaw", "turn", { step: "any" }), number(
    "pitch",
    "lift",
    { step: "any" },
  ), number(
    "zoom",
    "zoom",
    { step: 0.01 },
  ),
    button(
      "Stage",
      () => { Object.assign(key, pose()); show(); },
      { class: "plain small", title: "Take the view of the stage" },
    ));
}

function showWork(node) {
  const job = state.jobs.findLast((each) => each.kind === "drive" && each.order.project === state.project);
  refill(node, job && isAtWork(job) && el("div", { class: "card" }, progressOf(job)),
    errorOf(job));
}

function showMade(node) {
  const made = (project()?.renders ?? []).filter((each) => each.there && each.video.startsWith("renders/")).reverse();
  const key = JSON.stringify([state.project, made.map((each) => each.sha256)]);
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  refill(node, !made.length && el("p", { class: "soft" }, "None yet. They will lie in the project's renders/."),
    made.map((each) => el("figure", {}, el(
      "video",
      {
        src: api.fileUrl(state.project, each.video),
        controls: true,
        preload: "metadata",
        "data-video": each.video,
        "aria-label": each.video,
      },
    ),
      el(
        "figcaption",
        { class: "small soft" },
        `${each.video} · ${each.audio} · ${each.edit ?? "as filmed"} · ${(each.frames / 25).toFixed(1)} s`,
      ))));
}
