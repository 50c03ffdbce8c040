// Where the sound of one track comes from: the ladder by hls.js, or by the browser itself, or the file of a preview.

const HLS = new URL("../../vendor/hls.js/hls.light.min.mjs", import.meta.url);
const TYPE = "application/vnd.apple.mpegurl";
const TRIES = 5;

// Events: "problem" when the music stops and does not come back by itself.
export class Source extends EventTarget {
  #audio;
  #hls;
  #permit;
  #tries = 0;

  constructor(audio) {
    super();
    this.#audio = audio;
  }

  async open(track, from) {
    this.#hls?.destroy();
    this.#hls = null;
    if (!track.whole) {
      this.#audio.src = track.preview;
      this.#audio.currentTime = from;
      return;
    }
    const permit = (this.#permit = await ask(track.id));
    if ("webkitShowPlaybackTargetPicker" in this.#audio && this.#audio.canPlayType(TYPE)) {
      this.#audio.src = permit.url;
      this.#audio.currentTime = from;
      return;
    }
    const Hls = (await import(HLS)).default;
    if (permit !== this.#permit) return; // Another track was chosen meanwhile.
    this.#attach(Hls, track, from);
  }

  #attach(Hls, track, from) {
    const first = this.#permit;
    const folders = [first.folder];
    let permit = first;
    const hls = (this.#hls = new Hls({
      enableWorker: false,
      startPosition: from,
      maxBufferLength: 30,
      backBufferLength: 30,
      // The permission ends after some minutes. Addresses are relative to its folder, so only that changes.
      xhrSetup: async (xhr, address) => {
        if (Date.now() > permit.renewAt) {
          permit = await ask(track.id);
          folders.push(permit.folder);
        }
        const old = folders.find((folder) => address.startsWith(folder));
        xhr.open("GET", old ? permit.folder + address.slice(old.length) : address, true);
        xhr.withCredentials = false;
      },
    }));
    hls.on(Hls.Events.FRAG_LOADED, () => (this.#tries = 0));
    hls.on(Hls.Events.ERROR, (_, { fatal, type, response }) => {
      if (!fatal) return;
      // Refused before its time: the next try is under another permission.
      if (response?.code === 403) permit.renewAt = 0;
      if (type === Hls.ErrorTypes.MEDIA_ERROR && this.#tries++ < 1) return hls.recoverMediaError();
      if (type === Hls.ErrorTypes.NETWORK_ERROR && this.#tries++ < TRIES) return setTimeout(() => hls === this.#hls && hls.startLoad(), 2000);
      this.dispatchEvent(new Event("problem"));
    });
    hls.loadSource(first.url);
    hls.attachMedia(this.#audio);
  }
}

async function ask(id) {
  const askedAt = Date.now();
  let answer;
  try {
    answer = await fetch(`/api/v1/tracks/${id}/play`, { method: "POST", credentials: "omit", headers: { Accept: "application/json" } });
  } catch {
    throw Object.assign(new Error("unreachable"), { status: 0 });
  }
  if (!answer.ok) throw Object.assign(new Error("refused"), { status: answer.status });
  const { hls_url: url, expires_at: until } = await answer.json();
  // By the server's clock, since the listener's may be wrong.
  const lifeMs = Date.parse(until) - (Date.parse(answer.headers.get("Date")) || askedAt);
  return { url, folder: url.slice(0, url.lastIndexOf("/") + 1), renewAt: askedAt + lifeMs - Math.min(20_000, lifeMs / 4) };
}
