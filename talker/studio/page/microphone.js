/** The microphone as mono 16-bit samples at 16 kHz, a few milliseconds at a time. */

const RATE_HZ = 16000;

export class Microphone {
  get isOn() { return Boolean(this.context); }

  /** `heard` gets Int16Arrays; who heard before hears no more. Errors are one line, and leave the microphone closed. */
  async start(heard) {
    await this.stop();
    if (!navigator.mediaDevices) {
      throw new Error("Browsers give the microphone only to this machine's own pages or over https");
    }
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    } catch (error) {
      throw new Error(error.name === "NotAllowedError" ? "The browser does not allow the microphone here"
        : "There is no microphone that the browser can use");
    }
    try {
      this.context = new AudioContext({ sampleRate: RATE_HZ });
      await this.context.audioWorklet.addModule("/page/pcm-worklet.js");
      const node = new AudioWorkletNode(this.context, "pcm", { numberOfOutputs: 0 });
      node.port.onmessage = (event) => heard(event.data);
      this.context.createMediaStreamSource(this.stream).connect(node);
    } catch (error) {
      await this.stop();
      throw new Error(`The browser cannot listen at 16 kHz: ${error.message}`);
    }
    return true;
  }

  async stop() {
    const { context, stream } = this;
    this.context = this.stream = null; // at once: whoever starts or stops it meanwhile has one of its own
    stream?.getTracks().forEach((track) => track.stop());
    await context?.close();
  }
}

/** A WAV file of such pieces. */
export function wav(pieces) {
  const bytes = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const head = new DataView(new ArrayBuffer(44));
  const words = [[0, "RIFF"], [8, "WAVE"], [12, "fmt "], [36, "data"]];
  for (const [at, word] of words) [...word].forEach(
    (letter, place) => head.setUint8(at + place, letter.charCodeAt(0)),
  );
  head.setUint32(4, 36 + bytes, true);
  head.setUint32(16, 16, true);
  head.setUint16(20, 1, true);
  head.setUint16(22, 1, true);
  head.setUint32(24, RATE_HZ, true);
  head.setUint32(28, 2 * RATE_HZ, true);
  head.setUint16(32, 2, true);
  head.setUint16(34, 16, true);
  head.setUint32(40, bytes, true);
  return new Blob([head, ...pieces], { type: "audio/wav" });
}
