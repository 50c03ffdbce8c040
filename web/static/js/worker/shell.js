// What the worker keeps of the app itself. FACTS is written in front of this by the server: version, shell, offline.

const SHELL = `shell-${FACTS.version}`;
const PICTURES = "pictures";
const MOST_PICTURES = 300;

// Without cookies: what is kept here must be nobody's.
async function precache() {
  const cache = await caches.open(SHELL);
  await cache.addAll(FACTS.shell.map((address) => new Request(address, { credentials: "omit" })));
  const page = await fetch(FACTS.offline, { credentials: "omit", cache: "no-store" });
  if (!page.ok) throw new Error("The offline page is not there.");
  await cache.put(FACTS.offline, page);
}

async function removeFormer() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== SHELL && name !== PICTURES).map((name) => caches.delete(name)));
}

// Addresses of static files change with their bytes, so the first copy is right for ever.
async function fixed(request) {
  const cache = await caches.open(SHELL);
  const kept = await cache.match(request.url);
  if (kept) return kept;
  const answer = await fetch(request);
  const own = new URL(request.url).pathname.startsWith(`/assets/${FACTS.version}/`);
  if (answer.status === 200 && own) await cache.put(request.url, answer.clone());
  return answer;
}

// Covers and waveforms: at once what is here, and the newest for the next time. The oldest go.
async function picture(request, event) {
  const cache = await caches.open(PICTURES);
  const kept = await cache.match(request.url);
  const fresh = fetch(request).then(async (answer) => {
    if (answer.status === 200 && answer.type === "basic") event.waitUntil(keepPicture(cache, request.url, answer.clone()));
    return answer;
  });
  if (!kept) return fresh;
  event.waitUntil(fresh.catch(() => {}));
  return kept;
}

async function keepPicture(cache, address, answer) {
  await cache.put(address, answer);
  const addresses = await cache.keys();
  await Promise.all(addresses.slice(0, Math.max(0, addresses.length - MOST_PICTURES)).map((oldest) => cache.delete(oldest)));
}

// Pages are always those of this moment and this person; none is kept but the one that says that there is no connection.
async function page(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await (await caches.open(SHELL)).match(FACTS.offline);
    if (!kept) throw error;
    return kept;
  }
}
