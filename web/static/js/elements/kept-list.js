// What is kept on this device, as a list that plays; shown with and without a connection.

import { drop, isWorking, keep, news } from "../offline/keep.js";
import * as store from "../offline/store.js";
import { t } from "../texts.js";

class KeptList extends HTMLElement {
  connectedCallback() {
    this.show = () => this.#show();
    news.addEventListener("change", this.show);
    this.#show();
  }

  disconnectedCallback() {
    news.removeEventListener("change", this.show);
  }

  async #show() {
    const rows = inOrder((await store.all()).filter(({ expiresAt }) => Date.now() < expiresAt));
    const list = this.querySelector("ol");
    list.replaceChildren(...rows.map((row) => this.#line(row)));
    this.querySelector("[data-none]").hidden = rows.length > 0;
    this.querySelector("[data-some]").hidden = rows.length === 0;
    const used = rows.reduce((sum, { have, chunk, size }) => sum + Math.min(size, have * chunk), 0);
    const { quota = 0, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
    const meter = this.querySelector("meter");
    meter.max = quota || 1;
    meter.value = usage;
    this.querySelector("[data-used]").textContent = t("{used} of music here; this app may use {most} on this device.", { used: size(used), most: size(quota) });
    const removeAll = this.querySelector("[data-remove-all]");
    removeAll.onclick = async () => {
      for (const { id } of rows) await drop(id);
    };
  }

  #line(row) {
    const line = this.querySelector("template").content.firstElementChild.cloneNode(true);
    const { item } = row;
    const find = (name) => line.querySelector(`[data-${name}]`);
    find("title").textContent = item.title;
    find("artist").textContent = item.artist;
    const left = Math.ceil((row.expiresAt - Date.now()) / 86_400_000);
    const percent = Math.floor((100 * Math.min(row.size, row.have * row.chunk)) / row.size);
    find("state").textContent = row.complete ? t("{size}, for {days} days", { size: size(row.size), days: left }) : t("{percent} % is here", { percent });
    const remove = find("remove");
    remove.setAttribute("aria-label", t("Remove {title}", item));
    remove.onclick = () => drop(row.id);
    const play = find("play");
    play.setAttribute("aria-label", t("Play {title}", item));
    play.disabled = !row.complete;
    if (row.complete) line.dataset.track = JSON.stringify(item);
    const goOn = find("go-on");
    goOn.hidden = row.complete || isWorking(row.id);
    goOn.onclick = () => keep(item).catch((error) => (find("state").textContent = error.message));
    return line;
  }
}

// What was kept last stands first; the tracks of a release stay together, in the order they were kept in.
function inOrder(rows) {
  const latest = new Map();
  for (const { item, keptAt } of rows) latest.set(item.releaseUrl, Math.max(keptAt, latest.get(item.releaseUrl) ?? 0));
  return rows.sort((a, b) => latest.get(b.item.releaseUrl) - latest.get(a.item.releaseUrl) || a.keptAt - b.keptAt);
}

function size(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const at = Math.min(units.length - 1, bytes > 0 ? Math.floor(Math.log10(bytes) / 3) : 0);
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: units[at], maximumFractionDigits: at > 2 ? 1 : 0 }).format(bytes / 1000 ** at);
}

customElements.define("kept-list", KeptList);
