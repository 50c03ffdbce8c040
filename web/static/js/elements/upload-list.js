// <upload-list data-release>: masters come in here. The uploads themselves live on while pages change; a list shows those of its release.

import { t } from "../texts.js";
import { begin, belonging, changed } from "../studio/uploads.js";

class UploadList extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector(".uploads");
    this.drop = this.querySelector(".drop");
    this.input = this.querySelector('input[type="file"]');
    this.input.multiple = !this.dataset.trackId; // A plain form sends one.
    this.input.onchange = () => {
      this.take([...this.input.files]);
      this.input.value = "";
    };
    this.drop.ondragenter = this.drop.ondragover = (event) => {
      event.preventDefault();
      this.drop.classList.add("over");
    };
    this.drop.ondragleave = () => this.drop.classList.remove("over");
    this.drop.ondrop = (event) => this.dropped(event);
    this.following = new AbortController();
    changed.addEventListener("change", () => this.show(), { signal: this.following.signal });
    changed.addEventListener("said", ({ detail }) => this.say(detail), { signal: this.following.signal });
    // A file dropped beside the zone must not replace the page.
    for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault(), this.following);
    this.show();
    if (this.input.files.length) this.input.onchange(); // Somebody was quicker than this script.
  }

  disconnectedCallback() {
    this.following.abort();
    this.list.replaceChildren(); // The copy that is kept of a page must not show a bar that stands still.
  }

  get place() {
    return this.dataset.trackId || this.dataset.release;
  }

  show() {
    const boxes = belonging(this.place).map((upload) => upload.box);
    if (boxes.length !== this.list.children.length || boxes.some((box, index) => this.list.children[index] !== box)) this.list.replaceChildren(...boxes);
  }

  async dropped(event) {
    event.preventDefault();
    this.drop.classList.remove("over");
    // The list of what was dropped is empty after the first wait.
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const loose = [...event.dataTransfer.files];
    const files = entries.length ? (await Promise.all(entries.map(filesIn))).flat() : loose;
    this.take(files);
  }

  take(files) {
    if (this.dataset.trackId) files = files.slice(0, 1);
    if (!files.length) return;
    this.say(files.length === 1 ? t("Uploading {name}.", { name: files[0].name }) : t("Uploading {count} files.", { count: files.length }));
    begin(files, { release: this.dataset.release, track: this.dataset.trackId ?? "", mostBytes: Number(this.dataset.maxBytes) });
  }

  say(sentence) {
    this.querySelector("[data-said]").textContent = sentence;
  }
}

// Of a folder, what may be music: its pictures and notes would only be refused one by one.
const MUSIC = /\.(wav|aiff?|flac|m4a|mp3|aac|og[ga]|opus|caf)$/i;

async function filesIn(entry, inside = false) {
  if (entry.isFile) {
    if (inside && !MUSIC.test(entry.name)) return [];
    return [await new Promise((resolve, reject) => entry.file(resolve, reject))];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    // A reader gives a hundred entries at a time.
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map((child) => filesIn(child, true)))).flat();
}

customElements.define("upload-list", UploadList);
