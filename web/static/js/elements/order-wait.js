// <order-wait>: looks every few seconds whether the payment of this order arrived, and then shows the page anew.

import { page } from "../api.js";

const EVERY_MS = 3000;

class OrderWait extends HTMLElement {
  connectedCallback() {
    this.timer = setTimeout(() => this.look(), EVERY_MS);
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  async look() {
    // A page in the background asks no more often than it must.
    if (!document.hidden) {
      try {
        const html = await page(location.href);
        if (!html.includes("<order-wait")) {
          window.Turbo.visit(location.href, { action: "replace" });
          return;
        }
      } catch {
        // Next time, perhaps.
      }
    }
    if (this.isConnected) this.connectedCallback();
  }
}

customElements.define("order-wait", OrderWait);
