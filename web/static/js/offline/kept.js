// The permission to hear a track that is kept on this device, in the form in which the server gives it.

import * as store from "./store.js";

export async function permitFor(id) {
  const row = await store.track(id).catch(() => null);
  if (!row?.complete || Date.now() >= row.expiresAt || !navigator.serviceWorker?.controller) return null;
  const expires_at = new Date(row.expiresAt).toISOString();
  return { hls_url: new URL(`/offline/media/${id}/master.m3u8`, location.href).href, expires_at, qualities: [row.quality], servedAt: Date.now() };
}
