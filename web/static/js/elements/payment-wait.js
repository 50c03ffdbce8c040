// <payment-wait>: looks again every few seconds whether the payment has arrived; the server then leads on.

const EVERY_MS = 3000;

class PaymentWait extends HTMLElement {
  connectedCallback() {
    this.timer = setInterval(() => {
      // A page in the background asks no more often than it must.
      if (!document.hidden) window.Turbo.visit(location.href, { action: "replace" });
    }, EVERY_MS);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }
}

customElements.define("payment-wait", PaymentWait);
