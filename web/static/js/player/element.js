// <music-player>: shows the one player and passes on what is pressed. Turbo carries the element from page to page.

import { t } from "../texts.js";
import { player } from "./player.js";
import { clock, Waveform } from "./waveform.js";

export const NAMES = { low: t("Low"), medium: t("Medium"), high: t("High"), lossless: t("Lossless"), master: t("Master"), preview: t("Preview"), auto: t("Automatic") };
const REPEATS = { off: t("Repeat: off"), all: t("Repeat: the whole queue"), one: t("Repeat: this track") };
const SHEETS = { queue: () => import("./queue_sheet.js"), lyrics: () => import("./lyrics.js") };

export class PlayerElement extends HTMLElement {
  #wave;
  #shown = null; // The entry whose title and picture are on show.
  #sheet = null; // {name, close}

  connectedCallback() {
    if (!this.#wave) this.#bind();
    this.#render();
    this.#tick();
  }

  #find(id) {
    return this.querySelector(`#${id}`);
  }

  #bind() {
    this.#wave = new Waveform(this.#find("seek"), { hover: this.#find("hover"), onSeek: (seconds) => player.seek(seconds) });
    const press = (id, act) => this.#find(id).addEventListener("click", act);
    press("toggle", () => player.toggle());
    press("previous", () => player.previous());
    press("next", () => player.next());
    press("mute", () => player.set("muted", !player.settings.muted));
    press("shuffle", () => player.arrange((queue) => queue.shuffle(!queue.shuffled)));
    press("repeat", () => player.arrange((queue) => (queue.repeat = { off: "all", all: "one", one: "off" }[queue.repeat])));
    press("queue-button", () => this.#toggleSheet("queue"));
    press("lyrics-button", () => this.#toggleSheet("lyrics"));
    press("keys-button", async () => (await import("./help.js")).showKeys());
    press("expand", () => this.#grow());
    this.querySelector(".now").addEventListener("click", (event) => !event.target.closest("a") && matchMedia("(width < 48rem)").matches && this.#grow());
    this.#find("volume").addEventListener("input", ({ target }) => player.set("volume", Number(target.value)));
    this.#find("qualities").addEventListener("change", ({ target }) => player.set("quality", target.value));
    this.#find("levelling").addEventListener("change", ({ target }) => player.set("levelling", target.checked));
    this.#find("speed").addEventListener("change", ({ target }) => player.set("rate", Number(target.value)));
    this.#find("sleep").addEventListener("change", async ({ target }) => (await import("./sleep.js")).sleepAfter(player, target.value, target));
    player.addEventListener("change", () => this.#render());
    player.addEventListener("time", () => this.#tick());
    addEventListener("resize", () => this.#tick());
    document.addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && this.#sheet && !document.querySelector("dialog[open]") && (event.preventDefault(), this.#closeSheet()));
    // Phones leave the volume to their keys and ignore what a page says.
    const { audio } = player;
    const before = audio.volume;
    audio.volume = 0.5;
    this.querySelector(".volume").hidden = audio.volume !== 0.5;
    audio.volume = before;
  }

  #render() {
    const { current, queue, settings } = player;
    this.hidden = !current;
    document.documentElement.classList.toggle("with-player", Boolean(current));
    if (!current) return this.#closeSheet();
    if (this.#shown !== current) this.#present(current);
    const busy = player.playing || player.waiting;
    this.classList.toggle("busy", player.waiting);
    this.classList.toggle("on", busy);
    this.#label("toggle", busy ? t("Pause") : t("Play"));
    const note = this.#find("now-note");
    if (note.textContent !== player.note) note.textContent = player.note;
    this.classList.toggle("noted", Boolean(player.note));
    note.classList.toggle("problem", player.trouble);
    this.#find("next").disabled = !queue.following(current, { pressed: true });
    this.#press("shuffle", queue.shuffled);
    this.#press("repeat", queue.repeat !== "off");
    this.#label("repeat", REPEATS[queue.repeat]);
    this.#icon("repeat", queue.repeat === "one" ? "repeat-one" : "repeat");
    this.#press("mute", settings.muted);
    this.#icon("mute", settings.muted || !settings.volume ? "mute" : "volume");
    this.#find("volume").value = settings.volume;
    this.#find("levelling").checked = settings.levelling;
    this.#find("speed").value = settings.rate;
    this.#renderQuality();
  }

  #present(item) {
    this.#shown = item;
    const title = this.#find("now-title");
    title.textContent = item.title;
    title.href = item.url || item.releaseUrl;
    const artist = this.#find("now-artist");
    artist.textContent = item.artist;
    artist.href = item.artistUrl;
    const cover = this.#find("now-cover");
    cover.hidden = !item.cover;
    if (item.cover) cover.src = item.cover;
    const from = this.#find("now-from");
    from.textContent = player.queue.context.name || item.release;
    from.href = player.queue.context.url || item.releaseUrl;
    this.#find("length").textContent = clock(player.duration);
    this.#find("lyrics-button").hidden = !item.lyrics;
    if (!item.lyrics && this.#sheet?.name === "lyrics") this.#closeSheet();
    this.#wayIn(item);
    this.#wave.load(item.mayPlay ? item.waveform : "", player.duration);
  }

  // Where only a preview may be heard: why, and the way to the whole.
  #wayIn(item) {
    const place = this.#find("way-in");
    place.hidden = item.mayPlay;
    if (item.mayPlay) return;
    place.textContent = `${t("30 seconds to try.")} ${item.reason} `;
    if (item.wayIn) place.append(Object.assign(document.createElement("a"), { href: item.wayIn.href, textContent: item.wayIn.text }));
  }

  #renderQuality() {
    const { qualities, heard, settings } = player;
    for (const place of this.querySelectorAll("[data-quality]")) {
      const rate = place.dataset.quality !== "short" && heard.kbps ? ` · ${heard.kbps} kbit/s` : "";
      place.textContent = heard.name ? NAMES[heard.name] + rate : t("Sound");
    }
    this.#find("playing-now").hidden = !heard.kbps;
    const group = this.#find("qualities");
    group.hidden = !qualities.length;
    if (group.dataset.names !== qualities.join()) {
      group.dataset.names = qualities.join();
      group.querySelectorAll("[data-rung]").forEach((option) => option.remove());
      for (const name of qualities.toReversed()) {
        const option = group.querySelector(".option").cloneNode(true);
        option.dataset.rung = name;
        Object.assign(option.querySelector("input"), { value: name, checked: false });
        option.querySelector("span").textContent = NAMES[name] ?? name;
        group.append(option);
      }
    }
    // What is wanted and not there is heard in the next best.
    const wanted = group.querySelector(`input[value="${settings.quality}"]`) ?? [...group.querySelectorAll("input")].at(settings.quality === "auto" ? 0 : 1);
    if (wanted) wanted.checked = true;
    const db = player.gainDb;
    this.#find("levelling-note").textContent = !settings.levelling
      ? t("Tracks keep their own loudness.")
      : Math.abs(db) < 0.05 ? t("This track stays as it is.") : db < 0 ? t("This track is turned down by {db} dB.", { db: decibels(-db) }) : t("This track is turned up by {db} dB.", { db: decibels(db) });
  }

  #tick() {
    if (this.hidden) return;
    const { position, duration } = player;
    this.#find("elapsed").textContent = clock(position);
    this.#find("length").textContent = clock(duration);
    this.#wave.show(position, player.buffered, duration);
    this.querySelector(".player-line").value = duration ? position / duration : 0;
  }

  #label(id, text) {
    const button = this.#find(id);
    if (button.ariaLabel === text) return;
    button.ariaLabel = button.title = text;
  }

  #press(id, on) {
    this.#find(id).setAttribute("aria-pressed", String(on));
  }

  #icon(id, name) {
    const use = this.#find(id).querySelector("use");
    const address = use.getAttribute("href").replace(/#.*/, `#${name}`);
    if (use.getAttribute("href") !== address) use.setAttribute("href", address);
  }

  async #toggleSheet(name) {
    const again = this.#sheet?.name === name;
    this.#closeSheet();
    if (again) return;
    const place = this.#find("player-sheet");
    const sheet = (this.#sheet = { name });
    const { open } = await SHEETS[name]();
    if (this.#sheet !== sheet) return;
    place.hidden = false;
    this.#find(`${name}-button`).setAttribute("aria-expanded", "true");
    sheet.close = open(place, player, () => this.#closeSheet());
  }

  #closeSheet() {
    const { name, close } = this.#sheet ?? {};
    if (!name) return;
    this.#sheet = null;
    close?.();
    const place = this.#find("player-sheet");
    const held = place.contains(document.activeElement);
    place.hidden = true;
    place.replaceChildren();
    const button = this.#find(`${name}-button`);
    button.setAttribute("aria-expanded", "false");
    if (held) button.focus();
  }

  async #grow() {
    const { grow } = await import("./full.js");
    grow(this, (full) => {
      this.#icon("expand", full ? "down" : "expand");
      this.#label("expand", full ? t("Small player") : t("Large player"));
    });
  }
}

function decibels(number) {
  return new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(number);
}
