// Two tabs of the app do not play at once: the one that starts tells the others to pause.

export function shareWithTabs(player) {
  if (!("BroadcastChannel" in window)) return;
  const channel = new BroadcastChannel("musicconnect.player");
  player.audio.addEventListener("play", () => channel.postMessage("playing"));
  channel.addEventListener("message", () => player.playing && player.pause());
}
