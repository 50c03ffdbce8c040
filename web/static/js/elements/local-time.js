// <local-time><time datetime>: an hour in the zone of the reader.

class LocalTime extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector("time");
    const instant = new Date(time.dateTime);
    const language = document.documentElement.lang;
    time.textContent = instant.toLocaleString(language, { dateStyle: "long", timeStyle: "short" });
    time.title = instant.toUTCString();
  }
}

customElements.define("local-time", LocalTime);
