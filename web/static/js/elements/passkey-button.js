// <passkey-button>: asks the browser for a passkey (data-ask) or to make one (data-make), and sends the form with the answer.

import { t } from "../texts.js";

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

function request({ challenge, allowCredentials, ...rest }) {
  return { ...rest, challenge: bytes(challenge), ...(allowCredentials?.length && { allowCredentials: allowCredentials.map(known) }) };
}

function creation({ challenge, user, excludeCredentials = [], ...rest }) {
  return { ...rest, challenge: bytes(challenge), user: { ...user, id: bytes(user.id) }, excludeCredentials: excludeCredentials.map(known) };
}

const known = (one) => ({ ...one, id: bytes(one.id) });

function written({ id, rawId, type, response }) {
  const part = (name) => (response[name] ? { [name]: text(response[name]) } : {});
  const names = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const said = Object.assign({}, ...names.map(part));
  if (response.getTransports) said.transports = response.getTransports();
  return JSON.stringify({ id, rawId: text(rawId), type, response: said, clientExtensionResults: {} });
}

class PasskeyButton extends HTMLElement {
  connectedCallback() {
    if (!globalThis.PublicKeyCredential) return;
    this.hidden = false;
    this.querySelector("button").onclick = (event) => this.ask(event);
  }

  async ask(event) {
    const field = this.querySelector("input");
    const form = field.form;
    if (field.value || !form.reportValidity()) return;
    event.preventDefault();
    this.querySelector(".wrong")?.remove();
    try {
      const { ask, make } = this.dataset;
      const found = make
        ? await navigator.credentials.create({ publicKey: creation(JSON.parse(make)) })
        : await navigator.credentials.get({ publicKey: request(JSON.parse(ask)) });
      field.value = written(found);
      form.requestSubmit();
    } catch (error) {
      this.tell(error);
    }
  }

  tell(error) {
    const line = document.createElement("p");
    line.className = "wrong";
    line.setAttribute("role", "alert");
    line.textContent = error.name === "InvalidStateError" ? t("This device has a passkey here already.") : t("No passkey was used.");
    this.append(line);
  }
}

customElements.define("passkey-button", PasskeyButton);
