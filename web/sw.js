// @ts-check
/**
 * Keeps the page for when there is no network. Network first: the cache answers where the site does
 * not, not in good time, or with an error. A page from the cache goes on with the cache, so that it
 * is of one version. A version's own files are cached once, together; what else is used, such as the
 * module for WebGPU, as it comes. Requests to other sites are left alone.
 */

/// <reference lib="webworker" />

const scope = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
// Made by offline.mjs. Another version of any file makes another one of this, and with it the
// browser installs this worker anew.
scope.importScripts("pkg/offline.js");
const { version, files } = /** @type {{ OFFLINE: { version: string, files: string[] } }} */ (
  /** @type {unknown} */ (scope)
).OFFLINE;
/** How the names of this copy's caches begin: one origin may hold several copies of the page. */
const COPY = `captcha-lens ${scope.registration.scope} `;
/** One version's files, and no other's: what is put by together fits together. */
const CACHE = COPY + version;
/** Milliseconds for which the site is waited for where the cache holds a copy. */
const PATIENCE = 4000;
const OWN = new Set(files.map((file) => new URL(file, scope.registration.scope).href));
/**
 * The pages and workers that the site sent, and those that were put by. The browser ends this
 * worker when nothing is asked of it, and with it this memory.
 *
 * @type {{ sent: Set<string>, copied: Set<string> }}
 */
const shown = { sent: new Set(), copied: new Set() };

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
      // It takes over when no page of the version before is open any more.
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
  if (request.method === "GET" && own) event.respondWith(answer(event));
});

/** @param {FetchEvent} event */
async function answer(event) {
  const { request, clientId, resultingClientId } = event;
  // Where nothing can be put by, there is still the site.
  const cache = await caches.open(CACHE).catch(() => undefined);
  const copy = await cache?.match(keyOf(request)).catch(() => undefined);
  if (!cache || !copy) return fromSite(event, cache);
  const isPage = request.mode === "navigate";
  if (isPage || !shown.copied.has(clientId)) {
    // What belongs to a page that the site sent is waited for as long as it takes.
    const limit = !isPage && shown.sent.has(clientId) ? null : PATIENCE;
    const sent = await soon(fromSite(event, cache), limit);
    if (sent) {
      if (resultingClientId) shown.sent.add(resultingClientId);
      return sent;
    }
    if (clientId && !isPage) shown.copied.add(clientId);
  }
  if (resultingClientId) shown.copied.add(resultingClientId);
  return copy;
}

/**
 * What the site sends, which is put by unless it belongs to a version as a whole: the site may have
 * another version of that by now.
 *
 * @param {FetchEvent} event
 * @param {Cache} [cache]
 */
function fromSite(event, cache) {
  const response = fetch(event.request);
  const key = keyOf(event.request);
  if (cache && !OWN.has(key)) {
    const put = response.then((sent) =>
      sent.status === 200 ? cache.put(key, sent.clone()) : undefined,
    );
    // A full disk is no reason not to show the page.
    event.waitUntil(put.catch(() => undefined));
  }
  return response;
}

/**
 * What comes, or nothing where that is an error, fails or takes too long.
 *
 * @param {Promise<Response>} response
 * @param {number | null} limit in milliseconds
 */
function soon(response, limit) {
  // A file that is missing was of this version: the site may have another by now.
  const come = response.then(
    (sent) => (sent.status >= 400 ? undefined : sent),
    () => undefined,
  );
  if (limit === null) return come;
  const late = new Promise((resolve) => setTimeout(() => resolve(undefined), limit));
  return Promise.race([come, late]);
}

/**
 * Where an answer is kept: neither settings nor a fragment in the address make another file.
 *
 * @param {Request} request
 */
function keyOf({ url }) {
  const address = new URL(url);
  address.search = address.hash = "";
  return address.href.replace(/index\.html$/, "");
}

/** The caches of this copy's other versions. */
async function others() {
  const names = await caches.keys();
  return names.filter((name) => name.startsWith(COPY) && name !== CACHE);
}
