/** Making an edit: say it, see it on three frames, choose a cell, train. */
import * as api from "./api.js";
import { button, complaint, el, field, refill, select, toast } from "./dom.js";
import { errorOf, progressOf } from "./queue.js";
import { showRounds } from "./rounds.js";
import { bounds, isAtWork, on, project, set, state } from "./state.js";
import { suggest } from "./suggest.js";

const GUIDANCES = [3, 4.5, 6], STEPS = [10, 20];
const KEPT = "studio-edit";
const HOW = ["name", "strategy", "rounds", "frames", "seed", "training-steps"]; // of the training alone
const wanted = {
  instruction: "",
  only: [],
  keep: [],
  from: "",
  editor: "auto",
  model: "",
  ...kept(),
  how: {},
  cell: null,
  preview: null,
  isUnderstood: null, // null: not known yet
};
let asking = 0;

/** What a reload should not lose. */
function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  } catch {
    return {};
  }
}

export function edit(panel) {
  const said = el("p", { class: "small", role: "status" });
  const box = el("textarea", {
    value: wanted.instruction, placeholder: "Say what to make of the speaker: “turn into a bronze statue”", rows: 2,
      maxLength: 600,
    "aria-label": "Instruction", id: "instruction", oninput: () => {
      wanted.instruction = box.value.replace(/\s+/g, " ");
      forget();
      listen();
    },
  });
  const result = el("div", { class: "column" }), chips = el("div", {}), from = el("div", {});

  const forget = () => {
    wanted.cell = wanted.preview = null;
    const { instruction, only, keep, from, editor, model } = wanted;
    sessionStorage.setItem(KEPT, JSON.stringify({ instruction, only, keep, from, editor, model }));
    closeBoard();
    show();
  };
  const listen = () => {
    clearTimeout(asking);
    wanted.isUnderstood = null;
    show();
    const mine = asking = setTimeout(async () => {
      const instruction = wanted.instruction.trim();
      const [isUnderstood, text] = !instruction ? [false, ""]
        : await api.understand({ instruction, editor: wanted.editor, ...limits() }).then(
          (found) => [true, found.understood],
          (error) => [false, error.message],
        );
      if (mine !== asking) return; // other words by now
      said.className = `small ${isUnderstood ? "soft" : "error"}`;
      said.textContent = text;
      wanted.isUnderstood = isUnderstood;
      show();
    }, 250);
  };

  const say = (text) => {
    box.value = wanted.instruction = text;
    forget();
    listen();
    offer();
    box.focus();
  };
  const show = () => showResult(result, panel);
  const offer = () => suggest(chips, say, !wanted.instruction);
  const showBase = () => base(from, forget);
  refill(panel, el("h2", {}, "Edit by instruction"), box, said, result,
    regions(() => { forget(); listen(); }), from, editors(() => { forget(); listen(); }, show), chips);
  showBase();
  offer();
  listen();
  return [on(["jobs", "home", "project"], show), on(["home", "project"], showBase), on(["words"], offer)];
}

const limits = () => ({ only: wanted.only, keep: wanted.keep });
const order = () => ({
  project: state.project, instruction: wanted.instruction.trim(), ...limits(), ...(
    wanted.from && { from: wanted.from }
  ),
  ...(wanted.editor !== "auto" && { editor: wanted.editor }),
  ...(chosenEditor()?.model && wanted.model && { model: wanted.model }),
});

/** What the editor that is named says of itself; undefined where whoever knows the words edits. */
const chosenEditor = () => (state.words?.editors ?? []).find((each) => each.name === wanted.editor);

function regions(changed) {
  const ticks = (title, key) => el("fieldset", {}, el("legend", {}, title), el("div", { class: "ticks" },
    (state.words?.parts ?? []).map((part) => el("label", {}, el("input", {
      type: "checkbox", checked: wanted[key].includes(part), onchange: (event) => {
        wanted[key] = wanted[key].filter((each) => each !== part).concat(event.target.checked ? part : []);
        changed();
      },
    }), part))));
  return el("details", { open: wanted.only.length + wanted.keep.length > 0 }, el(
    "summary",
    { class: "small soft" },
    "Only a part of the picture",
  ),
    el(
      "div",
      { class: "column", style: "margin-top:8px" },
      el("p", { class: "small soft" }, state.words?.coverage),
      ticks("Edit only", "only"),
      ticks("Keep as it is", "keep"),
    ));
}

