// Artwork: chosen or dropped, sent at once.

import { call } from "../api.js";

export function enableArtwork(form, { releaseId }) {
  const drop = form.querySelector(".artwork-drop");
  const input = form.querySelector('input[type="file"]');
  const hint = form.querySelector(".artwork-hint span");
  const problem = form.querySelector(".wrong");
  input.addEventListener("change", () => input.files.length && send(input.files[0]));
  for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, () => drop.classList.add("over"));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));

  async function send(file) {
    const body = new FormData();
    body.append("file", file);
    const usual = hint.textContent;
    hint.textContent = "Sending…";
    problem.textContent = "";
    try {
      await call("PUT", `/releases/${releaseId}/artwork`, body);
      location.reload(); // The page takes its colour from the picture.
    } catch (error) {
      hint.textContent = usual;
      problem.textContent = error.message;
      input.value = "";
    }
  }
}
