// <payment-wait>: looks every few seconds whether the payment has arrived, and then goes on to where the server leads.

const EVERY_MS = 3000;
// After a minute the page has something else to say.
const LOOKS = 20;

class PaymentWait extends HTMLElement {
  connectedCallback() {
    this.looks = 0;
    this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  async look() {
    // A page in the background asks no more often than it must.
    if (document.hidden) return;
    this.looks += 1;
    const arrived = await fetch(`${location.pathname}?look`, { redirect: "manual" }).then(
      (answer) => answer.type === "opaqueredirect",
      () => false,
    );
    if (this.isConnected && (arrived || this.looks === LOOKS)) window.Turbo.visit(location.pathname, { action: "replace" });
  }
}

customElements.define("payment-wait", PaymentWait);
