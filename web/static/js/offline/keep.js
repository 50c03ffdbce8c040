// Keeping tracks for listening without a connection: fetched in pieces, sealed piece by piece, and gone on with after an interruption.

import { call } from "../api.js";
import { remember } from "../preferences.js";
import { t } from "../texts.js";
import * as store from "./store.js";

const CHUNK_BYTES = 256 * 1024;
const ROOM = 1.2; // So much more than a track has to be free: a browser that is full removes everything.
const HLS = new URL("../../vendor/hls.js/hls.light.min.mjs", import.meta.url);

const working = new Map();

// Events: "change" whenever something more is kept, or less.
export const news = new EventTarget();

export function available() {
  return Boolean(globalThis.crypto?.subtle && globalThis.indexedDB && navigator.serviceWorker?.controller);
}

// Keep this track; resolves when all of it is here. Refused with a sentence.
export function keep(item) {
  if (!available()) return Promise.reject(new Error(t("This browser cannot keep music offline.")));
  if (!working.has(item.id)) working.set(item.id, fetchAll(item).finally(() => (working.delete(item.id), tell())));
  return working.get(item.id);
}

export const isWorking = (id) => working.has(id);

export async function drop(id) {
  await store.remove(id);
  tell();
}

async function fetchAll(item) {
  let offer = await call("POST", `/tracks/${item.id}/offline`);
  let row = await store.track(item.id);
  if (row?.complete && row.run === offer.run && row.owner === offer.owner) return renewed(row, offer);
  if (!row || row.run !== offer.run || row.owner !== offer.owner || row.quality !== offer.quality) row = await begin(item, offer);
  tell();
  for (let n = row.have; n * CHUNK_BYTES < row.size; n++) {
    let answer = await piece(offer, n, row.size);
    if ([401, 403, 410].includes(answer.status)) {
      offer = await call("POST", `/tracks/${item.id}/offline`);
      answer = await piece(offer, n, row.size);
    }
    if (answer.status !== 206) throw new Error(t("This track cannot be kept just now."));
    if (!(await store.track(item.id))) return; // Removed meanwhile.
    const chunk = await sealed(row, n, await answer.arrayBuffer());
    row.have = n + 1;
    await store.putChunk(row, chunk);
    tell();
  }
  row.complete = true;
  row.expiresAt = Date.parse(offer.expires_at);
  await store.put(row);
  remember("kept", true);
  await warm(item);
}

async function begin(item, offer) {
  await store.remove(item.id);
  await makeRoom(offer.size_bytes, item.id);
  const key = await crypto.subtle.importKey("raw", bytesOf(offer.key), "AES-GCM", false, ["encrypt", "decrypt"]);
  const folder = offer.hls_url.slice(0, offer.hls_url.lastIndexOf("/") + 1);
  const [master, playlist, opener] = await Promise.all([
    text(offer.hls_url),
    text(`${folder}${offer.quality}.media.m3u8`),
    offer.key_url ? fetched(offer.key_url).then((answer) => answer.arrayBuffer()) : null,
  ]);
  const now = Date.now();
  const { id, title, artist, artistUrl, release, releaseUrl, url, cover, durationMs, loudnessLufs, truePeakDbtp, waveform } = item;
  const row = {
    item: { id, title, artist, artistUrl, release, releaseUrl, url, cover, durationMs, loudnessLufs, truePeakDbtp, waveform, preview: "", mayPlay: true, reason: "", wayIn: null, lyrics: "" },
    ...{ id: item.id, key, master, playlist, opener, quality: offer.quality, run: offer.run, owner: offer.owner, size: offer.size_bytes },
    ...{ chunk: CHUNK_BYTES, have: 0, complete: false, keptAt: now, usedAt: now, renewedAt: now, expiresAt: Date.parse(offer.expires_at) },
  };
  await store.put(row);
  navigator.storage?.persist?.();
  return row;
}

async function renewed(row, offer) {
  await store.put({ ...row, expiresAt: Date.parse(offer.expires_at), renewedAt: Date.now() });
}

function piece(offer, n, size) {
  const last = Math.min(size, (n + 1) * CHUNK_BYTES) - 1;
  return fetch(offer.file_url, { headers: { Range: `bytes=${n * CHUNK_BYTES}-${last}` }, cache: "no-store" });
}

async function sealed(row, n, plain) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const additionalData = new TextEncoder().encode(`${row.id}:${row.run}:${n}`);
  return { id: row.id, n, iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, row.key, plain) };
}

// What has not been heard for longest goes first when the device is full.
async function makeRoom(size, except) {
  const free = async () => {
    const { quota = Infinity, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {};
    return quota - usage;
  };
  const rows = (await store.all()).filter(({ id }) => id !== except && !working.has(id)).sort((a, b) => a.usedAt - b.usedAt);
  while (rows.length && (await free()) < size * ROOM) await store.remove(rows.shift().id);
  if ((await free()) < size * ROOM) throw new Error(t("There is no room for this on your device."));
}

async function text(address) {
  return (await fetched(address)).text();
}

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(t("This track cannot be kept just now."));
  return answer;
}

// What playing without a connection takes besides the track; the worker keeps what is fetched.
async function warm({ cover, waveform }) {
  await Promise.allSettled([HLS.href, cover, waveform].filter(Boolean).map((address) => fetch(address)));
}

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function tell() {
  news.dispatchEvent(new Event("change"));
}
