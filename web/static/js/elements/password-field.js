// <password-field>: a button that shows what is typed, and hides it again before it is sent.

import { t } from "../texts.js";

class PasswordField extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("input");
    this.button = this.querySelector("button") ?? this.made();
    this.button.onclick = () => this.show(this.field.type === "password");
    this.hide = () => this.show(false);
    this.field.form?.addEventListener("submit", this.hide);
    addEventListener("turbo:before-cache", this.hide);
    this.show(false);
  }

  disconnectedCallback() {
    this.field.form?.removeEventListener("submit", this.hide);
    removeEventListener("turbo:before-cache", this.hide);
  }

  made() {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button bare small";
    const row = document.createElement("span");
    row.className = "shown-input";
    // Who types already when this script comes goes on typing: a field that is moved loses the cursor.
    const typing = document.activeElement === this.field;
    const { selectionStart, selectionEnd } = this.field;
    this.field.before(row);
    row.append(this.field, button);
    if (typing) {
      this.field.focus({ preventScroll: true });
      this.field.setSelectionRange(selectionStart, selectionEnd);
    }
    return button;
  }

  show(visible) {
    this.field.type = visible ? "text" : "password";
    this.button.textContent = visible ? t("Hide") : t("Show");
    this.button.setAttribute("aria-label", visible ? t("Hide the password") : t("Show the password"));
  }
}

customElements.define("password-field", PasswordField);
