// Masters on their way in: resumable by tus, a few at a time, each with a bar and its own buttons.

import { call, headers, sentenceOf } from "../api.js";

const AT_ONCE = 2;
// Each piece is safe on the server when it is answered; a dropped connection loses at most one.
const PIECE_BYTES = 8 * 1024 * 1024;
const byName = new Intl.Collator(undefined, { numeric: true });
const LIBRARY = new URL("../../vendor/tus-js-client/tus.min.js", import.meta.url);

export function enableUploads({ bench, say, arrived }) {
  const list = document.getElementById("uploads");
  const drop = document.getElementById("drop");
  const input = document.getElementById("file");
  const waiting = [];
  let running = 0;
  let library;

  input.multiple = true; // A plain form sends one.

  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  // The input lies over the whole zone and takes what is dropped; this only shows that it will.
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("over"));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  // A file dropped beside the zone must not replace the page.
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.target.closest?.("input[type=file]") || event.preventDefault());
  addEventListener("beforeunload", (event) => (running || waiting.length) && event.preventDefault());

  async function take(files) {
    library ??= load();
    const batch = { left: 0, ids: [] };
    for (const file of files.sort((one, other) => byName.compare(one.name, other.name))) {
      const line = new Line(list, file.name);
      const problem = wrongWith(file);
      if (problem) {
        line.fail(problem);
        line.buttons({ Dismiss: () => line.remove() });
      } else {
        const place = batch.left++;
        waiting.push(() => send(file, line, (id) => (batch.ids[place] = id), () => settle(batch)));
      }
    }
    say(files.length === 1 ? `Uploading ${files[0].name}.` : `Uploading ${files.length} files.`);
    try {
      await library;
      next();
    } catch {
      library = null;
      say("The uploader could not be loaded. Check your connection and try again.");
    }
  }

  function wrongWith(file) {
    const most = Number(bench.dataset.maxBytes);
    if (file.size === 0) return "This file is empty.";
    return file.size > most ? `This file is too large: at most ${Math.floor(most / 1024 / 1024)} MiB are taken.` : "";
  }

  function next() {
    while (running < AT_ONCE && waiting.length) {
      running += 1;
      waiting.shift()();
    }
  }

  function done() {
    running -= 1;
    next();
  }

  // Several at once arrive in any order; when the last is here, the tracks of the batch go into the order of their names.
  async function settle(batch) {
    batch.left -= 1;
    const ids = batch.ids.filter(Boolean);
    if (batch.left > 0 || ids.length < 2) return;
    const present = (await call("GET", `/releases/${bench.dataset.id}`)).tracks.map((track) => track.id);
    const wanted = ids.filter((id) => present.includes(id));
    const order = present.map((id) => (wanted.includes(id) ? wanted[present.filter((other) => wanted.includes(other)).indexOf(id)] : id));
    if (order.join() === present.join()) return;
    await call("PATCH", `/releases/${bench.dataset.id}`, { track_order: order });
    await arrived();
  }

  async function send(file, line, arrivedAs, settled) {
    const upload = new tus.Upload(file, {
      endpoint: "/api/v1/uploads",
      chunkSize: PIECE_BYTES,
      headers: headers(),
      metadata: { filename: file.name, release: bench.dataset.id },
      retryDelays: [0, 1000, 3000, 10_000, 30_000],
      removeFingerprintOnSuccess: true,
      // The same file for another release is another upload.
      fingerprint: async () => ["musicconnect", bench.dataset.id, file.name, file.size, file.lastModified].join("/"),
      onShouldRetry: (error) => ![400, 403, 404, 413, 415, 422].includes(error.originalResponse?.getStatus()),
      onProgress: (sent, total) => line.progress(sent / total, `${megabytes(sent)} of ${megabytes(total)}`),
      onSuccess: async () => {
        done();
        arrivedAs(upload.url.split("/").pop()); // The track has the id of its upload.
        await arrived().catch(() => {});
        line.remove();
        line.settled();
        say(`${file.name} is uploaded and is being prepared.`);
      },
      onError: (error) => {
        done();
        const answer = error.originalResponse;
        line.fail(answer ? sentenceOf(answer.getBody(), "The server did not take this file.") : "The connection was lost. What was sent is kept.");
        const dismiss = { Dismiss: () => line.remove() };
        // What was refused for what it is would be refused again.
        const refused = answer && answer.getStatus() >= 400 && answer.getStatus() < 500;
        line.buttons(refused ? dismiss : { "Try again": () => enqueue(upload, line), ...dismiss });
        line.settled(); // The others need not wait for a file that may never come.
        say(`${file.name}: ${line.note.textContent}`);
      },
    });
    line.settled = () => settled().catch(() => {});
    const [earlier] = await upload.findPreviousUploads();
    if (earlier) upload.resumeFromPreviousUpload(earlier);
    begin(upload, line);
  }

  function begin(upload, line) {
    line.progress(0, "Starting…");
    line.buttons({ Pause: () => pause(upload, line), Cancel: () => cancel(upload, line) });
    upload.start();
  }

  async function pause(upload, line) {
    await upload.abort();
    done();
    line.note.textContent = `Paused. ${line.note.textContent}`;
    line.buttons({ Resume: () => enqueue(upload, line), Cancel: () => discard(upload, line) });
  }

  async function cancel(upload, line) {
    await discard(upload, line);
    done();
  }

  async function discard(upload, line) {
    line.remove();
    line.settled();
    await upload.abort(true).catch(() => {}); // What stays behind on the server expires by itself.
  }

  function enqueue(upload, line) {
    waiting.push(() => begin(upload, line));
    line.progress(0, "Waiting…");
    line.buttons({});
    next();
  }
}

// One file in the list.
class Line {
  constructor(list, name) {
    this.box = make("li", "upload");
    this.note = make("span", "upload-note", "Waiting…");
    this.bar = Object.assign(make("progress"), { max: 1, value: 0 });
    this.bar.setAttribute("aria-label", `Uploading ${name}`);
    this.controls = make("span", "upload-buttons");
    this.name = name;
    this.box.append(make("span", "upload-name", name), this.note, this.controls, this.bar);
    list.append(this.box);
  }

  progress(part, note) {
    this.box.classList.remove("failed");
    this.bar.value = part;
    this.note.textContent = note;
  }

  fail(sentence) {
    this.box.classList.add("failed");
    this.note.textContent = sentence;
  }

  buttons(acts) {
    this.controls.replaceChildren(
      ...Object.entries(acts).map(([label, act]) => {
        const button = make("button", "button quiet small", label);
        button.type = "button";
        button.setAttribute("aria-label", `${label} ${this.name}`);
        button.addEventListener("click", act);
        return button;
      }),
    );
  }

  remove() {
    this.box.remove();
  }
}

function make(tag, className = "", text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function load() {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: LIBRARY, onload: resolve, onerror: reject });
    document.head.append(script);
  });
}
