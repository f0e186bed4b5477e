/** What there is in the folder, kept up to date: another tab, or the command line, changes it, too. */
import * as api from "./api.js";
import { set, state } from "./state.js";

const EVERY_MS = 10_000, AFTER_A_REFUSAL_MS = 2_000;
let asked_ms = -Infinity;
const facts = ({ jobs, ...rest } = {}) => JSON.stringify(rest); // jobs come by the socket

export async function refreshHome() {
  asked_ms = performance.now();
  const home = await api.home();
  if (facts(home) !== facts(state.home ?? {})) set({ home }); // else what a user is typing in stays as it is
}

/** The studio does not know what the page asked for: it may be gone, or have another name. */
export function refreshAfterRefusal() {
  if (performance.now() - asked_ms > AFTER_A_REFUSAL_MS) refresh();
}

export function keepFresh() {
  const look = () => { if (document.visibilityState === "visible") refresh(); };
  addEventListener("focus", look);
  document.addEventListener("visibilitychange", look);
  setInterval(look, EVERY_MS);
}

const refresh = () => refreshHome().catch(() => {}); // the socket tells that the studio is away
