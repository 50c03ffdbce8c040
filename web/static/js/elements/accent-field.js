// <accent-field data-url>: shows at once how a chosen colour will be read on the light page and on the dark.

class AccentField extends HTMLElement {
  connectedCallback() {
    this.colour = this.querySelector('input[type="color"]');
    this.own = this.querySelector('input[type="checkbox"]');
    this.colour.oninput = () => {
      this.own.checked = true;
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.show(), 120);
    };
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.asked?.abort();
  }

  async show() {
    this.asked?.abort();
    this.asked = new AbortController();
    const url = `${this.dataset.url}?colour=${encodeURIComponent(this.colour.value)}`;
    try {
      const answer = await fetch(url, { signal: this.asked.signal });
      if (answer.ok) this.querySelector("[data-shown]").innerHTML = await answer.text();
    } catch {
      // Offline, or another colour was chosen meanwhile.
    }
  }
}

customElements.define("accent-field", AccentField);
