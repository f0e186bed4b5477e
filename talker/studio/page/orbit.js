/** Turning the head: drag, wheel, two fingers, keys. */
import { lookAhead } from "./stage.js";
import { set, state } from "./state.js";

const DEG_PER_PX = 0.22, KEY_DEG = 3, MOST_YAW = 60, MOST_PITCH = 35, ZOOM = [0.5, 3];
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

export function orbit(node, stage, { play }) {
  const fingers = new Map();
  let spread = 0;

  const turn = (yaw, pitch, event) => {
    stage.moved_ms ??= event.timeStamp;
    set({ yaw: clamp(yaw, -MOST_YAW, MOST_YAW), pitch: clamp(pitch, -MOST_PITCH, MOST_PITCH) });
  };
  const zoom = (factor, event) => {
    stage.moved_ms ??= event.timeStamp;
    set({ zoom: clamp(state.zoom * factor, ...ZOOM) });
  };
  const apart = () => {
    const [a, b] = [...fingers.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };

  node.addEventListener("pointerdown", (event) => {
    if (event.target.closest("#divider") || event.button > 0) return;
    node.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    spread = fingers.size === 2 ? apart() : 0;
    node.classList.add("turning");
  });
  node.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger) return;
    const dx = event.clientX - finger.x, dy = event.clientY - finger.y;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (fingers.size === 2) {
      const now = apart();
      if (spread > 0 && now > 0) zoom(now / spread, event);
      spread = now;
    } else if (dx || dy) turn(state.yaw + dx * DEG_PER_PX, state.pitch - dy * DEG_PER_PX, event);
  });
  const leave = (event) => {
    fingers.delete(event.pointerId);
    if (!fingers.size) node.classList.remove("turning");
  };
  node.addEventListener("pointerup", leave);
  node.addEventListener("pointercancel", leave);
  node.addEventListener("dblclick", lookAhead);
  node.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.0012), event);
  }, { passive: false });

  node.addEventListener("keydown", (event) => {
    if (event.target !== node || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = {
      ArrowLeft: () => turn(state.yaw - KEY_DEG, state.pitch, event),
      ArrowRight: () => turn(state.yaw + KEY_DEG, state.pitch, event),
      ArrowUp: () => turn(state.yaw, state.pitch + KEY_DEG, event),
      ArrowDown: () => turn(state.yaw, state.pitch - KEY_DEG, event),
      "+": () => zoom(1.08, event), "=": () => zoom(1.08, event), "-": () => zoom(1 / 1.08, event),
      0: lookAhead, " ": play,
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  });
}

/** The line between original and edit. */
export function divide(divider, frame, canvas) {
  const place = () => {
    const box = canvas.getBoundingClientRect(), outer = frame.getBoundingClientRect();
    divider.style.left = `${box.left - outer.left + box.width * state.divider}px`;
    divider.setAttribute("aria-valuenow", Math.round(100 * state.divider));
  };
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    set({ divider: clamp((event.clientX - box.left) / box.width, 0, 1) });
    place();
  };
  divider.addEventListener("pointerdown", (event) => {
    divider.setPointerCapture(event.pointerId);
    event.stopPropagation();
  });
  divider.addEventListener("pointermove", (event) => divider.hasPointerCapture(event.pointerId) && at(event));
  divider.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -0.05, ArrowRight: 0.05 }[event.key];
    if (!step) return;
    event.preventDefault();
    set({ divider: clamp(state.divider + step, 0, 1) });
    place();
  });
  new ResizeObserver(place).observe(frame);
  return place;
}
