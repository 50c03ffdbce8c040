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
  "artwork-crop",
  "copy-text",
  "favourite-button",
  "frame-sheet",
  "instant-form",
  "kept-list",
  "link-rows",
  "local-time",
  "password-field",
  "playlist-order",
  "release-desk",
  "search-box",
  "share-button",
  "text-preview",
  "theme-choice",
  "upload-list",
  "wave-picture",
  "zoned-time",
];

const known = new Set();

function enliven(root = document) {
  for (const name of LAZY) {
    if (!known.has(name) && root.querySelector(name)) {
      known.add(name);
      import(`./elements/${name}.js`).catch(() => known.delete(name));
    }
  }
}

// On a narrow screen a row of tabs scrolls; the tab of this page must not be the one that is hidden.
function showCurrentTabs() {
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
    const row = tab.closest(".tabs");
    const [own, whole] = [tab.getBoundingClientRect(), row.getBoundingClientRect()];
    row.scrollLeft += own.left + own.width / 2 - (whole.left + whole.width / 2);
  }
}

enliven();
showCurrentTabs();
addEventListener("turbo:load", () => {
  enliven();
  showCurrentTabs();
});
addEventListener("turbo:frame-load", ({ target }) => enliven(target));
addEventListener("turbo:before-stream-render", () => setTimeout(enliven));
