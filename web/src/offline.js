// @ts-check
/** Has the browser keep the page for when there is no network, where it can. */

/** Registers the service worker; the page works the same without. */
export function keepOffline() {
  navigator.serviceWorker?.register(new URL("../sw.js", import.meta.url)).catch(() => undefined);
}
