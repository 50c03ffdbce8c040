// Lock screens, headphones, and keyboards with media keys (Media Session).

export function shareWithSystem(player) {
  if (!("mediaSession" in navigator)) return;
  const { mediaSession } = navigator;
  let shown = null;

  const acts = {
    play: () => player.play(),
    pause: () => player.pause(),
    stop: () => player.pause(),
    previoustrack: () => player.previous(),
    nexttrack: () => player.next(),
    seekto: ({ seekTime }) => player.seek(seekTime),
    seekbackward: ({ seekOffset }) => player.seek(player.position - (seekOffset || 10)),
    seekforward: ({ seekOffset }) => player.seek(player.position + (seekOffset || 10)),
  };
  for (const [name, act] of Object.entries(acts)) {
    try {
      mediaSession.setActionHandler(name, act);
    } catch {
      // A browser that does not know this key yet.
    }
  }

  function tell() {
    const item = player.current;
    mediaSession.playbackState = player.playing ? "playing" : "paused";
    if (item && item !== shown) {
      shown = item;
      mediaSession.metadata = new MediaMetadata({ title: item.title, artist: item.artist, album: item.release, artwork: artwork(item.cover) });
    }
    if (player.duration) {
      mediaSession.setPositionState?.({ duration: player.duration, playbackRate: player.audio.playbackRate || 1, position: Math.min(player.position, player.duration) });
    }
  }
  player.addEventListener("change", tell);
}

// The store holds each cover as <size>.<kind>; the page names the one of 600 pixels.
function artwork(cover) {
  const found = cover?.match(/^(.*\/)600\.(jpg|webp)(.*)$/);
  if (!found) return cover ? [{ src: cover }] : [];
  const [, folder, kind, rest] = found;
  return [300, 600, 1200].map((px) => ({ src: `${folder}${px}.${kind}${rest}`, sizes: `${px}x${px}`, type: kind === "jpg" ? "image/jpeg" : "image/webp" }));
}
