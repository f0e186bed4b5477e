/** The strip of edits: a click, or the arrow keys, show one at once. */
import * as api from "./api.js";
import { el, refill } from "./dom.js";
import { on, project, set, state } from "./state.js";

export function strip(node) {
  const choose = (name) => set({ edit: name, pair: name ? state.pair : false });

  const show = () => {
    const found = project();
    if (!found?.fitted) return refill(node);
    const choices = [{ name: null, current: true, finished: found.name }, ...found.edits];
    refill(node, choices.map((edit) => el("button", {
      type: "button", role: "option", "aria-selected": String(state.edit === edit.name),
      tabIndex: state.edit === edit.name ? 0 : -1, class: edit.current ? "" : "stale", disabled: !edit.current,
      title: edit.name ? `${edit.instruction}${edit.current ? "" : " (of an earlier fit: make it again)"}`
        : "As filmed",
      "data-edit": edit.name ?? "", onclick: () => choose(edit.name),
    },
    edit.current ? el(
      "img",
      {
        alt: "",
        width: 74,
        height: 74,
        loading: "lazy",
        src: api.thumbnailUrl(found.name, edit.name, edit.finished),
      },
    ) : el("img", { alt: "" }),
    el("span", {}, edit.name ?? "as filmed"))));
  };

  node.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...node.querySelectorAll("button:not(:disabled)")];
    const next = buttons[buttons.indexOf(document.activeElement) + step];
    if (next) {
      choose(next.dataset.edit || null);
      node.querySelector('[aria-selected="true"]')?.focus();
    }
  });
  let known = "";
  on(["home", "project", "edit"], () => {
    const now = JSON.stringify(
      [state.project, project()?.fitted, project()?.edits.map((edit) => [edit.name, edit.finished, edit.current])],
    );
    if (now !== known) { known = now; show(); }
    for (const each of node.children) {
      const is = (each.dataset.edit || null) === state.edit;
      each.setAttribute("aria-selected", String(is));
      each.tabIndex = is ? 0 : -1;
    }
  });
}
