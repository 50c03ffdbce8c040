// The keyboard: works everywhere on the page, but never while somebody types or stands on something with keys of its own.

const TYPING = "input:not([type=checkbox], [type=radio], [type=button]), textarea, select, [contenteditable], dialog[open]:not(.keys)";
const OWN_KEYS = { " ": "button, summary, a, input, [role=menuitem]", ArrowUp: "[role=slider], input, [data-grip]", ArrowDown: "[role=slider], input, [data-grip]", ArrowLeft: "[role=slider], input", ArrowRight: "[role=slider], input" };

export function listenToKeys(player, { help, like }) {
  const louder = (step) => player.set("volume", Math.round(Math.min(1, Math.max(0, player.settings.volume + step)) * 100) / 100);
  const acts = {
    " ": () => player.toggle(),
    ArrowRight: () => player.seek(player.position + 5),
    ArrowLeft: () => player.seek(player.position - 5),
    ArrowUp: () => louder(0.05),
    ArrowDown: () => louder(-0.05),
    j: () => player.previous(),
    k: () => player.next(),
    m: () => player.set("muted", !player.settings.muted),
    l: like,
    "?": help,
  };
  document.addEventListener("keydown", (event) => {
    const act = acts[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!act || event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    // Without music the arrows scroll the page, as everywhere.
    if (!player.current && event.key !== "?") return;
    if (event.target.closest?.(TYPING) || (OWN_KEYS[event.key] && event.target.closest?.(OWN_KEYS[event.key]))) return;
    event.preventDefault();
    act();
  });
}
