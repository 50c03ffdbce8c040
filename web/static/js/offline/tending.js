// Looking after what is kept: another person's goes at once, what is over goes, and the rest is renewed while there is a connection.

import { call } from "../api.js";
import { remember } from "../preferences.js";
import { keep } from "./keep.js";
import * as store from "./store.js";

const RENEW_AFTER_MS = 24 * 3600 * 1000;

export async function tend(owner) {
  const rows = await store.all();
  for (const row of rows) {
    if (row.owner !== owner || Date.now() >= row.expiresAt) await store.remove(row.id);
    else if (!row.complete) keep(row.item).catch(() => {}); // It was interrupted; it goes on from there.
    else if (Date.now() - row.renewedAt > RENEW_AFTER_MS) await renew(row);
  }
  remember("kept", (await store.all()).length > 0 || null);
}

async function renew(row) {
  try {
    const offer = await call("POST", `/tracks/${row.id}/offline`);
    const expiresAt = Date.parse(offer.expires_at);
    if (offer.run === row.run) await store.put({ ...row, expiresAt, renewedAt: Date.now() });
    else await keep(row.item); // It was made anew since.
  } catch (error) {
    // A refusal counts; a lost connection does not.
    if ([401, 403, 404].includes(error.status)) await store.remove(row.id);
  }
}
