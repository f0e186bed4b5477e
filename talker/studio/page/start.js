/** The beginning: a recording, what the check says of it, and the fit. */
import * as api from "./api.js";
import { button, el, field, refill, select, toast } from "./dom.js";
import { refreshHome } from "./fresh.js";
import { errorOf, progressOf } from "./queue.js";
import { bounds, isAtWork, jobOf, on, set, state } from "./state.js";

let chosen = null; // a video's name
let sending = null; // the share of an upload that has gone
const fitOptions = { size: 256, preset: "auto", audio: "", start: "", end: "", "av-offset": "" };

export const choose = (video) => { chosen = video; };

/** A video from the page: sent, then checked at once. */
export async function takeVideo(file) {
  sending = 0;
  set({ jobs: [...state.jobs] });
  try {
    chosen = await api.upload(file, file.name, (share) => {
      sending = share;
      const bar = document.getElementById("sending");
      if (bar) bar.value = share;
    });
    await refreshHome();
    await api.order({ kind: "check", video: chosen });
  } catch (error) { toast(error.message); } finally {
    sending = null;
    set({ jobs: [...state.jobs] });
  }
}

export function start(panel, { addFile, open }) {
  const left = el("div", { class: "column" }), right = el("div", { class: "column" });
  const halves = el("div", { class: "halves" }, left, right);
  const show = () => {
    if (!state.home) return;
    if (!state.home.videos.includes(chosen)) chosen = state.home.videos[0] ?? null;
    halves.classList.toggle("alone", !chosen);
    showLeft(left, addFile, show, open);
    showRight(right, open);
  };
  refill(panel, el("div", {}, el("h1", {}, "Film somebody talking"),
    el(
      "p",
      { class: "soft" },
      "Head and shoulders, looking at the camera, the camera still, ten seconds to five minutes. "
        + "talker learns how this person looks and speaks.",
    )),
  halves);
  show();
  return [on(["home", "jobs"], show)];
}

function showLeft(node, addFile, show, open) {
  const speaker = jobOf("speaker", {});
  const isRecording = speaker && isAtWork(speaker);
  refill(node,
    el("div", { class: "dropzone" },
      sending === null ? el("p", {}, "Drop a video anywhere on this page") : el("p", {}, "Sending the video…"),
      sending !== null && el("progress", { id: "sending", max: 1, value: sending, "aria-label": "Sending" }),
      el("div", { class: "row" },
        button("Choose a video", () => addFile("video/*"), { class: "main", disabled: sending !== null }),
        button("Take the demo speaker", demo, { disabled: Boolean(isRecording), id: "demo" })),
      el("p", { class: "small soft" }, "Only footage of people who agreed to it. It stays on this machine.")),
    isRecording && progressOf(speaker),
    state.home.videos.length > 0 && el("div", { class: "footage" }, el("h3", {}, "Recordings in this folder"),
      state.home.videos.map((name) => button("", () => { chosen = name; show(); }, {
        "aria-pressed": String(name === chosen), "data-video": name,
      })).map((node, place) => { node.append(...cells(state.home.videos[place])); return node; })),
    state.home.projects.length > 0 && el(
      "div",
      { class: "footage" },
      el("h3", {}, "Projects"),
      state.home.projects.map((each) => projectLine(each, open)),
    ));
}

function projectLine(each, open) {
  if (each.error && !each.fitted) return el(
    "div",
    { class: "card" },
    el("p", {}, each.name),
    el("p", { class: "error small" }, each.error),
  );
  const count = each.edits.length, edits = count === 1 ? "1 edit" : `${count} edits`;
  const node = button("", () => open(each.name), { disabled: !each.fitted, "data-project": each.name });
  node.append(
    el("span", {}, each.name),
    el("span", { class: "soft small" }, each.fitted ? `${edits} · to the stage` : "not fitted yet"),
  );
  if (each.error) return el("div", { class: "card" }, node, el("p", { class: "error small" }, each.error));
  return node;
}

function cells(name) {
  const fitted = state.home.projects.find((each) => each.name === projectOf(name));
  const word = fitted?.fitted ? "fitted" : isBusy("fit", name) ? "fitting…" : isBusy("check", name) ? "checking…"
    : state.home.checks.includes(name) ? "checked" : "";
  return [el("span", {}, name), el("span", { class: "soft small" }, word)];
}

const projectOf = (video) => `${video.replace(/\.[^.]*$/, "")}.talker`;
const isBusy = (kind, video) => { const job = jobOf(kind, { video }); return Boolean(job && isAtWork(job)); };

async function demo() {
  try {
    await api.order({ kind: "speaker", seconds: 20, size: 256 });
  } catch (error) { toast(error.message); }
}

