/** The contact sheet of an edit in the making: its frames, round by round, as they come. */
import * as api from "./api.js";
import { button, el, refill } from "./dom.js";
import { isAtWork, set, state } from "./state.js";

const LOOK_EVERY_MS = 1500, SHOWN = 12;

export function showRounds(job) {
  const node = el("div", { class: "rounds" });
  const name = job.edit;
  const look = async () => {
    const now = state.jobs.find((each) => each.number === job.number);
    try {
      draw(node, await api.rounds(job.order.project, name), name);
    } catch { /* the folder is not there yet, or was renamed: the next look will tell */ }
    if (now && isAtWork(now)) setTimeout(() => node.isConnected && look(), LOOK_EVERY_MS);
  };
  setTimeout(look, 0);
  return node;
}

function draw(node, found, name) {
  refill(node, found.rounds.filter((round) => round.number > 0).flatMap((round) => [
    el("h3", {}, `Round ${round.number}: ${round.count} frames`),
    el("div", {}, round.frames.map((url) => el("img", { src: url, alt: "", loading: "lazy" })),
      Array.from({ length: Math.max(0, (round.count ? 0 : SHOWN) - round.frames.length) }, () => el("i"))),
  ]),
  found.finished && found.rounds.length > 0 && state.edit !== name
    && button("Show it on the stage", () => set({ edit: name, pair: true }), { class: "main" }));
}
