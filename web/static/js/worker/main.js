// Which request is answered how. What is not named here goes to the network as if there were no worker.

self.addEventListener("install", (event) => event.waitUntil(precache()));

self.addEventListener("activate", (event) => event.waitUntil(removeFormer().then(() => self.clients.claim())));

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
  if (event.data === "forget") event.waitUntil(forget().then(() => event.ports[0]?.postMessage("forgotten")));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname.startsWith("/assets/")) event.respondWith(fixed(request));
  else if (pathname.startsWith("/offline/media/")) event.respondWith(fromVault(request));
  else if (/^\/(artwork|waveforms)\//.test(pathname)) event.respondWith(picture(request, event));
  else if (isPage(request, pathname)) event.respondWith(page(request));
});

// A visit: by the browser, or by Turbo, which asks for HTML but not for a part of a page.
function isPage(request, pathname) {
  if (/^\/(api|media|metrics|embed)\b/.test(pathname)) return false;
  if (request.mode === "navigate") return true;
  return (request.headers.get("Accept") ?? "").startsWith("text/html") && !request.headers.has("Turbo-Frame");
}
