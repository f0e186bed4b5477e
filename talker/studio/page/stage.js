/**
 * The stage: asks for frames, shows them. While a voice plays, the sound's clock is the master: frames are asked for as
 * far ahead as they take to come, held until their time, and skipped where the machine is too slow. Otherwise a frame
 * is asked for whenever something changes, never more than one at a time.
 *
 * `metrics` is for tests and the benchmark: lists of milliseconds, and when the first frame was on the screen.
 */
import { Pace } from "./pace.js";
import { AHEAD, KEPT, on, set, state } from "./state.js";

const FPS = 25, AT_ONCE = 3, EVENLY = 0.8, SETTLED_MS = 220, LOST_MS = 15000, LISTS = 4000;
const JUDGED_S = 0.7, LATE_MS = 60; // how often the pace is judged, and what counts as behind the sound
const SHOWN = [...KEPT, "pair"]; // a change of any of these asks for a new picture

export class Stage {
  constructor(canvas, socket, clock) {
    Object.assign(this, { canvas, socket, clock });
    this.context = canvas.getContext("2d");
    this.pace = new Pace();
    this.asked = new Map(); // seq -> { sent_ms, moved_ms, switched_ms }: when it was sent, and what it answers
    this.held = []; // frames that wait for their time, by index
    this.seq = 0;
    this.latency_ms = 120; // of frames, and how much it varies
    this.spread_ms = 30;
    this.asked_ms = 0;
    this.lastAsked = this.lastShown = -1;
    this.shown = null; // the last frame: { header, picture }
    this.moved_ms = this.switched_ms = null; // when the drag, or the choice, began that no frame shows yet
    this.times = []; // when frames of a voice were shown, this last second
    this.metrics = { first_ms: null, orbit_ms: [], skew_ms: [], switch_ms: [], shown: 0, share: 1 };
    on(SHOWN, (changed) => this.changed(changed));
    on(["playing", "live"], () => this.restart());
    on(["divider"], () => this.draw());
    requestAnimationFrame(() => this.turn());
  }

  /** Something else is to be seen; `changed`: which keys of the state. */
  changed(changed) {
    if (changed.has("edit") || changed.has("project")) this.switched_ms = performance.now();
    this.isDirty = true;
    this.settle();
    this.ask();
  }

  restart() {
    this.held.forEach((frame) => frame.picture.close());
    this.held = [];
    this.lastAsked = this.lastShown = -1;
    this.times = [];
    this.judged_s = performance.now() / 1000;
    this.drawings = this.late = 0;
    this.isDirty = true;
    this.ask();
  }

  up() {
    this.asked.clear();
    this.restart();
  }

