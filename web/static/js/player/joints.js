// Where hls.js and the timeline meet: playlists from here instead of the network, and every track cut to its exact length.

const [MOOF, TRAF, TFHD, TRUN] = ["moof", "traf", "tfhd", "trun"].map((name) => [...name].reduce((sum, letter) => sum * 256 + letter.charCodeAt(0), 0));

// How hls.js loads: patiently, and without a worker, since the rungs are MP4 already and there is nothing to remux.
// *worthwhile(answer)* says whether to ask again for a segment, or for its key.
export function habits(startPosition, worthwhile) {
  const patient = { maxNumRetry: 10_000, retryDelayMs: 700, maxRetryDelayMs: 4000, backoff: "exponential" };
  const policy = {
    maxTimeToFirstByteMs: 10_000,
    maxLoadTimeMs: 60_000,
    timeoutRetry: patient,
    errorRetry: { ...patient, shouldRetry: (_, __, late, answer) => late || worthwhile(answer) },
  };
  return {
    enableWorker: false,
    autoStartLoad: false,
    startPosition,
    maxBufferLength: 40,
    maxMaxBufferLength: 60,
    backBufferLength: 60,
    fragLoadPolicy: { default: policy },
    keyLoadPolicy: { default: policy },
  };
}

// The class hls.js loads playlists with.
export function loaderFor(timeline, onTrouble) {
  return class {
    #aborter = new AbortController();
    stats = { aborted: false, loaded: 0, retry: 0, total: 0, chunkCount: 0, bwEstimate: 0, loading: { start: 0, first: 0, end: 0 }, parsing: { start: 0, end: 0 }, buffering: { start: 0, first: 0, end: 0 } };
    context = null;

    async load(context, _, callbacks) {
      this.context = context;
      const { signal } = this.#aborter;
      this.stats.loading.start = performance.now();
      for (let pause_ms = 500; !signal.aborted; pause_ms = Math.min(4000, pause_ms * 2)) {
        try {
          const data = await timeline.playlist(context.url, signal);
          if (signal.aborted) return;
          this.stats.loading.first = this.stats.loading.end = performance.now();
          this.stats.loaded = this.stats.total = data.length;
          callbacks.onSuccess({ url: context.url, data, code: 200 }, this.stats, context, null);
          return;
        } catch (error) {
          if (signal.aborted) return;
          if (error.status >= 400 && error.status < 500) {
            callbacks.onError({ code: error.status, text: error.message }, context, null, this.stats);
            return;
          }
          onTrouble();
          await new Promise((resolve) => setTimeout(resolve, pause_ms));
        }
      }
    }

    abort() {
      this.stats.aborted = true;
      this.#aborter.abort();
    }

    destroy() {
      this.abort();
    }

    getCacheAge() {
      return 0;
    }

    getResponseHeader() {
      return null;
    }
  };
}

// Cut what is appended to the very length of its track. An AAC file holds the coder's lead-in and padding; by the edit list in its
// header the lead-in lands before the track, and the append window, which browsers keep to the sample, takes both away.
export function cutExactly(hls, timeline, { BUFFER_APPENDING, BUFFER_CREATED }) {
  const owner = new WeakMap(); // Which part the bytes about to be appended belong to.
  // Before hls.js itself hears of an event: it may append at once.
  const trigger = hls.trigger;
  hls.trigger = (event, data) => {
    if (event === BUFFER_APPENDING && data.frag.sn !== "initSegment") {
      const part = timeline.parts[data.frag.cc];
      const name = timeline.nameOf(hls.levels[data.frag.level]);
      owner.set(data.data, part);
      if (timeline.variant(part, name).codecs.startsWith("mp4a")) fillLastFrame(data.data);
    }
    return trigger.call(hls, event, data);
  };
  hls.on(BUFFER_CREATED, (_, { tracks }) => {
    for (const { buffer } of Object.values(tracks)) {
      const append = buffer.appendBuffer;
      buffer.appendBuffer = function (data) {
        const part = owner.get(data);
        if (part) {
          this.appendWindowEnd = Infinity;
          this.appendWindowStart = part.start;
          this.appendWindowEnd = part.start + part.duration;
          this.timestampOffset = part.start;
        }
        append.call(this, data);
      };
    }
  });
}

// The last frame of an AAC file is marked as short as the music in it, yet a decoder makes a whole frame of sound: with the mark taken
// away, the browser sees that it reaches over the end, and cuts it there. Changes the bytes in place (ISO/IEC 14496-12, 8.8.7 and 8.8.8).
function fillLastFrame(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let usual = 0; // The length of a frame, as most are marked.
  let last = 0; // Where the length of the last frame is written.
  const runs = (from, to) => {
    for (let at = from, size; at + 8 <= to && (size = view.getUint32(at)) >= 8; at += size) {
      const kind = view.getUint32(at + 4);
      const flags = view.getUint32(at + 8) & 0xffffff;
      if (kind === MOOF || kind === TRAF) runs(at + 8, Math.min(to, at + size));
      if (kind === TFHD && flags & 8) note(at + 16 + (flags & 1 ? 8 : 0) + (flags & 2 ? 4 : 0));
      if (kind !== TRUN || !(flags & 0x100)) continue;
      const count = view.getUint32(at + 12);
      const first = at + 16 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0);
      const row = 4 * [0x100, 0x200, 0x400, 0x800].filter((flag) => flags & flag).length;
      note(first);
      note(first + (count - 1) * row);
    }
  };
  const note = (place) => {
    last = place;
    usual = Math.max(usual, view.getUint32(place));
  };
  runs(0, bytes.byteLength);
  if (last) view.setUint32(last, usual);
}

// hls.js moves its segments to where their bytes say they are, lead-in and all, and would drift away from the music by some 20 ms a
// track. The playlist is right: put every segment back.
export function straighten(details, timeline) {
  const { fragments } = details;
  fragments.forEach((frag, at) => {
    const next = fragments[at + 1];
    const part = timeline.parts[frag.cc];
    const end = next ? next.playlistOffset : part.start + part.duration;
    frag.setStart(frag.playlistOffset);
    frag.setDuration(end - frag.playlistOffset);
    if (!Number.isFinite(frag.startPTS)) return;
    frag.startPTS = frag.maxStartPTS = frag.startDTS = frag.playlistOffset;
    frag.endPTS = frag.minEndPTS = frag.endDTS = end;
  });
}
