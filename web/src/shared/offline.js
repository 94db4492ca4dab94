// @ts-check
/** Has the browser keep the page for when there is no network, where it can. */

/** Registers the service worker; the page works the same without. */
export function keepOffline() {
  // The build puts it beside the pages, since its folder is its scope.
  navigator.serviceWorker?.register("sw.js").catch(() => undefined);
}

/** Milliseconds without work before a page that has read nothing yet registers the worker. */
const IDLE = 5000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
let kept = false;

/**
 * Registers the service worker at a time when its downloads are in nobody's way: after the first
 * result, or when the page has been idle for a while.
 *
 * @param {string} state of the page: "done" after a result, "ready" when it waits for an image
 */
export function keepOfflineWhenIdle(state) {
  clearTimeout(timer);
  if (kept) return;
  const register = () => {
    kept = true;
    keepOffline();
  };
  if (state === "done") register();
  else if (state === "ready") timer = setTimeout(register, IDLE);
}