  /** After a drag, once in full size. */
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => { this.isDirty = this.isSettled = true; this.ask(); }, SETTLED_MS);
  }

  get isMoving() { return state.playing || state.live; }

  // ------------------------------------------------------------------ asking

  ask() {
    if (!this.socket.isUp || !state.project || !state.facts) return;
    for (const [seq, { sent_ms }] of this.asked) if (performance.now() - sent_ms > LOST_MS) this.asked.delete(seq);
    if (this.isMoving) {
      const atOnce = state.live ? 2 : AT_ONCE;
      while (this.asked.size < atOnce && this.askNext());
    } else if (this.isDirty && this.asked.size === 0) {
      const isWhole = this.isSettled || this.pace.turning.share === 1;
      this.isDirty = this.isSettled = false;
      this.send(this.clock.index(), isWhole ? 1 : this.pace.turning.share);
    }
  }

  askNext() {
    if (state.live) return this.send(0, this.pace.playing.share);
    const ahead_s = (this.latency_ms + 2 * this.spread_ms) / 1000; // most frames are here before their time
    const soonest = Math.floor((this.clock.now_s() + ahead_s) * FPS) + 1;
    const index = Math.max(this.lastAsked + 1, soonest);
    if (index > soonest + FPS / 4 || index >= this.clock.frames()) return false; // far enough ahead
    // Evenly in time, and not as often as there is room: otherwise frames come in threes, with gaps between.
    const now_ms = performance.now();
    if (now_ms - this.asked_ms < (EVENLY * this.latency_ms) / AT_ONCE) return false;
    this.asked_ms = now_ms;
    this.lastAsked = index;
    return this.send(index, this.pace.playing.share);
  }

  send(index, share) {
    const { project, edit, yaw, pitch, roll, zoom, detail, strength, eyes, motion, background, voice, pair } = state;
    const request = {
      project,
      edit,
      yaw,
      pitch,
      roll,
      zoom,
      detail,
      strength,
      eyes,
      motion,
      background,
      voice,
      pair,
      index,
      share,
    };
    request.playing = this.isMoving;
    if (state.live) request.voice = "live";
    if (!edit) { request.strength = 1; request.pair = false; }
    const seq = ++this.seq;
    if (!this.socket.send({ seq, request })) return false;
    const { moved_ms, switched_ms } = this;
    this.asked.set(seq, { sent_ms: performance.now(), moved_ms, switched_ms });
    this.moved_ms = this.switched_ms = null;
    return true;
  }

  // ------------------------------------------------------------------ taking

  async frame(header, blob) {
    const asked = this.asked.get(header.seq);
    const picture = await createImageBitmap(blob);
    this.asked.delete(header.seq);
    if (!asked) { picture.close(); return; }
    const off_ms = performance.now() - asked.sent_ms - this.latency_ms;
    this.latency_ms += 0.1 * off_ms;
    this.spread_ms += 0.1 * (Math.abs(off_ms) - this.spread_ms);
    const frame = { header, picture, asked };
    if (state.playing && !state.live) {
      this.held.push(frame);
      this.held.sort((a, b) => a.header.index - b.header.index);
    } else {
      this.show(frame);
      if (state.live) this.count();
    }
    this.ask();
  }

  gone(seq) { this.asked.delete(seq); this.ask(); }

  /** Each time the screen is drawn anew. */
  turn() {
    requestAnimationFrame(() => this.turn());
    if (!state.playing || state.live) return;
    const now = this.clock.now_s() * FPS;
    let due = null;
    while (this.held.length && this.held[0].header.index <= now) {
      due?.picture.close();
      due = this.held.shift();
    }
    if (due && due.header.index > this.lastShown) {
      this.lastShown = due.header.index;
      this.show(due);
      this.count();
    } else due?.picture.close();
    // What is on the screen now, against what is heard now; a frame's time is its middle.
    if (this.lastShown >= 0) this.compare((this.clock.now_s() - (this.lastShown + 0.5) / FPS) * 1000);
    this.ask();
  }

  compare(skew_ms) {
    this.note("skew_ms", skew_ms);
    this.drawings += 1;
    this.late += skew_ms > LATE_MS;
    const now_s = performance.now() / 1000;
    if (now_s - this.judged_s < JUDGED_S) return;
    const late = this.late / this.drawings;
    this.pace.played(this.count_since(this.judged_s) / (now_s - this.judged_s), late, now_s);
    this.judged_s = now_s;
    this.drawings = this.late = 0;
  }

  count_since(time_s) { return this.times.filter((time) => time > time_s).length; }

  count() {
    const now_s = performance.now() / 1000;
    this.times.push(now_s);
    this.times = this.times.filter((time) => time > now_s - 1);
    this.metrics.share = this.pace.playing.share;
    this.metrics.shown += 1;
  }

  get rate_hz() { return this.count_since(performance.now() / 1000 - 1); }

  show(frame) {
    this.shown?.picture.close();
    this.shown = frame;
    this.draw();
    const { moved_ms, switched_ms } = frame.asked;
    requestAnimationFrame(() => { // the frame that was drawn now is on the screen from then on
      const now_ms = performance.now();
      if (moved_ms !== null) {
        this.note("orbit_ms", now_ms - moved_ms);
        this.pace.turned(now_ms - moved_ms, now_ms / 1000);
      }
      if (switched_ms !== null) this.note("switch_ms", now_ms - switched_ms);
      this.metrics.first_ms ??= now_ms;
    });
  }

  note(list, value) {
    this.metrics[list].push(value);
    if (this.metrics[list].length > LISTS) this.metrics[list].shift();
  }

  draw() {
    if (!this.shown) return;
    const { picture, header } = this.shown;
    const [width, height] = state.facts?.size_px ?? [header.width, header.height];
    const scale = Math.max(1, Math.min(3, Math.ceil(this.canvas.clientWidth * devicePixelRatio / width)));
    if (this.canvas.width !== width * scale || this.canvas.height !== height * scale) {
      this.canvas.width = width * scale;
      this.canvas.height = height * scale;
      this.canvas.style.setProperty("--aspect", width / height);
    }
    const { width: w, height: h } = this.canvas;
    this.context.imageSmoothingQuality = "high";
    const left = header.pair ? header.width : 0;
    this.context.drawImage(picture, left, 0, header.width, header.height, 0, 0, w, h);
    if (header.pair && state.divider > 0) {
      const share = state.divider;
      this.context.drawImage(picture, 0, 0, header.width * share, header.height, 0, 0, w * share, h);
    }
  }
}

/** Straight ahead again. */
export const lookAhead = () => set(AHEAD);
