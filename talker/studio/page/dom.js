/** Elements in one line, and a few that the panels share. */

/** An element: el("button", { type: "button", onclick }, "Text", child). Values that are null or false are left out. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name in node && !name.startsWith("aria") && name !== "list") node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

export const button = (text, onclick, props = {}) => el("button", { type: "button", onclick, ...props }, text);

export const field = (label, control) => el("label", { class: "field" }, el("span", {}, label), control);

/** A slider that says its value; `shown` makes words of it. */
export function slider(label, { min, max, step, value, shown = (x) => x.toFixed(2), disabled = false }, oninput) {
  const output = el("output", {}, shown(value));
  const input = el("input", {
    type: "range", min, max, step, value, disabled, "aria-label": label,
    oninput: () => { output.textContent = shown(+input.value); oninput(+input.value); },
  });
  const node = el("label", { class: "slider" }, el("span", {}, label), output, input);
  node.set = (next) => { input.value = next; output.textContent = shown(next); };
  return node;
}

export function select(choices, value, onchange, props = {}) {
  const node = el("select", { onchange: () => onchange(node.value), ...props });
  for (const [key, text] of choices) node.append(el("option", { value: key, selected: key === value }, text));
  return node;
}

/** "1:05", or "8 s" where a minute is far. */
export function clock(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const rest = String(whole % 60).padStart(2, "0");
  return whole < 3600 ? `${Math.floor(whole / 60)}:${rest}`
    : `${Math.floor(whole / 3600)}:${String(Math.floor(whole / 60) % 60).padStart(2, "0")}:${rest}`;
}

/** A view in words: { yaw: 20 } is "turn 20°", and { zoom: [1, 2] } "zoom 1 to 2". */
export const viewWords = (view) => [["yaw", "turn", "°"], ["pitch", "lift", "°"], ["roll", "tilt", "°"], ["zoom", "zoom", ""]]
  .filter(([key]) => view[key] !== undefined)
  .map(([key, word, unit]) => `${word} ${[view[key]].flat().map((value) => `${value}${unit}`).join(" to ")}`)
  .join(", ");

/** What is wrong with the first number of a form that cannot be meant; null where there is none. */
export function complaint(node) {
  const input = node.querySelector("input:invalid");
  if (!input) return null;
  const { min, max, step } = input, isWhole = step === "" || step === "1";
  const label = input.closest("label").querySelector("span").textContent;
  return `${label}: a ${isWhole ? "whole " : ""}number ${max ? `from ${min} to ${max}` : `of at least ${min}`}`;
}

let fading = 0;
addEventListener("hashchange", () => { document.getElementById("toast").hidden = true; });

/** One line for a moment, at the foot of the page; another section takes it away. */
export function toast(text) {
  const node = document.getElementById("toast");
  node.textContent = text;
  node.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => { node.hidden = true; }, 9000);
}

/** Replace what is in a node unless it would be the same: focus and scrolling stay. */
export function refill(node, ...children) {
  node.replaceChildren(...children.flat().filter(Boolean));
}
