// What was heard, told to the server: whose page it was does not matter, only that it was here.

const EVERY_MS = 30_000;

// Without TLS browsers have no randomUUID (RFC 9562, version 4).
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Reports {
  // Nothing is kept in a foreign page, so a listener is new each time it is opened.
  #client = uuid();
  #context;
  #play = null;

  constructor(context) {
    this.#context = context;
  }

  start(track, seconds, quality) {
    this.#play = { play: uuid(), track, quality, heardMs: 0, seenAt: performance.now(), toldAt: performance.now() };
    this.#send("start", seconds);
  }

  progress(seconds, playing) {
    const play = this.#play;
    if (!play) return;
    const now = performance.now();
    // Steps come four times a second; a longer gap was a pause.
    if (playing) play.heardMs += Math.min(now - play.seenAt, 1500);
    play.seenAt = now;
    if (now - play.toldAt >= EVERY_MS) {
      play.toldAt = now;
      this.#send("progress", seconds);
    }
  }

  end(kind, seconds) {
    if (!this.#play) return;
    this.#send(kind, seconds);
    this.#play = null;
  }

  #send(kind, seconds) {
    const { play, track, quality, heardMs } = this.#play;
    const now = Date.now();
    const event = { play, track, kind, at: now, position_ms: Math.round(seconds * 1000), heard_ms: Math.round(heardMs), quality, context: this.#context };
    const body = JSON.stringify({ client: this.#client, sent_at: now, events: [event] });
    fetch("/listen/events", { method: "POST", credentials: "omit", keepalive: true, body }).catch(() => {});
  }
}
