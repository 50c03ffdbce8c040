// The player over the whole screen: everything else is out of reach until it is closed by button, Escape, a swipe down or a new page.

let leave = null;

export function grow(element, tell) {
  if (leave) return leave();
  const opener = document.activeElement;
  const others = [];
  for (let inner = element; inner !== document.body; inner = inner.parentElement) {
    others.push(...[...inner.parentElement.children].filter((child) => child !== inner && !child.inert));
  }
  const stop = new AbortController();
  const { signal } = stop;
  const button = element.querySelector("#expand");
  let from = null;

  leave = () => {
    leave = null;
    stop.abort();
    for (const other of others) other.inert = false;
    element.classList.remove("full");
    element.hidePopover?.();
    element.removeAttribute("popover");
    element.style.translate = "";
    element.setAttribute("role", "region");
    element.removeAttribute("aria-modal");
    button.setAttribute("aria-expanded", "false");
    tell(false);
    (element.contains(opener) ? opener : button).focus();
  };

  for (const other of others) other.inert = true;
  element.classList.add("full");
  // In the top layer, above whatever a page puts around the player.
  element.popover = "manual";
  element.showPopover?.();
  element.setAttribute("role", "dialog");
  element.setAttribute("aria-modal", "true");
  button.setAttribute("aria-expanded", "true");
  tell(true);
  button.focus();

  document.addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && !element.querySelector(":popover-open") && leave(), { signal });
  addEventListener("turbo:visit", () => leave?.(), { signal });
  // A swipe down, begun on anything that does not scroll or slide itself.
  element.addEventListener("touchstart", (event) => (from = event.target.closest("#seek, .sheet, input, [popover]") ? null : event.touches[0].clientY), { signal, passive: true });
  element.addEventListener("touchmove", (event) => from !== null && (element.style.translate = `0 ${Math.max(0, event.touches[0].clientY - from)}px`), { signal, passive: true });
  element.addEventListener("touchend", (event) => {
    if (from === null) return;
    const far = event.changedTouches[0].clientY - from > 90;
    element.style.translate = "";
    if (far) leave();
  }, { signal, passive: true });
}
