// What scripts say, in the reader's language. The English text is the key; a page in another language carries the others.

const source = document.getElementById("texts");
const texts = source ? JSON.parse(source.textContent) : {};

export function t(text, facts = {}) {
  return (texts[text] ?? text).replace(/\{(\w+)\}/g, (place, name) => facts[name] ?? place);
}
