// @ts-check
/**
 * The service worker: the page works offline after one visit. Pages come from the network, or from
 * the precache where the network fails, answers with an error or takes longer than 4 s. A page names
 * its other files by their hashes, so these come from the precache first, and versions never mix.
 * Files that are not precached, such as the WebGPU module, are cached when they are used.
 */

/// <reference lib="webworker" />

import { matchPrecache, precache } from "workbox-precaching";
import { registerRoute } from "workbox-routing";
import { NetworkFirst, NetworkOnly } from "workbox-strategies";

const scope = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const SCOPE = scope.registration.scope;
/** Seconds to wait for the network where the cache has a copy. */
const networkTimeoutSeconds = 4;
/** Files that were used but are not precached. Each copy of the page on an origin has its own cache. */
const USED = `captcha-lens ${SCOPE}`;

/** The files of this version. @type {{ url: string, revision: string | null }[]} */
// The build replaces the name with the list.
const files = /** @type {any} */ (self).__WB_MANIFEST;
/** Files that are not precached: WebGPU, learning, and the general model. */
const ON_USE =
  /^assets\/(captcha_wasm_bg|worker-webgpu|captcha_learning_wasm_bg|learner-worker|replica-worker|general)-/;

precache(files.filter(({ url }) => !ON_USE.test(url)));

const fromNetwork = new NetworkOnly({ networkTimeoutSeconds });
const used = new NetworkFirst({ cacheName: USED, networkTimeoutSeconds });

registerRoute(
  ({ request, sameOrigin }) => sameOrigin && request.mode === "navigate",
  async ({ event, request, url }) => {
    const copy = await cached(url);
    if (!copy) return used.handle({ event, request });
    const response = await fromNetwork.handle({ event, request }).catch(() => undefined);
    return response && response.status < 400 ? response : copy;
  },
);

registerRoute(
  ({ url }) => url.href.startsWith(SCOPE),
  async ({ event, request, url }) =>
    (await compiled(url)) ?? (await cached(url)) ?? used.handle({ event, request }),
);

/**
 * A WebAssembly module from the browser's HTTP cache, which has its compiled code, too.
 *
 * @param {URL} url
 * @returns {Promise<Response | undefined>}
 */
async function compiled({ href }) {
  if (!href.startsWith(`${SCOPE}assets/`) || !href.endsWith(".wasm")) return undefined;
  const options = /** @type {const} */ ({ cache: "only-if-cached", mode: "same-origin" });
  return fetch(href, options).then(
    (response) => (response.ok ? response : undefined),
    () => undefined,
  );
}

/**
 * The precached file at an address. Neither a query nor a fragment makes it another file. Some hosts
 * send `audit.html` as `audit`.
 *
 * @param {URL} url
 * @returns {Promise<Response | undefined>} nothing also where the browser's cache fails
 */
async function cached({ origin, pathname }) {
  const path = pathname.replace(/\/$/, "/index.html").replace(/\/[^/.]+$/, "$&.html");
  return matchPrecache(origin + path).catch(() => undefined);
}

scope.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      // No navigation preload: offline, its failure fails the page in Firefox.
      await deleteOldAssets();
      await deleteOldCaches();
      await scope.clients.claim();
    })(),
  );
});

/** Deletes the files of earlier versions. A page may have used files of this version already. */
async function deleteOldAssets() {
  if (!(await caches.has(USED))) return;
  const current = new Set(files.map(({ url }) => SCOPE + url));
  const cache = await caches.open(USED);
  for (const request of await cache.keys()) {
    const isAsset = request.url.startsWith(`${SCOPE}assets/`);
    if (isAsset && !current.has(request.url)) await cache.delete(request);
  }
}

/** Deletes the caches of the earlier service worker, which had one for each version. */
async function deleteOldCaches() {
  const names = (await caches.keys()).filter((name) => name.startsWith(`${USED} `));
  await Promise.all(names.map((name) => caches.delete(name)));
}
