// @ts-check
/** Registers the service worker, which makes the page work without a network. */

/** @import { PageState } from "./types.js" */

/** Milliseconds without work before a page that has read nothing registers the worker. */
const IDLE_TIME = 5000;

/** Registers the service worker, if the browser has any. */
export function registerServiceWorker() {
  // The build puts it beside the pages, because its folder is its scope.
  navigator.serviceWorker?.register("sw.js").catch(() => undefined);
}

/**
 * Registers the service worker when its downloads do not delay a reading: after the first reading, or
 * when the page has been idle for a while.
 */
export class DelayedRegistration {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isDone = false;

  /** @param {PageState} state the new state of the page */
  update(state) {
    clearTimeout(this.#timer);
    if (this.#isDone) return;
    if (state === "done") this.#register();
    else if (state === "ready") this.#timer = setTimeout(() => this.#register(), IDLE_TIME);
  }

  #register() {
    this.#isDone = true;
    registerServiceWorker();
  }
}