function showRight(node, open) {
  if (!chosen) {
    delete node.dataset.key;
    return refill(node);
  }
  const fit = jobOf("fit", { video: chosen }), check = jobOf("check", { video: chosen });
  const fitted = state.home.projects.find((each) => each.name === projectOf(chosen))?.fitted;
  const isFitting = fit && isAtWork(fit), isChecking = check && isAtWork(check);
  const report = state.home.checks.includes(chosen) && !isChecking;
  const key = JSON.stringify(
    [chosen, report, fitted, fit?.state, fit?.error, check?.state, check?.error, check?.ended_s],
  );
  if (node.dataset.key === key) return update(node, fit, check);
  node.dataset.key = key;
  refill(node,
    el("div", { class: "row spread" }, el("h2", {}, chosen),
      !isChecking && button(report ? "Check again" : "Check", () => act({ kind: "check", video: chosen }))),
    isFitting ? el("div", { class: "card column" }, el("div", { id: "fit-progress" }, progressOf(fit)),
      el(
        "img",
        { class: "growing", id: "growing", alt: "The speaker as the fit shows him or her by now", hidden: true },
      ),
      el(
        "p",
        { class: "small soft" },
        "You may close this page or look at something else; the fit goes on. "
          + "Cancelled, it goes on where it was when you fit again.",
      ))
      : fitted ? el("div", { class: "card row spread" }, el("p", {}, "Fitted: ready for the stage."),
        button("To the stage", () => open(projectOf(chosen)), { class: "main" }))
        : fitCard(check, fit),
    fitted && !isFitting && el(
      "details",
      {},
      el("summary", { class: "small soft" }, "Fit it again, with other options"),
      fitCard(check, fit),
    ),
    errorOf(check),
    isChecking ? el("div", { class: "card", id: "check-progress" }, progressOf(check))
      : report && el(
        "iframe",
        {
          class: "report",
          title: `What the check says of ${chosen}`,
          sandbox: "",
          src: `/api/checks/${encodeURIComponent(chosen)}?v=${check?.ended_s ?? 0}`,
        },
      ));
  update(node, fit, check);
}

/** What changes while a job is at work: nothing else is drawn anew. */
function update(node, fit, check) {
  const bar = node.querySelector("#fit-progress");
  if (bar && fit) refill(bar, progressOf(fit));
  const checking = node.querySelector("#check-progress");
  if (checking && check) refill(checking, progressOf(check));
  const growing = node.querySelector("#growing");
  if (growing && fit?.pictures && growing.dataset.number !== String(fit.pictures)) {
    growing.dataset.number = fit.pictures;
    growing.hidden = false;
    growing.src = `/api/jobs/${fit.number}/picture?v=${fit.pictures}`;
  }
}

function fitCard(check, fit) {
  const number = (key, props) => el(
    "input",
    { type: "number", value: fitOptions[key], oninput: (event) => { fitOptions[key] = event.target.value; },
      ...bounds("fit", key), ...props },
  );
  const send = () => act({
    kind: "fit", video: chosen, size: +fitOptions.size, preset: fitOptions.preset,
    ...(fitOptions.audio && { audio: fitOptions.audio }),
    ...Object.fromEntries(
      ["start", "end", "av-offset"].filter((key) => fitOptions[key] !== "").map((key) => [key, +fitOptions[key]]),
    ),
  });
  return el("div", { class: "card column" },
    el("div", { class: "row" },
      field(
        "Size",
        select(
          [["128", "128 px, a quick look"], ["256", "256 px"], ["384", "384 px"], ["512", "512 px"]],
          String(fitOptions.size),
          (value) => { fitOptions.size = value; },
        ),
      ),
      field("From, s", number("start", { step: 0.1, placeholder: "0", style: "width:80px" })),
      field("To, s", number("end", { step: 0.1, placeholder: "end", style: "width:80px" }))),
    el("details", {}, el(
      "summary",
      { class: "small soft" },
      "More",
    ), el("div", { class: "row", style: "margin-top:8px" },
      field("Sound late by, s", number("av-offset", { step: 0.01, placeholder: "0", style: "width:110px" })),
      field(
        "How much training",
        select(
          [["auto", "as this machine suggests"], ["cpu", "as on a CPU"], ["gpu", "as on a GPU"]],
          fitOptions.preset,
          (value) => { fitOptions.preset = value; },
        ),
      ),
      field(
        "Ear",
        select(
          [
            ["", "visemes"],
            ["mel", "mel: no network"],
            ["wav2vec2", "wav2vec2, from the hub"],
            ["hubert", "HuBERT, from the hub"],
          ],
          fitOptions.audio,
          (value) => { fitOptions.audio = value; },
        ),
      ))),
    errorOf(fit),
    el("div", { class: "row" }, button(
      fit?.state === "cancelled" ? "Go on fitting" : "Fit",
      send,
      { class: "main", id: "fit" },
    ),
      fitTime(check)));
}

function fitTime(check) {
  const found = check?.text?.match(/fitting here\s+(about [^(]+)/);
  return found && el(
    "span",
    { class: "soft" },
    `${found[1].trim().replace(/ at \d+ px$/, "")} on this machine, as checked`,
  );
}

async function act(order) {
  try {
    await api.order(order);
  } catch (error) { toast(error.message); }
}

