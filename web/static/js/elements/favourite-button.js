// Keeping and following without a reload: the button shows at once what was wanted, and takes it back when the server says no.

class FavouriteButton extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", this);
  }

  disconnectedCallback() {
    this.removeEventListener("click", this);
  }

  handleEvent(event) {
    const button = event.target.closest("button");
    if (!button?.form) return;
    event.preventDefault();
    this.change(button);
  }

  async change(button) {
    const { form, name, value } = button;
    show(value, name === "keep");
    const sent = new URLSearchParams(new FormData(form));
    sent.set(name, value);
    try {
      const answer = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" }, body: sent });
      if (!answer.ok) throw new Error(answer.status);
      // What Turbo keeps of other pages says otherwise now.
      window.Turbo?.cache.clear();
      this.dispatchEvent(new CustomEvent("kept", { bubbles: true, detail: { value, kept: name === "keep" } }));
    } catch {
      show(value, name !== "keep");
      // Signed out, or too long open: the page that the server answers with says so.
      if (navigator.onLine) form.requestSubmit(button);
    }
  }
}

// Every button of the page that stands for the same thing.
function show(value, kept) {
  for (const button of document.querySelectorAll(`favourite-button button[value="${CSS.escape(value)}"]`)) {
    button.name = kept ? "drop" : "keep";
    if (button.hasAttribute("aria-pressed")) button.setAttribute("aria-pressed", kept);
  }
}

customElements.define("favourite-button", FavouriteButton);
