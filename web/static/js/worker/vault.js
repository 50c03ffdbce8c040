// Tracks that are kept on this device, given to the player as if they came from the server: decrypted range by range, never as a whole.

const VAULT = "kept";

function vault() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(VAULT, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("tracks", { keyPath: "id" });
      opening.result.createObjectStore("chunks", { keyPath: ["id", "n"] });
    };
    opening.onsuccess = () => {
      // Whoever deletes it must not wait for us.
      opening.result.onversionchange = () => opening.result.close();
      resolve(opening.result);
    };
    opening.onerror = () => reject(opening.error);
  });
}

function done(asked) {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function fromVault(request) {
  const [, id, name] = new URL(request.url).pathname.match(/^\/offline\/media\/(\w+)\/([\w.]+)$/) ?? [];
  const database = await vault();
  try {
    const track = id && (await done(database.transaction("tracks").objectStore("tracks").get(id)));
    if (!track?.complete) return new Response("", { status: 404 });
    if (Date.now() >= track.expiresAt) return new Response("", { status: 410 });
    if (name === "master.m3u8") {
      track.usedAt = Date.now();
      await done(database.transaction("tracks", "readwrite").objectStore("tracks").put(track));
      return playlist(track.master);
    }
    if (name === `${track.quality}.media.m3u8`) return playlist(track.playlist);
    // An exclusive track is encrypted by the server too; its key is of no use without the one that the chunks are sealed with.
    if (name === `${track.quality}.key` && track.opener) return new Response(track.opener, { headers: { "Content-Type": "application/octet-stream", "Cache-Control": "no-store" } });
    if (name === `${track.quality}.mp4`) return await bytesOf(database, track, request.headers.get("Range"));
    return new Response("", { status: 404 });
  } finally {
    database.close();
  }
}

function playlist(text) {
  return new Response(text, { headers: { "Content-Type": "application/vnd.apple.mpegurl", "Cache-Control": "no-store" } });
}

async function bytesOf(database, track, range) {
  const [, from = "0", to = ""] = range?.match(/^bytes=(\d+)-(\d*)$/) ?? [];
  const start = Number(from);
  const stop = Math.min(track.size, to === "" ? track.size : Number(to) + 1);
  if (start >= stop) return new Response("", { status: 416, headers: { "Content-Range": `bytes */${track.size}` } });
  const bytes = new Uint8Array(stop - start);
  for (let n = Math.floor(start / track.chunk); n * track.chunk < stop; n++) {
    const plain = await opened(database, track, n);
    const first = Math.max(start, n * track.chunk);
    const last = Math.min(stop, n * track.chunk + plain.length);
    bytes.set(plain.subarray(first - n * track.chunk, last - n * track.chunk), first - start);
  }
  const headers = { "Content-Type": "audio/mp4", "Accept-Ranges": "bytes", "Content-Length": String(bytes.length), "Cache-Control": "no-store" };
  if (range) headers["Content-Range"] = `bytes ${start}-${stop - 1}/${track.size}`;
  return new Response(bytes, { status: range ? 206 : 200, headers });
}

async function opened(database, track, n) {
  const { iv, data } = await done(database.transaction("chunks").objectStore("chunks").get([track.id, n]));
  // The place of a chunk is sealed with it: none can be put in place of another.
  const additionalData = new TextEncoder().encode(`${track.id}:${track.run}:${n}`);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, track.key, data));
}

async function forget() {
  await caches.delete(PICTURES);
  await new Promise((resolve) => {
    const deleting = indexedDB.deleteDatabase(VAULT);
    deleting.onsuccess = deleting.onerror = resolve;
  });
}
