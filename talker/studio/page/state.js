/** What is chosen, in one place; whoever shows a part of it listens. What a reload should not lose is kept. */

export const KEPT = [
  "project",
  "edit",
  "yaw",
  "pitch",
  "roll",
  "zoom",
  "detail",
  "strength",
  "eyes",
  "motion",
  "background",
  "voice",
];
export const AHEAD = { yaw: 0, pitch: 0, roll: 0, zoom: 1 };

const fresh = {
  project: null, edit: null, ...AHEAD, detail: 0.8, strength: 1, eyes: null, motion: "take", background: null,
  voice: null, playing: false, live: false, pair: false, divider: 0.5,
  home: null, jobs: [], facts: null, words: null,
};

const listeners = new Set();
export const state = { ...fresh, ...kept() };

function kept() {
  try {
    const found = JSON.parse(sessionStorage.getItem("studio") ?? "{}");
    return Object.fromEntries(KEPT.filter((key) => key in found).map((key) => [key, found[key]]));
  } catch {
    return {};
  }
}

/** The least and the most that a number of an order may be, as its command has it. */
export const bounds = (kind, name) => state.words?.bounds[kind][name];

/** Change something; listeners hear which keys are new. */
export function set(changes) {
  const changed = Object.keys(changes).filter((key) => state[key] !== changes[key]);
  if (!changed.length) return;
  Object.assign(state, changes);
  if (changed.some((key) => KEPT.includes(key))) {
    sessionStorage.setItem("studio", JSON.stringify(Object.fromEntries(KEPT.map((key) => [key, state[key]]))));
  }
  for (const listener of [...listeners]) listener(new Set(changed));
}

/** Call `listener` whenever one of the keys changes; returns how to stop that. */
export function on(keys, listener) {
  const heard = (changed) => keys.some((key) => changed.has(key)) && listener(changed);
  listeners.add(heard);
  return () => listeners.delete(heard);
}

export const project = () => state.home?.projects.find((each) => each.name === state.project) ?? null;
export const isAtWork = (job) => job.state === "running" || job.state === "waiting";
/** The newest job of a kind whose order has these values. */
export const jobOf = (kind, facts) => state.jobs.findLast(
  (job) => job.kind === kind && Object.entries(facts).every(([key, value]) => job.order[key] === value));
