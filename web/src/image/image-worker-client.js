// @ts-check
/**
 * What would keep the page from answering, done in a worker: drawing CAPTCHAs, and looking for one
 * in a picture.
 */

import { LensError } from "../lib/errors.js";

/** @typedef {typeof import("./image-worker.js").TASKS} Tasks */
/** @typedef {{ resolve: (value: any) => void, reject: (reason: unknown) => void }} Asked */

/** @type {Worker | undefined} */
let worker;
/** What waits for its answer, by number. @type {Map<number, Asked>} */
const open = new Map();
let lastId = 0;

/**
 * Has a task done.
 *
 * @template {keyof Tasks} T
 * @param {T} task
 * @param {Parameters<Tasks[T]>} given
 * @returns {Promise<Awaited<ReturnType<Tasks[T]>>>}
 * @throws {LensError} what the task throws; `missing-code`
 */
export function ask(task, ...given) {
  worker ??= start();
  const id = ++lastId;
  worker.postMessage({ id, task, given });
  return new Promise((resolve, reject) => open.set(id, { resolve, reject }));
}

function start() {
  const started = new Worker(new URL("./image-worker.js", import.meta.url), { type: "module" });
  started.addEventListener("message", ({ data: { id, value, error } }) => {
    const asked = open.get(id);
    open.delete(id);
    if (error) asked?.reject(new LensError(error.code, error.message));
    else asked?.resolve(value);
    // A browser may remember that a module could not be loaded, as long as the worker lives.
    if (error?.code === "missing-code") stop(started, error.message);
  });
  // Its script is missing or broken: what comes next starts it anew.
  started.addEventListener("error", (event) => {
    event.preventDefault();
    const detail = event.message ? ` (${event.message})` : "";
    stop(started, `The image tools could not be loaded${detail}.`);
  });
  return started;
}

/**
 * Gives a worker up, and what waits for it.
 *
 * @param {Worker} given
 * @param {string} why
 */
function stop(given, why) {
  given.terminate();
  worker = undefined;
  for (const { reject } of open.values()) reject(new LensError("missing-code", why));
  open.clear();
}
