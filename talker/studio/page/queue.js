/** The queue: the one job at work, those that wait, those that are over. */
import * as api from "./api.js";
import { button, clock, el, refill, toast, viewWords } from "./dom.js";
import { isAtWork, on, state } from "./state.js";

const WORDS = { waiting: "waits", running: "at work", done: "done", failed: "failed", cancelled: "cancelled" };
const OVER_SHOWN = 12;
const SEEN = "studio-seen"; // when the last failure ended that the user has looked at
const opened = new Set(); // numbers of jobs whose command is shown

/** What tells a job from the others: the edit's name, the view. */
function titleOf(job) {
  const { instruction, audio, edit, view = {} } = job.order;
  if (job.kind === "edit") return `Edit ${job.edit}: “${instruction}”`;
  if (job.kind !== "drive") return job.title;
  return [`Render ${audio}`, edit ?? "as filmed", viewWords(view)].filter(Boolean).join(" · ");
}

/** How far a job is: its task, share, what is left, and the way to end it. */
export function progressOf(job) {
  const left = job.left_s !== null && job.state === "running" ? `${clock(job.left_s)} left` : "";
  const words = job.state === "waiting" ? "waits for the job before it"
    : [job.task, left].filter(Boolean).join(" · ") || "begins";
  return el("div", { class: "column", style: "gap:6px", "data-job": job.number },
    el(
      "div",
      { class: "row spread" },
      el("span", {}, titleOf(job)),
      button("Cancel", () => cancel(job.number), { class: "plain small" }),
    ),
    el("progress", { max: 1, value: job.state === "waiting" ? 0 : job.fraction, "aria-label": titleOf(job) }),
    el("p", { class: "small soft" }, words, job.note ? `  ${job.note}` : ""));
}

async function cancel(number) {
  try {
    await api.cancel(number);
  } catch (error) { toast(error.message); }
}

/** The same once more, in the place of the one that is over. */
async function again(job, ask = () => api.again(job.number)) {
  try {
    const next = await ask();
    if (next.number !== job.number) await api.cancel(job.number);
  } catch (error) { toast(error.message); }
}

async function clear() {
  for (const job of state.jobs.filter((each) => !isAtWork(each))) await cancel(job.number);
}

/** Why a job failed, and the way out that its line names where that is a click. */
export function errorOf(job) {
  if (job?.state !== "failed") return null;
  const replace = () => again(job, () => api.order({ ...job.order, force: true }));
  return el("div", { class: "column", style: "gap:6px" }, el("p", { class: "error", role: "alert" }, job.error),
    job.error.includes("--force") && !job.order.force && el("div", {}, button("Make it anew (--force)", replace)));
}

export function queue(node, opener) {
  opener.addEventListener("click", () => {
    node.hidden = !node.hidden;
    opener.setAttribute("aria-expanded", String(!node.hidden));
    show();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !node.hidden) {
      node.hidden = true;
      opener.setAttribute("aria-expanded", "false");
      opener.focus();
    }
  });

  const show = () => {
    const atWork = state.jobs.filter(isAtWork), running = atWork.find((job) => job.state === "running");
    const failures = state.jobs.filter((job) => job.state === "failed").map((job) => job.ended_s);
    if (!node.hidden && failures.length) localStorage.setItem(SEEN, Math.max(...failures));
    const unseen = failures.filter((ended_s) => ended_s > +localStorage.getItem(SEEN)).length;
    const told = atWork.length ? `${atWork.length} ${atWork.length === 1 ? "job" : "jobs"}` : !unseen && "No jobs";
    refill(
      opener,
      el("span", {}, told, told && unseen > 0 && " · ", unseen > 0 && el("span", { class: "error" }, `${unseen} failed`)),
      running && el("progress", { max: 1, value: running.fraction, "aria-label": titleOf(running) }),
    );
    if (node.hidden) return;
    const over = state.jobs.filter((job) => !isAtWork(job)).reverse().slice(0, OVER_SHOWN);
    refill(node, el("div", { class: "row spread" }, el("h2", {}, "Jobs"),
      over.length > 0 && button("Clear finished", clear, { class: "plain small" })),
      !state.jobs.length && el(
        "p",
        { class: "soft" },
        "Nothing yet. What takes long runs here, one after the other.",
      ),
      el("ul", {}, atWork.map((job) => el("li", {}, progressOf(job), command(job))),
        over.map((job) => el("li", {},
          el("div", { class: "row spread" }, el("span", {}, titleOf(job)),
            el("span", { class: `small ${job.state === "failed" ? "error" : "soft"}` }, WORDS[job.state])),
          errorOf(job),
          command(job),
          el("div", { class: "row" },
            job.state !== "done" && button(
              job.state === "cancelled" ? "Go on" : "Try again",
              () => again(job),
              { class: "plain small" },
            ),
            button("Forget", () => cancel(job.number), { class: "plain small" }))))));
  };
  on(["jobs"], show);
  show();
}

const command = (job) => el(
  "details",
  {
    open: opened.has(job.number),
    ontoggle: (event) => opened[event.target.open ? "add" : "delete"](job.number),
  },
  el("summary", { class: "small soft" }, "The command"),
  el("code", { class: "command" }, job.command),
);

/** Tell what a job came to when it ends: `ended` hears the job. */
export function watchEnds(ended) {
  let before = new Map();
  on(["jobs"], () => {
    const now = new Map(state.jobs.map((job) => [job.number, job.state]));
    for (const job of state.jobs) {
      const was = before.get(job.number);
      if (was && was !== job.state && !isAtWork(job)) ended(job);
    }
    before = now;
  });
}
