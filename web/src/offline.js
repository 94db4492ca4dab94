// @ts-check
/** Has the browser keep the page for when there is no network, where it can. */

/** Registers the service worker; the page works the same without. */
export function keepOffline() {
  // What the worker imports changes with every version, so it must not come from a cache.
  const options = /** @type {const} */ ({ updateViaCache: "none" });
  navigator.serviceWorker
    ?.register(new URL("../sw.js", import.meta.url), options)
    .catch(() => undefined);
}
