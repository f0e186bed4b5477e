/** The page: its sections, what they share, and what happens when something ends or is dropped. */
import * as api from "./api.js";
import { el, refill, toast } from "./dom.js";
import { edit } from "./edit.js";
import { figures } from "./figures.js";
import { keepFresh, refreshAfterRefusal, refreshHome } from "./fresh.js";
import { look } from "./look.js";
import { divide, orbit } from "./orbit.js";
import { queue, watchEnds } from "./queue.js";
import { render } from "./render.js";
import { Socket } from "./socket.js";
import { Stage } from "./stage.js";
import { choose, start, takeVideo } from "./start.js";
import { on, project, set, state } from "./state.js";
import { strip } from "./strip.js";
import { Transport } from "./transport.js";

const SECTIONS = {
  start: ["Start", start],
  stage: ["Stage", look],
  edit: ["Edit", edit],
  render: ["Render", render],
  figures: ["Figures", figures],
};
const WIDE = ["start", "figures"];
const at = (id) => document.getElementById(id);
let isBegun = false; // a sound is chosen for the user once
let leave = []; // what the section at hand listens to

const socket = new Socket({
  frame: (header, blob) => stage.frame(header, blob),
  text: hear,
  up: () => { note(""); stage?.up(); },
  down: () => { note("The studio does not answer; waiting for it…"); set({ live: false }); },
});
const transport = new Transport(at("transport"), at("audio"), socket, addFile);
const stage = new Stage(at("canvas"), socket, transport);
transport.seeked = () => stage.restart();

function hear(message) {
  if (message.jobs) set({ jobs: message.jobs });
  if (message.dropped !== undefined) stage.gone(message.dropped);
  if (message.error) {
    note(message.error);
    refreshAfterRefusal();
    if (message.seq !== null) stage.gone(message.seq);
  }
  if (message.listening) note(
    `Listening; the picture follows ${message.lookahead_s.toFixed(2)} s and its rendering behind`,
  );
}

let fading = 0;
function note(text) {
  at("stage-note").textContent = text;
  clearTimeout(fading);
  if (text) fading = setTimeout(() => { at("stage-note").textContent = ""; }, 6000);
}

// -------------------------------------------------------------------- sections

function section() {
  const wanted = location.hash.slice(2);
  return wanted in SECTIONS ? wanted : project()?.fitted ? "stage" : "start";
}

function showSection() {
  const name = section();
  leave.forEach((stop) => stop());
  at("main").classList.toggle("wide", WIDE.includes(name));
  refill(
    at("tabs"),
    Object.entries(SECTIONS).map(
      ([key, [title]]) => el("a", { href: `#/${key}`, "aria-current": key === name ? "page" : null }, title),
    ),
  );
  at("panel").scrollTop = 0;
  at("board").hidden = true;
  leave = SECTIONS[name][1](at("panel"), { addFile, open: openProject });
  document.title = `${SECTIONS[name][0]} · talker studio`;
}

function openProject(name) {
  set({ project: name, edit: null, pair: false, voice: state.voice ?? state.home.sounds[0] ?? null });
  location.hash = "/stage";
}

// -------------------------------------------------------------------- projects

function showProjects() {
  const fitted = state.home.projects.filter((each) => each.fitted);
  if (!fitted.some((each) => each.name === state.project)) set(
    { project: fitted[0]?.name ?? null, edit: null, pair: false },
  );
  refill(at("project"), fitted.length ? fitted.map(
    (each) => el(
      "option",
      { value: each.name, selected: each.name === state.project },
      each.name.replace(/\.talker$/, ""),
    ),
  )
    : el("option", { value: "" }, "no project yet"));
  at("project").disabled = fitted.length < 2;
  const edits = project()?.edits.filter((each) => each.current).map((each) => each.name) ?? [];
  if (state.edit && !edits.includes(state.edit)) set({ edit: null, pair: false });
  if (!state.voice && !isBegun) set({ voice: state.home.sounds[0] ?? null });
  isBegun = true;
  if (
    state.background && !state.background.startsWith("#") && !state.home.pictures.includes(state.background)
  ) set({ background: null });
}

async function loadSpeaker() {
  const name = state.project;
  set({ facts: null, playing: false, live: false });
  if (!name) return;
  try {
    const facts = await api.speaker(name);
    if (state.project === name) set({ facts });
    stage.ask();
  } catch (error) { note(error.message); }
}

// -------------------------------------------------------------------- files

function addFile(accept) {
  const input = el("input", { type: "file", accept, onchange: () => input.files[0] && take(input.files[0]) });
  input.click();
}

async function take(file) {
  const name = file.name.toLowerCase();
  const [kind] = Object.entries(state.home.kinds).find(([, ends]) => ends.some((end) => name.endsWith(end))) ?? [];
  if (kind === "video") {
    location.hash = "/start";
    return takeVideo(file);
  }
  try {
    const kept = await api.upload(file, file.name); // what is of no kind is refused there
    await refreshHome();
    set(kind === "sound" ? { voice: kept } : { background: kept });
  } catch (error) { toast(error.message); }
}

function listenForDrops() {
  let depth = 0;
  const show = (is) => { at("drop").hidden = !is; };
  addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; show(true); });
  addEventListener("dragleave", () => { depth -= 1; show(depth > 0); });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    show(false);
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
}

/** A job is over: what it made is there now. */
async function ended(job) {
  if (job.state === "failed") toast(job.error);
  await refreshHome();
  if (job.state !== "done") return;
  if (job.kind === "speaker") {
    choose(job.command.split(" ")[2]);
    await api.order({ kind: "check", video: job.command.split(" ")[2] }).catch((error) => toast(error.message));
  } else if (
    job.kind === "edit" && job.order.project === state.project && project().edits.some(
      (each) => each.name === job.edit,
    )
  ) {
    set({ edit: job.edit });
    toast(`The edit ${job.edit} is on the stage`);
  } else if (job.kind === "fit") toast(`${job.order.video} is fitted`);
}

// -------------------------------------------------------------------- the beginning

function reading() {
  const isMoving = state.playing || state.live;
  const rate = isMoving ? `${stage.rate_hz.toFixed(0)} frames/s` : "";
  const share = stage.shown?.header.width / (state.facts?.size_px[0] ?? 1);
  at("reading").textContent = [
    rate,
    isMoving && share < 0.99 ? `${stage.shown.header.width} px` : "",
  ].filter(Boolean).join(" · ");
}

async function begin() {
  listenForDrops();
  orbit(at("frame"), stage, { play: () => transport.toggle() });
  const place = divide(at("divider"), at("frame"), at("canvas"));
  strip(at("strip"));
  queue(at("queue"), at("queue-button"));
  watchEnds((job) => ended(job).catch((error) => toast(error.message)));
  on(["pair", "edit"], () => { at("divider").hidden = !(state.pair && state.edit); place(); });
  on(["home"], showProjects);
  on(["project"], loadSpeaker);
  at("project").addEventListener("change", () => set({ project: at("project").value, edit: null, pair: false }));
  addEventListener("hashchange", showSection);
  setInterval(reading, 250);
  window.studio = { state, set, stage, transport }; // for tests, the benchmark and the curious
  try {
    const [home, words] = await Promise.all([api.home(), api.words()]);
    const before = state.project;
    set({ words, jobs: home.jobs, home });
    if (state.project && state.project === before) await loadSpeaker();
  } catch (error) { toast(error.message); }
  showSection();
  keepFresh();
}

begin();
