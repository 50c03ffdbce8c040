// <copy-text><input readonly></copy-text>: a button that copies what cannot be seen again.

import { t } from "../texts.js";

class CopyText extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("input");
    this.field.onfocus = () => this.field.select();
    this.button = this.querySelector("button") ?? this.made();
    this.button.onclick = () => this.copy();
  }

  made() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet small";
    button.textContent = t("Copy");
    button.setAttribute("aria-live", "polite");
    this.append(button);
    return button;
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.field.value);
      this.button.textContent = t("Copied");
      this.timer = setTimeout(() => (this.button.textContent = t("Copy")), 2000);
    } catch {
      // Without permission, or without https: it is selected, ready for the keyboard.
      this.field.focus();
    }
  }
}

customElements.define("copy-text", CopyText);
