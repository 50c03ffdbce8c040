// What a listener chose, kept on their device; a browser that keeps nothing gets the usual.

export function recall(name, usual) {
  try {
    return JSON.parse(localStorage.getItem(`musicconnect.${name}`)) ?? usual;
  } catch {
    return usual;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(`musicconnect.${name}`, JSON.stringify(value));
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}
