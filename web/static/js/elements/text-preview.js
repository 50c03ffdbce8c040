// <text-preview data-url>: shows a rich text as it will look, while it is written.

class TextPreview extends HTMLElement {
  connectedCallback() {
    this.shown = this.querySelector("[data-shown]");
    this.area = this.querySelector("textarea");
    this.querySelector("[data-preview]").onclick = (event) => {
      event.preventDefault();
      this.show();
    };
    this.area.oninput = () => {
      if (this.shown.hidden) return;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.show(), 400);
    };
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.asked?.abort();
  }

  async show() {
    this.asked?.abort();
    this.asked = new AbortController();
    const body = new FormData();
    body.set("text", this.area.value);
    body.set("csrf_token", this.closest("form").elements.csrf_token.value);
    try {
      const answer = await fetch(this.dataset.url, { method: "POST", body, signal: this.asked.signal });
      if (!answer.ok) return;
      // The server made it safe: only a few tags, and links to the web.
      this.shown.innerHTML = await answer.text();
      this.shown.hidden = false;
    } catch {
      // Offline, or another letter was typed: what is shown stays.
    }
  }
}

customElements.define("text-preview", TextPreview);
