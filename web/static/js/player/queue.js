// What is played after what. Knows nothing of sound or of the page.

export const MOST = 1000; // Entries; a device keeps the queue, and nobody looks through more.

let made = 0;

// A track of a page as an entry of the queue. The same track may stand in it twice, so each entry has a key of its own.
function entry(track) {
  made += 1;
  return { ...track, key: track.key ?? `${Date.now().toString(36)}-${made}` };
}

export class Queue {
  items = [];
  index = -1;
  shuffled = false;
  repeat = "off"; // "all", "one"
  context = { name: "", url: "" }; // Where the listener took it from.

  get current() {
    return this.items[this.index] ?? null;
  }

  set(tracks, index, context) {
    const from = Math.max(0, Math.min(index, tracks.length - MOST));
    this.items = tracks.slice(from, from + MOST).map((track, rank) => ({ ...entry(track), rank }));
    this.index = index - from;
    this.context = context;
    if (this.shuffled) this.shuffle(true);
  }

  // The entry after this one, or null at the end. Whoever presses "next" gets past a track that repeats.
  following(item, { pressed = false } = {}) {
    if (this.repeat === "one" && !pressed) return item;
    const at = this.#at(item.key);
    if (at + 1 < this.items.length) return this.items[at + 1];
    return this.repeat === "off" ? null : (this.items[0] ?? null);
  }

  previous() {
    if (this.index > 0) return this.items[this.index - 1];
    return this.repeat === "all" ? this.items.at(-1) : null;
  }

  choose(item) {
    const at = this.#at(item.key);
    if (at >= 0) this.index = at;
  }

  insertNext(tracks) {
    this.#insert(tracks, this.index + 1);
  }

  append(tracks) {
    this.#insert(tracks, this.items.length);
  }

  move(key, to) {
    const { current } = this;
    const from = this.#at(key);
    if (from < 0) return;
    const [item] = this.items.splice(from, 1);
    this.items.splice(Math.max(0, Math.min(to, this.items.length)), 0, item);
    if (!this.shuffled) this.#rank();
    this.choose(current);
  }

  // Take an entry out. The one that is playing stays.
  remove(key) {
    const { current } = this;
    if (!current || key === current.key) return;
    this.items = this.items.filter((item) => item.key !== key);
    this.choose(current);
  }

  // Nothing but what is playing now.
  clear() {
    this.items = this.current ? [this.current] : [];
    this.index = this.items.length - 1;
  }

  shuffle(on) {
    const { current } = this;
    this.shuffled = on;
    if (!current) return;
    if (on) {
      const rest = this.items.filter((item) => item !== current);
      for (let at = rest.length - 1; at > 0; at--) {
        const other = Math.floor(Math.random() * (at + 1));
        [rest[at], rest[other]] = [rest[other], rest[at]];
      }
      this.items = [current, ...rest];
    } else {
      this.items = this.items.toSorted((a, b) => a.rank - b.rank);
    }
    this.choose(current);
  }

  toJSON() {
    const { items, index, shuffled, repeat, context } = this;
    return { items, index, shuffled, repeat, context };
  }

  restore(kept) {
    if (!Array.isArray(kept?.items) || !kept.items.length) return;
    Object.assign(this, { items: kept.items, index: kept.index, shuffled: Boolean(kept.shuffled), repeat: kept.repeat, context: kept.context });
    if (!this.current) this.index = 0;
  }

  #insert(tracks, at) {
    const room = Math.max(0, MOST - this.items.length);
    this.items.splice(at, 0, ...tracks.slice(0, room).map((track) => ({ ...entry({ ...track, key: undefined }), rank: at })));
    if (!this.shuffled) this.#rank();
    if (this.index < 0) this.index = 0;
  }

  #rank() {
    this.items.forEach((item, rank) => (item.rank = rank));
  }

  #at(key) {
    return this.items.findIndex((item) => item.key === key);
  }
}
