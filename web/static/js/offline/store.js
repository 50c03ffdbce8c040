// What is kept on this device: a row a track, and its bytes in sealed chunks. The worker reads the same (worker/vault.js).

const NAME = "kept";

export function open() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => {
      opening.result.createObjectStore("tracks", { keyPath: "id" });
      opening.result.createObjectStore("chunks", { keyPath: ["id", "n"] });
    };
    opening.onsuccess = () => {
      opening.result.onversionchange = () => opening.result.close();
      resolve(opening.result);
    };
    opening.onerror = () => reject(opening.error);
  });
}

// Do something in one transaction: all of it happens, or nothing.
async function within(mode, act) {
  const database = await open();
  try {
    const transaction = database.transaction(["tracks", "chunks"], mode);
    const finished = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
    const asked = act(transaction.objectStore("tracks"), transaction.objectStore("chunks"));
    await finished;
    return asked?.result;
  } finally {
    database.close();
  }
}

export const track = (id) => within("readonly", (tracks) => tracks.get(id));

export const all = () => within("readonly", (tracks) => tracks.getAll());

export const put = (row) => within("readwrite", (tracks) => void tracks.put(row));

// A chunk and the note that it is there, together.
export const putChunk = (row, chunk) =>
  within("readwrite", (tracks, chunks) => {
    chunks.put(chunk);
    tracks.put(row);
  });

export const remove = (id) =>
  within("readwrite", (tracks, chunks) => {
    tracks.delete(id);
    chunks.delete(IDBKeyRange.bound([id], [id, Infinity]));
  });

export async function removeAll() {
  await within("readwrite", (tracks, chunks) => {
    tracks.clear();
    chunks.clear();
  });
}
