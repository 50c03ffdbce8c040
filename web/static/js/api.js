// Talking to /api/v1: JSON in, JSON out, and every failure as an Error whose message is a sentence for people.

import { t } from "./texts.js";

// Asked each time: who signed in a moment ago moved to this page without loading the scripts anew.
const token = () => document.querySelector('meta[name="csrf-token"]')?.content;

export class Refused extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

export function headers() {
  return token() ? { "X-CSRFToken": token() } : {};
}

export async function call(method, path, body) {
  const answer = await reach(`/api/v1${path}`, {
    method,
    headers: { Accept: "application/json", ...headers(), ...(body && !(body instanceof FormData) ? { "Content-Type": "application/json" } : {}) },
    body: body && !(body instanceof FormData) ? JSON.stringify(body) : body,
  });
  return answer.status === 204 ? null : { ...(await answer.json()), servedAt: Date.parse(answer.headers.get("Date")) };
}

export async function page(address) {
  const answer = await reach(address, { headers: { Accept: "text/html" } });
  return answer.text();
}

export function sentenceOf(text, fallback) {
  try {
    return JSON.parse(text).detail || fallback;
  } catch {
    return fallback;
  }
}

async function reach(address, options) {
  let answer;
  try {
    answer = await fetch(address, { credentials: "same-origin", ...options });
  } catch {
    throw new Refused(t("The server cannot be reached just now. Check your connection."), 0);
  }
  if (!answer.ok) throw new Refused(sentenceOf(await answer.text(), t("Something went wrong on our side.")), answer.status);
  return answer;
}
