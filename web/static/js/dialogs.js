// Dialogs: what carries data-open opens the one of that id, data-close or a click beside it closes it.

addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-open]");
  const dialog = opener && document.getElementById(opener.dataset.open);
  if (dialog) {
    event.preventDefault(); // Without scripts the opener may be a link to the same question on a page of its own.
    dialog.showModal();
  } else if (event.target.closest?.("[data-close]")) event.target.closest("dialog")?.close();
  else if (event.target instanceof HTMLDialogElement && beside(event)) event.target.close();
});

// A menu whose entry was chosen has done its work.
addEventListener("click", ({ target }) => target.closest?.(".menu-item")?.closest("[popover]")?.hidePopover());

// The copy that Turbo keeps of a page holds no open dialog.
addEventListener("turbo:before-cache", () => {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
});

function beside({ target, clientX, clientY }) {
  const { left, right, top, bottom } = target.getBoundingClientRect();
  return clientX < left || clientX > right || clientY < top || clientY > bottom;
}
