// Masters on their way in: resumable by tus, a few at a time, each with a bar and its own buttons. They outlive the page they began on.

import { call, headers, sentenceOf } from "../api.js";
import { t } from "../texts.js";

const AT_ONCE = 2;
// Each piece is safe on the server when it is answered; a dropped connection loses at most one.
const PIECE_BYTES = 8 * 1024 * 1024;
const LIBRARY = new URL("../../vendor/tus-js-client/tus.min.js", import.meta.url);
const REFUSALS = [400, 401, 403, 404, 413, 415, 422];
const TOO_MANY = 429;
const PATIENCE_S = 10; // Where the server does not say when to come again.
const byName = new Intl.Collator(undefined, { numeric: true });

// Tells lists that something came, went or arrived, and what to say of it.
export const changed = new EventTarget();
const uploads = [];
const waiting = [];
let running = 0;
let library;

addEventListener("beforeunload", (event) => (running || waiting.length || uploads.some((upload) => upload.timer)) && event.preventDefault());

export function belonging(place) {
  return uploads.filter((upload) => upload.place === place);
}

export async function begin(files, { release, track, mostBytes }) {
  const batch = { release, left: 0, ids: [] };
  for (const file of files.sort((one, other) => byName.compare(one.name, other.name))) {
    const upload = new Upload(file, { release, track, batch });
    uploads.push(upload);
    const problem = wrongWith(file, mostBytes);
    if (problem) upload.refuse(problem);
    else upload.wait();
  }
  tell();
  try {
    await (library ??= load());
    next();
  } catch {
    library = null;
    for (const upload of belonging(track || release)) upload.fail(t("The uploader could not be loaded. Check your connection and try again."));
  }
}

function wrongWith(file, most) {
  if (file.size === 0) return t("This file is empty.");
  return file.size > most ? t("This file is too large: at most {most} MiB are taken.", { most: Math.floor(most / 1024 / 1024) }) : "";
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    running += 1;
    waiting.shift().start();
  }
}

function done() {
  running -= 1;
  next();
}

function tell(kind = "change", detail = "") {
  changed.dispatchEvent(new CustomEvent(kind, { detail }));
}

class Upload {
  constructor(file, { release, track, batch }) {
    this.file = file;
    this.place = track || release;
    this.batch = batch;
    this.number = batch.left++;
    this.box = make("li", "upload");
    this.note = make("span", "upload-note", t("Waiting…"));
    this.bar = Object.assign(make("progress"), { max: 1, value: 0 });
    this.bar.setAttribute("aria-label", t("Uploading {name}", { name: file.name }));
    this.controls = make("span", "upload-buttons");
    this.box.append(make("span", "upload-name", file.name), this.note, this.controls, this.bar);
    this.metadata = track ? { filename: file.name, track } : { filename: file.name, release };
  }

  wait() {
    this.box.classList.remove("failed");
    this.note.textContent = t("Waiting…");
    this.buttons({ [t("Cancel")]: () => this.cancel() });
    waiting.push(this);
  }

  async start() {
    this.active = true;
    this.note.textContent = t("Starting…");
    this.buttons({ [t("Pause")]: () => this.pause(), [t("Cancel")]: () => this.cancel() });
    if (!this.tus) {
      this.tus = this.made();
      const [earlier] = await this.tus.findPreviousUploads();
      if (earlier) this.tus.resumeFromPreviousUpload(earlier);
    }
    this.tus.start();
  }

  made() {
    const file = this.file;
    return new window.tus.Upload(file, {
      endpoint: "/api/v1/uploads",
      chunkSize: PIECE_BYTES,
      headers: headers(),
      metadata: this.metadata,
      retryDelays: [0, 1000, 3000, 10_000, 30_000],
      removeFingerprintOnSuccess: true,
      // The same file for another release is another upload.
      fingerprint: async () => ["musicconnect", this.place, file.name, file.size, file.lastModified].join("/"),
      // Too many at once is no failure: see `later`.
      onShouldRetry: (error) => ![...REFUSALS, TOO_MANY].includes(answerTo(error)?.getStatus()),
      // Who cannot be told just now how far it is would begin anew.
      onAfterResponse: (request, answer) => {
        const status = answer.getStatus();
        if (request.getMethod() === "HEAD" && (status === TOO_MANY || status >= 500)) throw Object.assign(new Error(status), { answer });
      },
      onProgress: (sent, total) => {
        this.bar.value = sent / total;
        this.note.textContent = t("{sent} of {total}", { sent: megabytes(sent), total: megabytes(total) });
      },
      onSuccess: () => this.arrive(),
      onError: (error) => this.stop(error),
    });
  }

