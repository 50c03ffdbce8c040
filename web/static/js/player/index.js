// The player, begun once for the whole app.

import { PlayerElement } from "./element.js";
import { Recorder } from "./events.js";
import { listenToKeys } from "./keys.js";
import { listenToPages } from "./pages.js";
import { player } from "./player.js";
import { shareWithSystem } from "./session.js";
import { shareWithTabs } from "./tabs.js";

shareWithTabs(player);
shareWithSystem(player);
listenToPages(player);
listenToKeys(player, {
  help: async () => (await import("./help.js")).showKeys(),
  like: () => document.querySelector(`button.favourite[value="track:${player.current?.id}"]`)?.click(),
});
new Recorder(player);
customElements.define("music-player", PlayerElement);
// Where it was before the page was loaded anew; a browser may want a press first.
if (player.wasPlaying) player.play();
