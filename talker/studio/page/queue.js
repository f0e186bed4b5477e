/** The queue: the one job at work, those that wait, those that are over. */
import * as api from "./api.js";
import { button, clock, el, refill, toast } from "./dom.js";
import { isAtWork, on, set, state } from "./state.js";

const WORDS = { waiting: "waits", running: "at work", done: "done", failed: "failed", cancelled: "cancelled" };
const OVER_SHOWN = 12;

/** How far a job is: its task, share, what is left, and the way to end it. */
export function progressOf(job) {
  const left = job.left_s !== null && job.state === "running" ? `${clock(job.left_s)} left` : "";
  const words = job.state === "waiting" ? "waits for the job before it"
    : [job.task, left].filter(Boolean).join(" · ") || "begins";
  return el("div", { class: "column", style: "gap:6px", "data-job": job.number },
    el(
      "div",
      { class: "row spread" },
      el("span", {}, job.title),
      button("Cancel", () => cancel(job.number), { class: "plain small" }),
    ),
    el("progress", { max: 1, value: job.state === "waiting" ? 0 : job.fraction, "aria-label": job.title }),
    el("p", { class: "small soft" }, words, job.note ? `  ${job.note}` : ""));
}

async function cancel(number) {
  try {
    await api.cancel(number);
  } catch (error) { toast(error.message); }
}

async function again(number) {
  try {
    await api.again(number);
  } catch (error) { toast(error.message); }
}

/** Why a job failed, and the way out that its line names where that is a click. */
export function errorOf(job) {
  if (job?.state !== "failed") return null;
  const replace = () => api.order({ ...job.order, force: true }).catch((error) => toast(error.message));
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
    refill(opener, el(
      "span",
      {},
      atWork.length ? `${atWork.length} ${atWork.length === 1 ? "job" : "jobs"}` : "No jobs",
    ),
      running && el("progress", { max: 1, value: running.fraction, "aria-label": running.title }));
    if (node.hidden) return;
    const over = state.jobs.filter((job) => !isAtWork(job)).reverse().slice(0, OVER_SHOWN);
    refill(node, el("h2", {}, "Jobs"),
      !state.jobs.length && el(
        "p",
        { class: "soft" },
        "Nothing yet. What takes long runs here, one after the other.",
      ),
      el("ul", {}, atWork.map((job) => el("li", {}, progressOf(job), command(job))),
        over.map((job) => el("li", {},
          el("div", { class: "row spread" }, el("span", {}, job.title),
            el("span", { class: `small ${job.state === "failed" ? "error" : "soft"}` }, WORDS[job.state])),
          errorOf(job),
          command(job),
          el("div", { class: "row" },
            job.state !== "done" && button(
              job.state === "cancelled" ? "Go on" : "Try again",
              () => again(job.number),
              { class: "plain small" },
            ),
            button("Forget", () => cancel(job.number), { class: "plain small" }))))));
  };
  on(["jobs"], show);
  show();
}

const command = (job) => el(
  "details",
  {},
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

export async function refreshHome() {
  set({ home: await api.home() });
}
