/** For people who want to know: the evaluations' tables and plots. */
import * as api from "./api.js";
import { button, el, refill, toast } from "./dom.js";
import { errorOf, progressOf } from "./queue.js";
import { isAtWork, on, project, state } from "./state.js";

export function figures(panel) {
  const work = el("div", {}), found = el("div", { class: "column", style: "gap:36px" });
  const measure = async (edit) => {
    try {
      await api.order({ kind: "eval", project: state.project, ...(edit && { edit }) });
    } catch (error) { toast(error.message); }
  };
  const head = el("div", { class: "column" });
  const begin = () => {
    const now = project();
    const todo = now?.fitted ? [
      null,
      ...now.edits.filter((each) => each.current).map((each) => each.name),
    ].filter((name) => !now.evaluated.includes(name ?? "field")) : [];
    refill(head, el("h1", {}, "Figures"),
      el("p", { class: "soft" }, now?.fitted ? fitLine(now) : "A fitted project has figures."),
      el(
        "div",
        { class: "row" },
        todo.map((name) => button(name ? `Measure ${name}` : "Measure the speaker", () => measure(name))),
      ));
  };
  const load = async () => {
    begin();
    if (!project()?.fitted) return refill(found);
    try {
      show(found, await api.figures(state.project));
    } catch (error) { refill(found, el("p", { class: "error" }, error.message)); }
  };
  const follow = () => {
    const job = state.jobs.findLast((each) => each.kind === "eval" && each.order.project === state.project);
    refill(work, job && isAtWork(job) && el("div", { class: "card" }, progressOf(job)), errorOf(job));
  };
  refill(panel, head, work, found);
  load();
  follow();
  return [on(["jobs"], follow), on(["project", "home"], load)];
}

function fitLine({ measured }) {
  const { field, take } = measured;
  const [fitted, without] = [field.head_psnr_db, field.null_psnr_db].map((value) => value?.toFixed(1) ?? "unknown");
  return `${take.seconds.toFixed(1)} s of footage at ${take.size_px[0]} px. On frames that the fit never saw, `
    + `the head has a PSNR of ${fitted} dB; without a field it would have ${without}.`;
}

function show(node, evaluations) {
  refill(node, evaluations.map(({ name, frames, rows, left_out, plot, sheet }) => el("section", { class: "column" },
    el("h2", {}, name === "field" ? "The speaker as fitted" : name), el(
      "p",
      { class: "soft small" },
      `${frames} held-out frames, ${(frames / 25).toFixed(1)} s`,
    ),
    el("div", { class: "table" }, el("table", { class: "figures" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          ["Figure", "Value", "Better", "Beside it", "Source"].map((word) => el("th", { scope: "col" }, word)),
        ),
      ),
      el("tbody", {}, rows.map((row) => el("tr", {}, row.map((cell) => el("td", {}, cell))))))),
    Object.entries(left_out).map(([what, why]) => el("p", { class: "small soft" }, `Left out: ${what}: ${why}`)),
    el(
      "div",
      { class: "pictures column" },
      el("img", { src: plot, alt: "The figures over time", loading: "lazy" }),
      el("h3", {}, "The worst frames by each fault"),
      el("img", { src: sheet, alt: "The worst frames", loading: "lazy" }),
    ))));
}
