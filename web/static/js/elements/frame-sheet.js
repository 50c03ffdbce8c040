// A dialog whose content is a page of its own: a link that names the frame opens it over the page one is on.

class FrameSheet extends HTMLElement {
  connectedCallback() {
    this.addEventListener("turbo:frame-load", this);
    this.addEventListener("turbo:frame-missing", this);
    this.dialog.addEventListener("close", this);
  }

  disconnectedCallback() {
    this.removeEventListener("turbo:frame-load", this);
    this.removeEventListener("turbo:frame-missing", this);
    this.dialog?.removeEventListener("close", this);
  }

  handleEvent(event) {
    if (event.type === "turbo:frame-load") {
      if (!this.dialog.open) this.dialog.showModal();
    } else if (event.type === "close") {
      // The same link shall ask anew the next time.
      this.frame.removeAttribute("src");
      this.frame.replaceChildren();
    } else {
      // Signed out meanwhile: the answer is another page, and is shown as one.
      event.preventDefault();
      event.detail.visit(event.detail.response);
    }
  }

  get dialog() {
    return this.querySelector("dialog");
  }

  get frame() {
    return this.querySelector("turbo-frame");
  }
}

customElements.define("frame-sheet", FrameSheet);
