/** The sound that the speaker says: choose, play, scrub, record it, or speak live. Its clock is the stage's. */
import * as api from "./api.js";
import { button, clock, el, refill, select, toast } from "./dom.js";
import { Microphone, wav } from "./microphone.js";
import { on, set, state } from "./state.js";

const FPS = 25;
const ICONS = {
  play: "M7 4.500v15l12-7.500z",
  pause: "M7 5h3.500v14H7zM13.500 5H17v14h-3.500z",
  mic: "M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM6 11a6 6 0 0 0 12 0M12 17v4",
};

function icon(name) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", width: 18, height: 18, "aria-hidden": "true" })) {
    node.setAttribute(key, value);
  }
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  const lined = name === "mic";
  path.setAttribute("fill", lined ? "none" : "currentColor");
  if (lined) { path.setAttribute("stroke", "currentColor"); path.setAttribute("stroke-width", "1.8"); }
  node.append(path);
  return node;
}

export class Transport {
  constructor(node, audio, socket, addFile) {
    Object.assign(this, { node, audio, socket, addFile, peaks: null, seconds: 0, count: 1 });
    this.mic = new Microphone();
    this.build();
    audio.addEventListener("ended", () => set({ playing: false }));
    audio.addEventListener("timeupdate", () => this.draw());
    audio.addEventListener("seeked", () => { this.seeked?.(); this.draw(); });
    audio.addEventListener("error", () => this.convert());
    on(["home"], () => this.list());
    on(["voice", "project"], () => this.list());
    on(["facts"], () => this.draw());
    on(["playing", "live"], () => this.draw());
    on(["live"], () => state.live || this.hush()); // whoever ended it: the user, another speaker, a lost studio
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.wave);
  }

  // ------------------------------------------------------------------ the stage's clock

  now_s() { return this.audio.currentTime; }
  index() { return Math.max(0, Math.min(this.frames() - 1, Math.floor(this.audio.currentTime * FPS))); }
  frames() { return this.count; }

  // ------------------------------------------------------------------ its face

  build() {
    this.play = el(
      "button",
      { type: "button", class: "round main", "aria-label": "Play", onclick: () => this.toggle() },
      icon("play"),
    );
    this.canvas = el("canvas");
    this.scrub = el("input", {
      type: "range", min: 0, max: 1000, value: 0, "aria-label": "Place in the sound",
      oninput: () => { this.audio.currentTime = this.scrub.value / 1000 * this.seconds; },
    });
    this.wave = el("div", { class: "wave" }, this.canvas, this.scrub);
    this.time = el("time");
    this.choice = el("span");
    this.record = el(
      "button",
      {
        type: "button",
        class: "round",
        "aria-label": "Record with the microphone",
        title: "Record with the microphone",
        onclick: () => this.toggleRecord(),
      },
      icon("mic"),
    );
    this.live = button(
      "Live",
      () => this.toggleLive(),
      { "aria-pressed": "false", title: "Speak along with the microphone" },
    );
    refill(this.node, this.play, this.wave, this.time, this.choice, this.record, this.live);
  }

  list() {
    const choices = [
      ["", "No sound"],
      ...(state.home?.sounds ?? []).map((name) => [name, name]),
      ["+", "Add a sound…"],
    ];
    const known = state.home?.sounds.includes(state.voice) ? state.voice : "";
    if (state.home && known !== (state.voice ?? "")) set({ voice: null });
    refill(this.choice, select(choices, known, (name) => {
      if (name === "+") { this.addFile("audio/*"); this.list(); } else set({ voice: name || null });
    }, { "aria-label": "Sound" }));
    this.load();
  }

  async load() {
    if (this.loaded === state.voice) return this.draw();
    this.loaded = state.voice;
    this.converted = false;
    set({ playing: false });
    this.audio.pause();
    this.peaks = null;
    this.seconds = 0;
    this.count = 1;
    if (state.voice) {
      const name = state.voice;
      this.audio.src = api.fileUrl(name);
      try {
        const { peaks, seconds, frames: count } = await api.waveform(name);
        if (state.voice === name) Object.assign(this, { peaks, seconds, count });
      } catch (error) { toast(error.message); }
    } else this.audio.removeAttribute("src");
    this.draw();
  }

  /** A sound that this browser cannot play is fetched again as a WAV. */
  convert() {
    if (!state.voice || this.converted) return;
    this.converted = true;
    this.audio.src = `/api/sounds/${encodeURIComponent(state.voice)}/wav`;
  }

  draw() {
    const width = this.canvas.clientWidth * devicePixelRatio, height = this.canvas.clientHeight * devicePixelRatio;
    const can = Boolean(state.project && state.facts);
    this.play.replaceChildren(icon(state.playing ? "pause" : "play"));
    this.play.setAttribute("aria-label", state.playing ? "Pause" : "Play");
    this.play.disabled = !can || !this.seconds;
    this.live.setAttribute("aria-pressed", String(state.live));
    this.live.disabled = !can || !state.facts?.can_live;
    this.record.classList.toggle("hot", Boolean(this.mic.isOn && !state.live));
    this.time.textContent = state.live ? "live" : this.seconds
      ? `${clock(this.audio.currentTime)} / ${clock(this.seconds)}` : "";
    const share = this.seconds ? this.audio.currentTime / this.seconds : 0;
    if (document.activeElement !== this.scrub) this.scrub.value = 1000 * share;
    this.scrub.disabled = !this.seconds;
    if (!width) return;
    Object.assign(this.canvas, { width, height });
    const paint = this.canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    const [told, rest] = ["--accent", "--rule"].map((name) => style.getPropertyValue(name));
    const bars = Math.floor(width / (3 * devicePixelRatio));
    for (let bar = 0; bar < bars; bar++) {
      const peak = this.peaks ? this.peaks[Math.floor(bar / bars * this.peaks.length)] : 0;
      const tall = Math.max(2 * devicePixelRatio, peak * height * 0.92);
      paint.fillStyle = bar / bars < share ? told : rest;
      paint.fillRect(bar * 3 * devicePixelRatio, (height - tall) / 2, 2 * devicePixelRatio, tall);
    }
  }

  // ------------------------------------------------------------------ what it does

  async toggle() {
    set({ live: false });
    if (state.playing) {
      this.audio.pause();
      set({ playing: false });
      return;
    }
    if (!this.seconds) return;
    if (this.audio.currentTime >= this.seconds - 0.1) this.audio.currentTime = 0;
    try {
      await this.audio.play();
      set({ playing: true });
    } catch (error) { toast(`The browser does not play this sound: ${error.message}`); }
  }

  async toggleRecord() {
    set({ live: false });
    if (!this.mic.isOn) {
      this.chunks = [];
      if (
        await this.mic.start(
          (samples) => this.chunks.push(samples),
        ).catch((error) => toast(error.message)) !== undefined
      ) {
        this.audio.pause();
        set({ playing: false });
      }
      return this.draw();
    }
    await this.mic.stop();
    this.draw();
    try {
      const name = await api.upload(wav(this.chunks), "recording.wav");
      set({ home: await api.home(), voice: name });
    } catch (error) { toast(error.message); }
  }

  hush() {
    this.socket.send({ hush: true });
    this.mic.stop();
  }

  async toggleLive() {
    if (state.live) {
      set({ live: false });
      return;
    }
    if (this.mic.isOn) await this.toggleRecord(); // a recording at work is kept
    this.audio.pause();
    set({ playing: false });
    try {
      await this.mic.start((samples) => this.socket.sound(samples));
      this.socket.send(
        { listen: { project: state.project, edit: state.edit, strength: state.edit ? state.strength : 1 } },
      );
      set({ live: true });
    } catch (error) { toast(error.message); }
  }
}