function base(node, changed) {
  const names = (project()?.edits ?? []).filter((each) => each.current).map((each) => each.name);
  if (wanted.from && !names.includes(wanted.from)) { wanted.from = ""; changed(); }
  const key = JSON.stringify(names);
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  refill(node, names.length > 0 && field(
    "Build on",
    select(
      [["", "the speaker as filmed"], ...names.map((each) => [each, each])],
      wanted.from,
      (value) => { wanted.from = value; changed(); },
    ),
  ));
}

function editors(changed, show) {
  const model = el(
    "input",
    {
      type: "text",
      value: wanted.model,
      onchange: () => { wanted.model = model.value.trim(); changed(); },
    },
  );
  const models = field("Its model, the hub’s name", model);
  const showModel = () => {
    models.hidden = !chosenEditor()?.model;
    model.placeholder = chosenEditor()?.model ?? "";
  };
  showModel();
  const number = (key, props) => field(key.replace("-", " "), el("input", {
    type: "number", value: wanted.how[key] ?? "", style: "width:86px", oninput: (event) => {
      wanted.how[key] = event.target.value === "" ? undefined : +event.target.value;
      show();
    },
    ...bounds("edit", key), ...props,
  }));
  const name = el(
    "input",
    {
      type: "text",
      value: wanted.how.name ?? "",
      placeholder: "from the instruction",
      maxLength: 64,
      oninput: () => { wanted.how.name = name.value.trim() || undefined; },
    },
  );
  return el("details", {}, el(
    "summary",
    { class: "small soft" },
    "Name, editor and training",
  ), el("div", { class: "column", style: "margin-top:8px" },
    field("Name", name),
    field(
      "Who edits",
      select(
        [["auto", "whoever knows the words"], ...(state.words?.editors ?? []).map(({ name, label }) => [name, label])],
        wanted.editor,
        (value) => { wanted.editor = value; showModel(); changed(); },
      ),
    ),
    models,
    field(
      "In which order",
      select(
        [["", "rounds of rising strength"], ["once", "everything at once"], ["iterative", "one image at a time"]],
        wanted.how.strategy ?? "",
        (value) => { wanted.how.strategy = value || undefined; },
      ),
    ),
    el(
      "div",
      { class: "row" },
      number("rounds", { placeholder: "3" }),
      number("frames", { placeholder: "200" }),
      number("seed", { placeholder: "0" }),
    )));
}

// -------------------------------------------------------------------- preview, training

const same = (job) => job && job.order.instruction === wanted.instruction.trim()
  && job.order.project === state.project
  && JSON.stringify(job.order.only ?? []) === JSON.stringify(wanted.only)
    && JSON.stringify(job.order.keep ?? []) === JSON.stringify(wanted.keep)
  && (job.order.from ?? "") === wanted.from;

/** Why nothing can be asked for now, "" where that is plain to see; null where it can. */
function whyNot() {
  if (!state.project) return "There is no speaker yet: fit one under Start";
  if (!wanted.instruction.trim()) return "First say what to make of the speaker";
  return wanted.isUnderstood === null ? ""
    : wanted.isUnderstood ? null : "Say it otherwise, or choose another editor below, under Name, editor and training";
}

