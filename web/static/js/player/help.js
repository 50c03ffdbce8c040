// The list of keys, in a dialog.

import { t } from "../texts.js";

const KEYS = [
  [["Space"], t("Play or pause")],
  [["←", "→"], t("Five seconds back or on")],
  [["↑", "↓"], t("Louder or softer")],
  [["j", "k"], t("Previous or next track")],
  [["m"], t("Mute")],
  [["l"], t("Like this track")],
  [["?"], t("This list")],
];

export function showKeys() {
  const open = document.querySelector("dialog.keys");
  if (open) return open.close();
  const dialog = make("dialog", { className: "dialog keys" });
  const title = make("h2", { id: "keys-title", textContent: t("Keys") });
  const close = make("button", { className: "button quiet small", textContent: t("Close") });
  const list = make("dl", {});
  for (const [keys, text] of KEYS) {
    const row = make("div", {});
    row.append(make("dt", {}), make("dd", { textContent: text }));
    row.firstChild.append(...keys.map((key) => make("kbd", { textContent: key })));
    list.append(row);
  }
  dialog.setAttribute("aria-labelledby", title.id);
  dialog.append(title, list, close);
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function make(name, values) {
  return Object.assign(document.createElement(name), values);
}
