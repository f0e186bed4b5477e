/** On the sound's own thread: collects 20 ms and hands them on as 16-bit samples. */
const PIECE = 320;

class Pcm extends AudioWorkletProcessor {
  constructor() {
    super();
    this.piece = new Int16Array(PIECE);
    this.count = 0;
  }

  process([input]) {
    for (const sample of input[0] ?? []) {
      this.piece[this.count++] = Math.max(-1, Math.min(1, sample)) * 32767;
      if (this.count === PIECE) {
        this.port.postMessage(this.piece.slice());
        this.count = 0;
      }
    }
    return true;
  }
}

registerProcessor("pcm", Pcm);
