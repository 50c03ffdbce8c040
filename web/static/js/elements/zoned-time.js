// <zoned-time><input type="datetime-local">: the field is in UTC for the server, and in the zone of this browser for who fills it in.

import { t } from "../texts.js";

class ZonedTime extends HTMLElement {
  connectedCallback() {
    if (this.sent?.isConnected) return;
    const field = this.querySelector("input");
    this.sent = Object.assign(document.createElement("input"), { type: "hidden", name: field.name });
    field.removeAttribute("name");
    // What was not taken comes back as it was sent, with its zone; what is stored comes in UTC.
    const given = field.getAttribute("value");
    if (given) field.value = local(new Date(/Z|[+-]\d\d:\d\d$/.test(given) ? given : `${given}Z`));
    field.min = local(new Date());
    field.after(this.sent);
    field.oninput = () => (this.sent.value = field.value && new Date(field.value).toISOString());
    field.oninput();
    const hint = this.querySelector(".hint");
    if (hint) hint.textContent = t("In your time zone, {zone}.", { zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
  }
}

function local(instant) {
  if (Number.isNaN(instant.getTime())) return "";
  return new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

customElements.define("zoned-time", ZonedTime);
