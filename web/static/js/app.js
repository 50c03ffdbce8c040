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

enliven();
addEventListener("turbo:load", () => enliven());
addEventListener("turbo:frame-load", ({ target }) => enliven(target));
addEventListener("turbo:before-stream-render", () => setTimeout(enliven));
