/** The socket of the stage: requests out, frames and news in; it comes back by itself after a pause. */

const AGAIN_MS = 800;

export class Socket {
  constructor({ frame, text, up, down }) {
    this.hears = { frame, text, up, down };
    this.open();
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/stage`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.hears.up();
    this.socket.onmessage = (event) => this.take(event.data);
    this.socket.onclose = () => {
      this.hears.down();
      setTimeout(() => this.open(), AGAIN_MS);
    };
  }

  take(data) {
    if (typeof data === "string") {
      this.hears.text(JSON.parse(data));
      return;
    }
    const length = new DataView(data).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    this.hears.frame(header, new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" }));
  }

  get isUp() { return this.socket.readyState === WebSocket.OPEN; }

  send(facts) {
    if (this.isUp) this.socket.send(JSON.stringify(facts));
    return this.isUp;
  }

  sound(samples) { if (this.isUp) this.socket.send(samples); }
}
