// A short word at the edge of the screen, with what one may do about it. It stands outside of the body, which Turbo replaces.

const STYLE = new URL("../../css/installed.css", import.meta.url).href;
const SHOWN_MS = 6000;
let box = null;
let timer;

// *acts* are pairs of a text and what happens; with them the word stays until one is chosen.
export function toast(sentence, acts = []) {
  if (!document.querySelector(`link[href="${STYLE}"]`)) document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: STYLE }));
  clearTimeout(timer);
  box ??= document.documentElement.appendChild(Object.assign(document.createElement("div"), { className: "toast" }));
  box.setAttribute("role", "status");
  const text = Object.assign(document.createElement("p"), { textContent: sentence });
  box.replaceChildren(text, ...acts.map(([label, act], at) => button(label, act, at)));
  box.hidden = false;
  if (!acts.length) timer = setTimeout(close, SHOWN_MS);
}

function button(label, act, at) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: label, className: at ? "button bare small" : "button small" });
  made.addEventListener("click", () => (close(), act?.()));
  return made;
}

function close() {
  box.hidden = true;
}