  arrive() {
    this.release();
    this.batch.ids[this.number] = this.tus.url.split("/").pop(); // The track has the id of its upload.
    this.remove();
    this.settle();
    tell("arrived");
    tell("said", t("{name} is uploaded and is being prepared.", { name: this.file.name }));
  }

  stop(error) {
    this.release();
    const answer = answerTo(error);
    if (answer?.getStatus() === TOO_MANY) return this.later(Number(answer.getHeader("Retry-After")) || PATIENCE_S);
    const sentence = answer ? sentenceOf(answer.getBody(), t("The server did not take this file.")) : t("The connection was lost. What was sent is kept.");
    // What was refused for what it is would be refused again.
    if (REFUSALS.includes(answer?.getStatus())) this.refuse(sentence);
    else this.fail(sentence);
    this.settle(); // The others need not wait for a file that may never come.
  }

  // More is being sent than the server takes of one person at once, from another tab say: go on when it wants, for as long as the page is open.
  later(seconds) {
    this.note.textContent = t("Many files are being sent already; this one goes on by itself.");
    this.buttons({ [t("Cancel")]: () => this.cancel() });
    this.timer = setTimeout(() => this.again(), seconds * 1000);
  }

  fail(sentence) {
    this.refuse(sentence);
    this.buttons({ [t("Try again")]: () => this.again(), [t("Dismiss")]: () => this.remove() });
  }

  refuse(sentence) {
    this.box.classList.add("failed");
    this.note.textContent = sentence;
    this.buttons({ [t("Dismiss")]: () => this.remove() });
    tell("said", `${this.file.name}: ${sentence}`);
  }

  async pause() {
    await this.tus.abort();
    this.release();
    this.note.textContent = t("Paused. {note}", { note: this.note.textContent });
    this.buttons({ [t("Resume")]: () => this.again(), [t("Cancel")]: () => this.cancel() });
  }

  again() {
    this.timer = 0;
    this.wait();
    next();
  }

  async cancel() {
    clearTimeout(this.timer);
    this.timer = 0;
    const place = waiting.indexOf(this);
    if (place >= 0) waiting.splice(place, 1);
    this.remove();
    await this.tus?.abort(true).catch(() => {}); // What stays behind on the server expires by itself.
    this.release();
    this.settle();
  }

  release() {
    if (!this.active) return;
    this.active = false;
    done();
  }

  remove() {
    uploads.splice(uploads.indexOf(this), 1);
    tell();
  }

  // Several at once arrive in any order; when the last is here, the tracks of the batch go into the order of their names.
  async settle() {
    if (this.settled) return;
    this.settled = true;
    this.batch.left -= 1;
    const ids = this.batch.ids.filter(Boolean);
    if (this.batch.left > 0 || ids.length < 2) return;
    try {
      const present = (await call("GET", `/releases/${this.batch.release}`)).tracks.map((track) => track.id);
      const wanted = ids.filter((id) => present.includes(id));
      const places = present.filter((id) => wanted.includes(id));
      const order = present.map((id) => (wanted.includes(id) ? wanted[places.indexOf(id)] : id));
      if (order.join() === present.join()) return;
      await call("PATCH", `/releases/${this.batch.release}`, { track_order: order });
      tell("arrived");
    } catch {
      // They are there, in the order in which they came.
    }
  }

  buttons(acts) {
    this.controls.replaceChildren(
      ...Object.entries(acts).map(([label, act]) => {
        const button = Object.assign(make("button", "button quiet small", label), { type: "button", onclick: act });
        button.setAttribute("aria-label", `${label} ${this.file.name}`);
        return button;
      }),
    );
  }
}

function answerTo(error) {
  return error.originalResponse ?? error.causingError?.answer;
}

function make(tag, className = "", text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

function megabytes(bytes) {
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "megabyte", minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(bytes / 1e6);
}

function load() {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: LIBRARY, onload: resolve, onerror: reject });
    document.head.append(script);
  });
}
