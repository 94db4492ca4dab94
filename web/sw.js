// @ts-check
/**
 * Keeps the page for when there is no network: what the site sends is shown as it is, and what was
 * put by is shown when nothing comes. A version's own files are put by once, together; what else is
 * used, such as the module for WebGPU, when it comes. Files of other sites are none of its business.
 */

/// <reference lib="webworker" />

const scope = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
// Made by offline.mjs. Another version of any file makes another one of this, and with it the
// browser installs this worker anew.
scope.importScripts("pkg/offline.js");
const { version, files } = /** @type {{ OFFLINE: { version: string, files: string[] } }} */ (
  /** @type {unknown} */ (scope)
).OFFLINE;
/** One version's files, and no other's: what is put by together fits together. */
const CACHE = `captcha-lens-${version}`;
const OWN = new Set(files.map((file) => new URL(file, scope.registration.scope).href));

scope.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      // From the site, not from the browser's own cache, which may hold another version.
      const request = (/** @type {string} */ url) => new Request(url, { cache: "no-cache" });
      await cache.addAll(files.map(request));
      // What was used of the version before, such as samples, is wanted of this one too.
      for (const name of await others()) {
        for (const { url } of await (await caches.open(name)).keys()) {
          if (!OWN.has(url)) await cache.add(request(url)).catch(() => undefined);
        }
      }
      await scope.skipWaiting();
    })(),
  );
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      await Promise.all((await others()).map((name) => caches.delete(name)));
      await scope.clients.claim();
    })(),
  );
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const own = request.url.startsWith(scope.registration.scope);
  if (request.method === "GET" && own) event.respondWith(answer(request));
});

/** @param {Request} request */
async function answer(request) {
  try {
    const response = await fetch(request);
    const key = keyOf(request);
    // The site may have another version of this version's files by now.
    if (response.status === 200 && !OWN.has(key)) {
      const copy = response.clone();
      // A full disk is no reason not to show the page.
      void caches
        .open(CACHE)
        .then((cache) => cache.put(key, copy))
        .catch(() => undefined);
    }
    return response;
  } catch (error) {
    const kept = await caches.match(keyOf(request));
    if (kept) return kept;
    throw error;
  }
}

/**
 * Where an answer is kept: settings in the address do not make another file.
 *
 * @param {Request} request
 */
function keyOf({ url }) {
  const address = new URL(url);
  address.search = "";
  return address.href.replace(/index\.html$/, "");
}

/** The caches of this page's other versions. */
async function others() {
  const names = await caches.keys();
  return names.filter((name) => name.startsWith("captcha-lens-") && name !== CACHE);
}
