// <link-rows data-most="12">: adds and takes away rows of a list without asking the server.

class LinkRows extends HTMLElement {
  connectedCallback() {
    this.onclick = (event) => {
      const button = event.target.closest("[data-add], [data-remove]");
      if (!button) return;
      event.preventDefault();
      if (button.hasAttribute("data-add")) this.add();
      else this.remove_(button.closest("li"));
    };
    this.settle();
  }

  get rows() {
    return [...this.querySelectorAll("li")];
  }

  add() {
    if (this.rows.length >= Number(this.dataset.most)) return;
    const made = this.rows.at(-1).cloneNode(true);
    for (const input of made.querySelectorAll("input")) input.value = "";
    this.rows.at(-1).after(made);
    this.settle();
    made.querySelector("input").focus();
  }

  remove_(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    // The last row is emptied: one to write in is always there.
    if (next) row.remove();
    else for (const input of row.querySelectorAll("input")) input.value = "";
    this.settle();
    (next ?? row).querySelector("input").focus();
  }

  settle() {
    this.rows.forEach((row, index) => {
      row.querySelector("[data-remove]").value = `remove_link:${index}`;
      for (const named of row.querySelectorAll("[aria-label]")) {
        named.setAttribute("aria-label", named.getAttribute("aria-label").replace(/\d+/, index + 1));
      }
    });
    this.querySelector("[data-add]").disabled = this.rows.length >= Number(this.dataset.most);
  }
}

customElements.define("link-rows", LinkRows);
