// <instant-form><form>: saves as one writes. Each change sends the whole form with the version it was made from, one after the other.

import { t } from "../texts.js";

class InstantForm extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.note = this.querySelector("[data-note]");
    this.form.onchange = () => this.save();
    // Enter in a field: the button of the form would load the page anew.
    this.form.onsubmit = (event) => {
      if (event.submitter && event.submitter.value !== "save") return;
      event.preventDefault();
      this.save();
    };
    // Somebody may have been quicker than this script.
    if ([...this.form.elements].some(differs)) this.save();
    this.onclick = (event) => event.target.closest("[data-remove]") && setTimeout(() => this.save());
  }

  async save() {
    if (this.saving) {
      this.again = true;
      return;
    }
    if (!this.form.checkValidity()) return void this.form.reportValidity();
    this.saving = true;
    this.tell(t("Saving…"));
    try {
      do {
        this.again = false;
        await this.send();
      } while (this.again);
    } catch {
      this.tell(t("The server cannot be reached just now. What you wrote is still here."), true);
    } finally {
      this.saving = false;
    }
  }

  async send() {
    const answer = await fetch(this.form.action, { method: "POST", body: new FormData(this.form), headers: { Accept: "application/json" } });
    const said = await answer.json();
    for (const field of this.form.querySelectorAll("[aria-invalid]")) this.right(field);
    if (answer.ok) return this.stored(said);
    if (answer.status === 409) return this.whole(said.detail, t("Show both"));
    // The night was long, or somebody signed out elsewhere: the page that answers the plain form keeps what is written in it.
    if (answer.status === 400 || answer.status === 401) return this.whole(said.detail, t("Go on"));
    const field = this.form.elements[said.field];
    if (field instanceof HTMLElement) this.wrong(field, said.detail);
    this.tell(said.detail, true);
  }

  stored({ version, values, told }) {
    this.form.elements.version.value = version;
    for (const [name, value] of Object.entries(values)) {
      const field = this.form.elements[name];
      if (field instanceof HTMLElement && field !== document.activeElement && !this.again) field.value = value;
    }
    this.tell(told);
  }

  // The answer is a whole page: the form goes as it would without this script.
  whole(sentence, label) {
    this.tell(sentence, true);
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button small", textContent: label });
    button.onclick = () => {
      this.form.onsubmit = null;
      this.form.noValidate = true;
      this.form.requestSubmit(this.form.querySelector('button[value="save"]'));
    };
    this.note.append(" ", button);
  }

  wrong(field, sentence) {
    const id = `${field.id}-wrong`;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", id);
    const note = document.getElementById(id) ?? Object.assign(document.createElement("p"), { id, className: "wrong" });
    note.textContent = sentence;
    field.after(note);
  }

  right(field) {
    field.removeAttribute("aria-invalid");
    document.getElementById(`${field.id}-wrong`)?.remove();
  }

  tell(sentence, bad = false) {
    this.note.textContent = sentence;
    this.note.classList.toggle("bad", bad);
  }
}

function differs(field) {
  if (field instanceof HTMLSelectElement) return [...field.options].some((option) => option.selected !== option.defaultSelected) && field.selectedIndex > 0;
  return (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) && field.type !== "hidden" && field.value !== field.defaultValue;
}

customElements.define("instant-form", InstantForm);
