// A newer version waits. It takes over when the listener says so: nothing is loaded anew while music plays unless they ask for it.

import { t } from "../texts.js";
import { toast } from "./toast.js";

let offered = null;

export function offerUpdate(registration) {
  if (offered === registration.waiting) return;
  offered = registration.waiting;
  toast(t("A new version is here."), [
    [t("Reload"), () => takeOver(registration.waiting)],
    [t("Later"), null],
  ]);
}

function takeOver(waiting) {
  navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), { once: true });
  waiting?.postMessage("take over");
}
