// <share-button data-title data-url><button data-open="share"></share-button>: on phones the system's own way to pass something on;
// elsewhere the box that the button opens.

class ShareButton extends HTMLElement {
  connectedCallback() {
    // Before dialogs.js hears of it, which listens on the document.
    this.onclick = (event) => {
      const shown = { title: this.dataset.title, url: this.dataset.url };
      if (!matchMedia("(pointer: coarse)").matches || !navigator.canShare?.(shown)) return;
      event.stopPropagation();
      navigator.share(shown).catch((error) => {
        // AbortError: they thought better of it.
        if (error.name !== "AbortError") document.getElementById("share")?.showModal();
      });
    };
  }
}

customElements.define("share-button", ShareButton);
