// Several tracks as one stream: playlists made here from those of the tracks, one after the other without a gap.
//
// hls.js plays it as one stream that grows. Track k begins at T(k) and lasts D(k) on every quality, because the last segment of
// each playlist is stretched or cut to the track's length; what its file holds beyond that, the deck cuts off while appending.

import { Permit } from "./permit.js";

const ROOT = "https://timeline.invalid/";
export const LADDER = ["low", "medium", "high", "lossless", "master"];
// What a quality costs where the first track does not have it, in bits per second: a later one may.
const USUAL = { low: 140_000, medium: 270_000, high: 340_000, lossless: 1_000_000, master: 3_000_000 };

export class Timeline {
  parts = [];
  ended = false;
  #version = 0;
  #given = new Map();
  #last = "";
  #waiting = new Set();
  #aborter = new AbortController();

  // Put a track behind the last one. Refused when the server says so; nothing is changed then. False when it cannot be joined: a
  // buffer that changes its codec between FLAC and AAC in the middle stops for good in some browsers.
  async join(item, permit = new Permit(item.id)) {
    if (permit.over) await permit.ask();
    const master = await this.#fetch(permit, permit.url);
    const part = { item, permit, variants: variantsOf(master, permit.url), media: new Map(), start: 0, duration: 0 };
    const previous = this.parts.at(-1);
    if (previous && LADDER.some((name) => family(this.variant(previous, name)) !== family(this.variant(part, name)))) return false;
    // The rung that will be asked for next tells how long the track is; all rungs of a track are equally long.
    const first = await this.#media(part, this.#last || LADDER[0]);
    part.duration = first.reduce((sum, segment) => sum + segment.seconds, 0);
    part.start = previous ? previous.start + previous.duration : 0;
    if (this.#aborter.signal.aborted) return true;
    this.parts.push(part);
    this.#renew();
    return true;
  }

  // Nothing follows any more.
  end() {
    this.ended = true;
    this.#renew();
  }

  get end_s() {
    const last = this.parts.at(-1);
    return last ? last.start + last.duration : 0;
  }

  // The number of the track that is heard at this second of the stream.
  at(seconds) {
    const next = this.parts.findIndex((part) => seconds < part.start + part.duration - 0.001);
    return next < 0 ? this.parts.length - 1 : next;
  }

  // The quality a track is really heard in when *name* is wanted: the nearest lower one that it has, else its lowest.
  variant(part, name) {
    const most = LADDER.indexOf(name);
    return part.variants.findLast((variant) => LADDER.indexOf(variant.name) <= most) ?? part.variants[0];
  }

  get address() {
    return `${ROOT}all.m3u8`;
  }

  nameOf(level) {
    return level.url[0].slice(ROOT.length).split(".", 1)[0];
  }

  permitFor(address) {
    return this.parts.find((part) => part.permit.knows(address))?.permit;
  }

  // The text of a playlist. One that hls.js has already seen in this state is held back until there is something new.
  async playlist(address, signal) {
    if (address === this.address) return this.#master();
    const name = address.slice(ROOT.length).split(".", 1)[0];
    const switched = this.#last !== name;
    this.#last = name;
    while (!switched && this.#given.get(name) === this.#version) await this.#news(signal);
    for (;;) {
      const version = this.#version;
      const text = await this.#text(name);
      if (version !== this.#version) continue; // A track was joined meanwhile.
      this.#given.set(name, version);
      return text;
    }
  }

  close() {
    this.#aborter.abort();
    this.#waiting.clear();
  }

  #renew() {
    this.#version += 1;
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
  }

  #news(signal) {
    return new Promise((resolve, reject) => {
      this.#waiting.add(resolve);
      signal.addEventListener("abort", () => (this.#waiting.delete(resolve), reject(signal.reason)));
    });
  }

  #master() {
    const [{ variants }] = this.parts;
    const lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"];
    for (const name of LADDER) {
      const { peak = USUAL[name], average = USUAL[name], codecs = LADDER.indexOf(name) < 3 ? "mp4a.40.2" : "fLaC" } = variants.find((variant) => variant.name === name) ?? {};
      lines.push(`#EXT-X-STREAM-INF:BANDWIDTH=${peak},AVERAGE-BANDWIDTH=${average},CODECS="${codecs}"`, `${ROOT}${name}.m3u8`);
    }
    return `${lines.join("\n")}\n`;
  }

  async #text(name) {
    const lists = await Promise.all(this.parts.map((part) => this.#media(part, name)));
    // hls.js asks again after the target duration; then it is held until there is news, so a short one costs nothing.
    const lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:1", "#EXT-X-MEDIA-SEQUENCE:0", "#EXT-X-PLAYLIST-TYPE:EVENT", "#EXT-X-INDEPENDENT-SEGMENTS"];
    lists.forEach((segments, k) => {
      let left = this.parts[k].duration;
      // A key holds until the next: it must not reach into the header of the track behind, nor into a clear one.
      if (k) lines.push("#EXT-X-DISCONTINUITY", "#EXT-X-KEY:METHOD=NONE");
      lines.push(`#EXT-X-MAP:URI="${segments.map.address}",BYTERANGE="${segments.map.range}"`);
      segments.forEach((segment, at) => {
        const seconds = at + 1 < segments.length ? segment.seconds : left;
        left -= seconds;
        if (segment.key) lines.push(segment.key);
        lines.push(`#EXTINF:${seconds.toFixed(6)},`, `#EXT-X-BYTERANGE:${segment.range}`, segment.address);
      });
    });
    if (this.ended) lines.push("#EXT-X-ENDLIST");
    return `${lines.join("\n")}\n`;
  }

  async #media(part, name) {
    const { address } = this.variant(part, name);
    const fetched = part.media.get(address) ?? this.#fetch(part.permit, address).then((text) => segmentsOf(text, address));
    part.media.set(address, fetched);
    fetched.catch(() => part.media.delete(address));
    return fetched;
  }

  async #fetch(permit, address) {
    const answer = await fetch(await permit.current(address), { signal: this.#aborter.signal });
    if (!answer.ok) throw Object.assign(new Error("The playlist is not there."), { status: answer.status });
    return answer.text();
  }
}

function family({ codecs }) {
  return codecs.split(".", 1)[0];
}

function variantsOf(text, base) {
  const lines = text.split("\n");
  const found = [];
  lines.forEach((line, at) => {
    if (!line.startsWith("#EXT-X-STREAM-INF:")) return;
    const fact = (name) => line.match(new RegExp(`[:,]${name}="?([^",]+(?=")|[^",]+)`))?.[1];
    const address = new URL(lines[at + 1].trim(), base).href;
    found.push({
      name: lines[at + 1].split(".", 1)[0],
      address,
      peak: Number(fact("BANDWIDTH")),
      average: Number(fact("AVERAGE-BANDWIDTH") ?? fact("BANDWIDTH")),
      codecs: fact("CODECS"),
    });
  });
  return found.sort((a, b) => LADDER.indexOf(a.name) - LADDER.indexOf(b.name));
}

function segmentsOf(text, base) {
  const found = [];
  let seconds = 0;
  let range = "";
  let key = "";
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (line.startsWith("#EXTINF:")) seconds = parseFloat(line.slice(8));
    else if (line.startsWith("#EXT-X-BYTERANGE:")) range = line.slice(17);
    else if (line.startsWith("#EXT-X-KEY:")) key = line.replace(/URI="([^"]+)"/, (_, uri) => `URI="${new URL(uri, base).href}"`);
    else if (line.startsWith("#EXT-X-MAP:")) {
      const [, uri, size] = line.match(/URI="([^"]+)",BYTERANGE="([^"]+)"/);
      found.map = { address: new URL(uri, base).href, range: size };
    } else if (line && !line.startsWith("#")) found.push({ seconds, range, key, address: new URL(line, base).href });
  }
  return found;
}
