// The one entry of all pages. Pages work without it; with it, moving between them keeps the music, and elements come to life.

import * as Turbo from "../vendor/turbo/turbo.es2017-esm.min.js";
import "./player/index.js";
import "./dialogs.js";
import "./installed.js";

window.Turbo = Turbo;
Turbo.config.drive.progressBarDelay = 250;

// Elements whose script is fetched when the first one is met: the name of the element, and its module in elements/.
const LAZY = [
  "accent-field",
  "copy-text",
  "download-list",
  "favourite-button",
  "frame-sheet",
  "instant-form",
  "kept-list",
  "link-rows",
  "local-time",
  "order-wait",
  "passkey-button",
  "password-field",
  "payment-wait",
  "playlist-order",
  "release-desk",
  "share-button",
  "text-preview",
  "theme-choice",
  "upload-list",
  "wave-picture",
  "zoned-time",
];

// Those that need no script before somebody turns to them: by the focus, or a pointer over them.
const LATER = ["artwork-crop", "search-box"];

const known = new Set();

function fetchElement(name) {
  if (known.has(name)) return;
  known.add(name);
  import(`./elements/${name}.js`).catch(() => known.delete(name));
}

function enliven(root = document) {
  for (const name of LAZY) if (root.querySelector(name)) fetchElement(name);
}

function turnTo({ target }) {
  const box = target.closest?.(LATER.join());
  if (box) fetchElement(box.localName);
}

// On a narrow screen a row of tabs scrolls; the tab of this page must not be the one that is hidden.
function showCurrentTabs() {
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
    const row = tab.closest(".tabs");
    const [own, whole] = [tab.getBoundingClientRect(), row.getBoundingClientRect()];
    row.scrollLeft += own.left + own.width / 2 - (whole.left + whole.width / 2);
  }
}

// What is fixed to the bottom covers what lies under it; the page leaves as much room below its end.
const room = new CSSStyleSheet();
const measuring = new ResizeObserver(([{ target }]) => room.replaceSync(`:root { --dock: ${target.offsetHeight}px }`));
document.adoptedStyleSheets.push(room);

function makeRoom() {
  measuring.disconnect();
  const dock = document.querySelector(".dock");
  if (dock) measuring.observe(dock);
}

// A page with a form begins a session for who has none. Fetched twice at once, by the hover and by the press that follows it, it would
// begin two, and the form of one be sent with the cookie of the other.
const WITHOUT_FORMS = /^\/($|@|artists|genres|tags|new)/;

function sparePrefetch(event) {
  if (document.querySelector(".site-sign-in") && !WITHOUT_FORMS.test(event.target.pathname)) event.preventDefault();
}

function arrive() {
  enliven();
  showCurrentTabs();
  makeRoom();
}

arrive();
addEventListener("turbo:load", arrive);
addEventListener("turbo:before-prefetch", sparePrefetch);
addEventListener("focusin", turnTo);
addEventListener("pointerover", turnTo);
addEventListener("dragenter", turnTo);
addEventListener("change", turnTo);
addEventListener("turbo:frame-load", ({ target }) => enliven(target));
addEventListener("turbo:before-stream-render", () => setTimeout(enliven));
