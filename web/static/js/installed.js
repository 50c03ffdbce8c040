// The installed app: its worker, what it offers now and then, and keeping music. Little here; the rest is fetched when it is needed.

import { recall, remember } from "./preferences.js";
import { t } from "./texts.js";

const worker = navigator.serviceWorker;

if (worker) {
  addEventListener("load", register, { once: true });
  if (document.readyState === "complete") register();
}

async function register() {
  const registration = await worker.register("/service-worker.js").catch(() => null);
  if (!registration) return;
  const look = async () => registration.waiting && worker.controller && (await import("./installed/update.js")).offerUpdate(registration);
  look();
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", look));
}

addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  import("./installed/prompt.js").then(({ offerLater }) => offerLater(event));
});

if (!sessionStorage.getItem("musicconnect.visit")) {
  sessionStorage.setItem("musicconnect.visit", "1");
  remember("visits", recall("visits", 0) + 1);
}

// Whose page this is: the word of the person who is signed in, empty for nobody, missing where it was no page of the server's.
function tend() {
  const owner = document.querySelector('meta[name="listener"]')?.content;
  if (owner !== undefined && recall("kept", null)) import("./offline/tending.js").then(({ tend }) => tend(owner)).catch(() => {});
}
addEventListener("turbo:load", tend);
addEventListener("online", tend);

// Signing out takes along what is private, before the form is sent; the answer clears the rest (Clear-Site-Data).
document.addEventListener("submit", ({ target }) => {
  if (!target.action?.endsWith("/sign-out")) return;
  remember("kept", null);
  worker?.controller?.postMessage("forget");
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-keep-offline], [data-keep-all]");
  if (!button) return;
  const rows = button.matches("[data-keep-all]") ? (button.closest("[data-queue]") ?? document).querySelectorAll("[data-track]") : [button.closest("[data-track]")];
  const items = [...rows].map((row) => JSON.parse(row.dataset.track)).filter((item) => item.mayKeep);
  const [{ keep }, { toast }] = await Promise.all([import("./offline/keep.js"), import("./installed/toast.js")]);
  toast(items.length === 1 ? t("“{title}” is being kept offline.", items[0]) : t("{count} tracks are being kept offline.", { count: items.length }));
  remember("kept", true);
  try {
    for (const item of items) await keep(item);
    toast(items.length === 1 ? t("“{title}” plays offline now.", items[0]) : t("{count} tracks play offline now.", { count: items.length }));
  } catch (error) {
    toast(error.message);
  }
});