function showResult(node, panel = node.parentElement) {
  const previewing = state.jobs.findLast((job) => job.kind === "preview" && same(job));
  const edits = state.jobs.filter((job) => job.kind === "edit" && job.order.project === state.project);
  const training = edits.findLast(same) ?? edits.findLast(isAtWork);
  const isAsked = edits.some((job) => isAtWork(job) && JSON.stringify(job.order) === JSON.stringify(trainingOrder()));
  const not = whyNot();
  const notTraining = not ?? complaint(panel) ?? (isAsked ? "This edit is in the queue already" : null);
  const waits = notTraining === null && state.jobs.some(isAtWork) && "What you ask for now waits for the job at work";
  if (previewing?.state === "done" && !wanted.preview) loadPreview(node, previewing);
  const busy = previewing && isAtWork(previewing);
  const key = JSON.stringify(
    [state.project, previewing?.state, previewing?.error, training?.state, training?.number, wanted,
      not, notTraining, waits],
  );
  const progress = node.querySelector(".at-work");
  if (node.dataset.key === key && progress) {
    const job = [previewing, training].find((each) => each && each.number === +progress.dataset.number);
    if (job) refill(progress, progressOf(job));
    return;
  }
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  refill(node,
    el("div", { class: "row" },
      button(
        "Preview",
        preview,
        { disabled: busy || not !== null, id: "preview", class: wanted.preview ? "" : "main" },
      ),
      button(
        "Train",
        train,
        { class: wanted.preview ? "main" : "", disabled: notTraining !== null, id: "train" },
      ),
      wanted.preview?.picture && button("Show the preview", () => openBoard(node), { class: "plain" })),
    (notTraining || waits) && el("p", { class: "soft small", id: "why-not" }, notTraining || waits),
    wanted.cell && el(
      "p",
      { class: "soft small" },
      `Ends like the picture that you chose: guidance ${wanted.cell[0]}`,
    ),
    busy && el("div", { class: "card at-work", "data-number": previewing.number }, progressOf(previewing)),
    errorOf(previewing),
    training && isAtWork(training) && el(
      "div",
      { class: "card at-work", "data-number": training.number },
      progressOf(training),
    ),
    errorOf(training),
    training && (isAtWork(training) || training.state === "done") && showRounds(training));
}

async function preview() {
  wanted.opens = true;
  try {
    await api.order(
      { kind: "preview", ...order(), "text-guidance": GUIDANCES, ...(chosenEditor()?.uses_steps && { steps: STEPS }) },
    );
  } catch (error) { toast(error.message); }
}

async function loadPreview(node, job) {
  const name = project()?.previews.find((each) => job.text.includes(`/previews/${each.replace(/json$/, "png")}`));
  if (!name) return; // the folder is looked through again when a job ends
  wanted.preview = {};
  try {
    wanted.preview = await api.preview(state.project, name);
    if (wanted.opens) openBoard(node);
  } catch (error) { toast(error.message); }
  showResult(node);
}

function openBoard(node) {
  const board = document.getElementById("board");
  board.hidden = false;
  refill(board, el("div", { class: "row spread" },
    el(
      "p",
      {},
      `“${wanted.preview.instruction}”: click on the strength that the edit shall end with.`,
    ), button("Back to the stage", closeBoard)),
  grid(wanted.preview, node));
}

function closeBoard() { document.getElementById("board").hidden = true; }

/** The contact sheet, with a button over each edited picture; a click chooses its column's guidance and steps. */
function grid(found, node) {
  const cells = found.cells.flatMap((row, line) => row.slice(1).map(([x, y, width, height], column) => {
    const [guidance, steps] = found.columns[column];
    const isChosen = wanted.cell && wanted.cell[0] === guidance && wanted.cell[1] === steps;
    return el("button", {
      type: "button", "aria-pressed": String(Boolean(isChosen)),
        "aria-label": `${found.rows[line]}, guidance ${guidance}`,
      style: `left:${100 * x}%;top:${100 * y}%;width:${100 * width}%;height:${100 * height}%`,
        "data-guidance": guidance,
      onclick: () => { wanted.cell = [guidance, steps]; openBoard(node); showResult(node); },
    });
  }));
  return el(
    "div",
    { class: "grid" },
    el("img", { src: found.picture, alt: `${found.instruction}: original and edits of rising strength` }),
    cells,
  );
}

function trainingOrder() {
  const [guidance, steps] = wanted.cell ?? [];
  return {
    kind: "edit", ...order(), ...Object.fromEntries(
      HOW.filter((key) => wanted.how[key] !== undefined).map((key) => [key, wanted.how[key]]),
    ),
    ...(guidance && { "text-guidance": [Math.min(3, guidance), guidance] }),
    ...(guidance && chosenEditor()?.uses_steps && { steps: [Math.min(10, steps), steps] }),
  };
}

async function train() {
  try {
    const job = await api.order(trainingOrder());
    set({ jobs: [...state.jobs.filter((each) => each.number !== job.number), job] });
  } catch (error) { toast(error.message); }
}
