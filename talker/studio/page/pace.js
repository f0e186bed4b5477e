/** How large frames are asked for: resolution drops before pictures fall behind the sound, and comes back with time. */

const LEAST = 0.35, DOWN = 0.82, UP = 1.1;
const ENOUGH_HZ = 18, PLENTY_HZ = 23; // frames a second while a voice plays
const LATE_SHARE = 0.12; // of the screen's drawings that may show a picture behind the sound
const SLOW_MS = 130, QUICK_MS = 75; // from a drag to its picture
const PATIENCE_S = 3; // before a size that was too much is tried again; doubled each time

export class Pace {
  constructor() {
    this.playing = { share: 1, tried_s: 0, patience_s: PATIENCE_S };
    this.turning = { share: 1, tried_s: 0, patience_s: PATIENCE_S };
  }

  /** After a stretch of playing: frames a second that were shown, and how often they were late. */
  played(rate_hz, late, now_s) {
    const isLate = late > LATE_SHARE;
    this.judge(this.playing, rate_hz < ENOUGH_HZ || isLate, rate_hz > PLENTY_HZ && !isLate, now_s);
  }

  /** After frames of a drag: how long they took. */
  turned(delay_ms, now_s) { this.judge(this.turning, delay_ms > SLOW_MS, delay_ms < QUICK_MS, now_s); }

  judge(mode, slow, quick, now_s) {
    if (slow && mode.share > LEAST) {
      mode.share = Math.max(LEAST, mode.share * DOWN);
      mode.tried_s = now_s;
      mode.patience_s = Math.min(30, mode.patience_s * 2);
    } else if (quick && mode.share < 1 && now_s - mode.tried_s > mode.patience_s) {
      mode.share = Math.min(1, mode.share * UP);
      mode.tried_s = now_s;
      if (mode.share === 1) mode.patience_s = PATIENCE_S;
    }
  }
}
