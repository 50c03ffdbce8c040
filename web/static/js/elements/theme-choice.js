// Light, dark or as the system: kept in a cookie, so that the server prints the next page in it and nothing flashes.

const YEAR_S = 365 * 86_400;

customElements.define(
  "theme-choice",
  class extends HTMLElement {
    connectedCallback() {
      this.addEventListener("change", this.#choose);
      this.#show();
    }

    disconnectedCallback() {
      this.removeEventListener("change", this.#choose);
    }

    // A page that Turbo kept may be older than the choice.
    #show() {
      const theme = document.documentElement.dataset.theme ?? "";
      for (const input of this.querySelectorAll("input")) input.checked = input.value === theme;
    }

    #choose = ({ target }) => {
      const theme = target.value;
      if (theme) document.documentElement.dataset.theme = theme;
      else delete document.documentElement.dataset.theme;
      const secure = location.protocol === "https:" ? "; secure" : "";
      document.cookie = `theme=${theme}; path=/; max-age=${theme ? YEAR_S : 0}; samesite=lax${secure}`;
      for (const meta of document.querySelectorAll('meta[name="theme-color"]')) meta.remove();
      const colour = document.createElement("meta");
      colour.name = "theme-color";
      colour.content = getComputedStyle(document.body).backgroundColor;
      document.head.append(colour);
    };
  },
);
