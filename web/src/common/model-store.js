// @ts-check
/** The user's own models, kept in this browser (IndexedDB). */

import { LensError } from "../lib/errors.js";

/**
 * What is known of a model without its weights. The last two fields are `null` if it was not measured.
 *
 * @typedef {{ id: string, name: string, created: number, alphabet: string, maxLength: number,
 *   bytes: number, exactMatches: number | null, validationImages: number | null }} ModelInfo
 */

/**
 * A model to keep.
 *
 * @typedef {Pick<ModelInfo, "name" | "alphabet" | "maxLength">
 *   & Partial<Pick<ModelInfo, "exactMatches" | "validationImages">>
 *   & { weights: Uint8Array }} NewModel
 */

const DATABASE = "captcha-lens";
const VERSION = 1;
/** The stores. Weights are apart, so that a list does not read them. */
const INFOS = "models";
const WEIGHTS = "weights";

/** @returns {Promise<ModelInfo[]>} newest first */
export async function listModels() {
  /** @type {ModelInfo[]} */
  const all = await inTransaction("readonly", ({ infos }) => infos.getAll());
  return all.sort((a, b) => b.created - a.created);
}

/**
 * Keeps a model. If another one has its name, it gets a number.
 *
 * @param {NewModel} model
 * @returns {Promise<ModelInfo>}
 */
export async function addModel({ name, weights, alphabet, maxLength, ...measured }) {
  const { exactMatches = null, validationImages = null } = measured;
  const before = await listModels();
  const info = {
    id: newId(),
    name: uniqueName(
      name,
      before.map((model) => model.name),
    ),
    // The order stays, even if the clock goes back.
    created: Math.max(Date.now(), ...before.map(({ created }) => created + 1)),
    alphabet,
    maxLength,
    bytes: weights.byteLength,
    exactMatches,
    validationImages,
  };
  await inTransaction("readwrite", ({ infos, contents }) => {
    contents.put(weights, info.id);
    return infos.put(info, info.id);
  });
  return info;
}

/**
 * @param {string} id
 * @returns {Promise<Uint8Array>} the weights
 * @throws {LensError} `unknown-model` if this browser does not have it
 */
export async function loadModel(id) {
  /** @type {unknown} */
  const weights = await inTransaction("readonly", ({ contents }) => contents.get(id));
  if (!(weights instanceof Uint8Array)) throw unknownModel();
  return weights;
}

/** @param {string} id */
export async function removeModel(id) {
  await inTransaction("readwrite", ({ infos, contents }) => {
    contents.delete(id);
    return infos.delete(id);
  });
}

/** The error of a model that this browser does not have. */
export function unknownModel() {
  return new LensError(
    "unknown-model",
    "This browser does not have the model that was asked for. Open its file under “Model”, or choose another model.",
  );
}

/**
 * The name, or the name with the first number that makes it new.
 *
 * @param {string} name
 * @param {string[]} taken
 */
export function uniqueName(name, taken) {
  let made = name;
  for (let number = 2; taken.includes(made); number++) made = `${name} (${number})`;
  return made;
}

/** A short random name for a URL. */
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/**
 * Runs requests in one transaction, which has ended when this resolves.
 *
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(stores: { infos: IDBObjectStore, contents: IDBObjectStore }) => IDBRequest<T>} ask returns
 *   the request whose result counts
 * @returns {Promise<T>}
 */
async function inTransaction(mode, ask) {
  /** @type {IDBDatabase | undefined} */
  let database;
  try {
    database = await open();
    const transaction = database.transaction([INFOS, WEIGHTS], mode);
    const [infos, contents] = [INFOS, WEIGHTS].map((name) => transaction.objectStore(name));
    const request = ask({ infos, contents });
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error ?? request.error);
    });
    return request.result;
  } catch (cause) {
    throw storageError(cause);
  } finally {
    database?.close();
  }
}

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, VERSION); // throws where storage is forbidden
    request.onupgradeneeded = () => {
      for (const name of [INFOS, WEIGHTS]) request.result.createObjectStore(name);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {unknown} cause */
function storageError(cause) {
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : "";
  return name === "QuotaExceededError"
    ? new LensError(
        "storage-full",
        "The browser has no more space for models of this page. Remove a model or free disk space, then try again.",
        { cause },
      )
    : new LensError(
        "no-storage",
        "The browser does not let this page keep models. Allow this page to store data, and leave private browsing.",
        { cause },
      );
}
