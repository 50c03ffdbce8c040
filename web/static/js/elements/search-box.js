// <search-box><form action="/search"><input type="search" name="q">…</form></search-box>: answers while one types.
//
// In the header a list opens below the box (a combobox as the ARIA practices have it): arrows choose, Enter goes there, Escape closes.
// With frame="id" the results of the page itself follow, in that Turbo frame. Without this script the form does it.

const PAUSE_MS = 130;
const KEPT = 40;

class SearchBox extends HTMLElement {
  #active = -1;
  #answers = new Map();

  connectedCallback() {
    this.form = this.querySelector("form");
    this.input = this.form?.querySelector('input[type="search"]');
    if (!this.input || this.live) return;
    this.live = new AbortController();
    const { signal } = this.live;
    this.input.addEventListener("input", (event) => this.#typed(event), { signal });
    this.input.addEventListener("compositionend", () => this.#later(), { signal });
    if (this.getAttribute("frame")) {
      if (this.input.value !== this.input.defaultValue) this.#later();
      return;
    }
    this.#makeList();
    this.input.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.input.addEventListener("focus", () => this.input.value.trim() && this.#later(), { signal });
    this.form.addEventListener("submit", () => this.#close(), { signal });
    this.addEventListener("focusout", ({ relatedTarget }) => this.contains(relatedTarget) || this.#close(), { signal });
    document.addEventListener("turbo:before-cache", () => this.#close(), { signal });
    if (document.activeElement === this.input && this.input.value !== this.input.defaultValue) this.#later(); // Somebody was quicker than this script.
  }

  disconnectedCallback() {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.live?.abort();
    this.live = null;
    this.list?.remove();
    this.list = null;
  }

  #makeList() {
    this.list = document.createElement("div");
    this.list.className = "suggestions";
    this.list.id = "suggestions";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", this.input.getAttribute("aria-label"));
    this.list.hidden = true;
    // The box keeps the focus while a choice is pressed.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", () => this.#close());
    this.append(this.list);
    for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "suggestions" })) {
      this.input.setAttribute(name, value);
    }
  }

  #typed(event) {
    // In the middle of a syllable of Chinese, Japanese or Korean there is no word yet.
    if (!event.isComposing) this.#later();
  }

  #later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#ask(this.input.value.trim()), PAUSE_MS);
  }

  async #ask(words) {
    this.asking?.abort();
    if (this.getAttribute("frame")) return this.#follow(words);
    if (!words) return this.#close();
    if (!this.#answers.has(words)) {
      const asking = (this.asking = new AbortController());
      try {
        const answer = await fetch(`${this.form.action}/suggestions?${new URLSearchParams({ q: words })}`, { signal: asking.signal });
        if (!answer.ok) throw new Error(String(answer.status));
        this.#answers.set(words, await answer.text());
        if (this.#answers.size > KEPT) this.#answers.delete(this.#answers.keys().next().value);
      } catch {
        // A newer word came, or the line is gone: Enter still searches.
        if (!asking.signal.aborted) this.#close();
        return;
      }
    }
    if (this.list && words === this.input.value.trim() && document.activeElement === this.input) this.#open(this.#answers.get(words));
  }

  #follow(words) {
    const frame = document.getElementById(this.getAttribute("frame"));
    const asked = new URL(this.form.action);
    for (const [name, value] of new FormData(this.form)) asked.searchParams.set(name, name === "q" ? words : value);
    if (!frame || frame.src === asked.href) return;
    frame.src = asked.href;
    history.replaceState(history.state, "", asked);
  }

  #open(html) {
    this.list.innerHTML = html;
    this.#active = -1;
    this.input.removeAttribute("aria-activedescendant");
    const some = this.#options().length > 0;
    this.list.hidden = !some;
    this.input.setAttribute("aria-expanded", String(some));
  }

  #close() {
    clearTimeout(this.timer);
    if (!this.list) return;
    this.list.hidden = true;
    this.#active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  #options() {
    return [...this.list.querySelectorAll('[role="option"]')];
  }

  #key(event) {
    const open = !this.list.hidden;
    if (event.key === "Escape" && open) {
      event.preventDefault();
      this.#close();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (open) this.#choose(this.#active + (event.key === "ArrowDown" ? 1 : -1));
      else this.#later();
    } else if (event.key === "Enter" && open && this.#active >= 0) {
      event.preventDefault();
      this.#options()[this.#active].click();
    }
  }

  // One place more than there are choices: none, so that Enter searches for the words as they stand.
  #choose(index) {
    const options = this.#options();
    this.#active = index >= options.length ? -1 : index < -1 ? options.length - 1 : index;
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === this.#active)));
    const chosen = options[this.#active];
    chosen?.scrollIntoView({ block: "nearest" });
    if (chosen) this.input.setAttribute("aria-activedescendant", chosen.id);
    else this.input.removeAttribute("aria-activedescendant");
  }
}

customElements.define("search-box", SearchBox);
