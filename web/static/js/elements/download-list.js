// <download-list data-address data-start>: begins with what was ready at once, keeps the list of downloads fresh while some are being prepared, and says when one is ready.

import { page } from "../api.js";
import { t } from "../texts.js";

const EVERY_MS = 2000;

class DownloadList extends HTMLElement {
  connectedCallback() {
    const { start } = this.dataset;
    if (start) {
      // Once: not again when this page is shown a second time. What is sent is a file, so the page and its music stay.
      delete this.dataset.start;
      history.replaceState(history.state, "", location.pathname);
      location.assign(start);
    }
    this.wait();
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  wait() {
    clearTimeout(this.timer);
    if (this.querySelector("[data-preparing]")) this.timer = setTimeout(() => this.refresh(), EVERY_MS);
  }

  async refresh() {
    // A page in the background asks no more often than it must.
    if (!document.hidden) {
      try {
        this.show(await page(this.dataset.address + location.search));
      } catch {
        // Next time, perhaps: what is shown is still what was true a moment ago.
      }
    }
    if (this.isConnected) this.wait();
  }

  show(html) {
    const before = this.stages();
    // Whoever stands on a button of the list keeps their place.
    const held = document.activeElement?.closest("[data-id]")?.dataset.id;
    this.querySelector("[data-lines]").innerHTML = html;
    if (held) this.querySelector(`[data-id="${CSS.escape(held)}"] :is(a, button)`)?.focus();
    for (const [id, { stage, title }] of this.stages()) {
      if (stage === "ready" && before.get(id)?.stage === "preparing") this.querySelector("[role=status]").textContent = t("{title} is ready.", { title });
    }
  }

  stages() {
    return new Map([...this.querySelectorAll("[data-stage]")].map(({ dataset }) => [dataset.id, { ...dataset }]));
  }
}

customElements.define("download-list", DownloadList);
