// @ts-check
/**
 * Keeps the page for when there is no network: what the site sends is shown as it is and put by,
 * and what was put by is shown when nothing comes. So nothing on the page is ever older than what
 * the site has. Files of other sites are none of its business.
 */

/// <reference lib="webworker" />

const scope = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
/** Another version of the page's files gets another cache, and the old one goes. */
const CACHE = "captcha-lens-1";
/**
 * All that it takes to read an image on the CPU; samples, the generator and the module for WebGPU
 * are kept once they were used.
 */
const ESSENTIAL = [
  "./",
  "audit.html",
  "lens.svg",
  "logo.svg",
  "manifest.webmanifest",
  "models/compact.safetensors",
  "pkg/captcha_wasm_cpu.js",
  "pkg/captcha_wasm_cpu_bg.wasm",
  "samples/index.json",
  "src/audit.js",
  "src/audit/files.js",
  "src/audit/labels.js",
  "src/audit/run.js",
  "src/audit/statistics.js",
  "src/audit/zip.js",
  "src/client.js",
  "src/colormap.js",
  "src/connection.js",
  "src/crop.js",
  "src/download.js",
  "src/engine.js",
  "src/errors.js",
  "src/explain.js",
  "src/generator.js",
  "src/guess.js",
  "src/ink.js",
  "src/input.js",
  "src/loader.js",
  "src/main.js",
  "src/offline.js",
  "src/overlay.js",
  "src/part.js",
  "src/player.js",
  "src/progress.js",
  "src/session.js",
  "src/view/audit.js",
  "src/view/cells.js",
  "src/view/crop.js",
  "src/view/cropbox.js",
  "src/view/dom.js",
  "src/view/explain.js",
  "src/view/figure.js",
  "src/view/generate.js",
  "src/view/heat.js",
  "src/view/keep.js",
  "src/view/letters.js",
  "src/view/picture.js",
  "src/view/report.js",
  "src/view/result.js",
  "src/view/samples.js",
  "src/view/status.js",
  "src/view/step.js",
  "src/view/view.js",
  "src/view/weights.js",
  "src/words.js",
  "src/worker-cpu.js",
  "src/worker-webgpu.js",
  "styles/audit.css",
  "styles/base.css",
  "styles/crop.css",
  "styles/explain.css",
  "styles/figures.css",
  "styles/page.css",
  "styles/reader.css",
  "styles/report.css",
  "styles/result.css",
];

scope.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll(ESSENTIAL);
      await scope.skipWaiting();
    })(),
  );
});

scope.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => isOurs(name) && name !== CACHE);
      await Promise.all(old.map((name) => caches.delete(name)));
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
    if (response.status === 200) {
      const copy = response.clone();
      // A full disk is no reason not to show the page.
      void caches
        .open(CACHE)
        .then((cache) => cache.put(keyOf(request), copy))
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

/** @param {string} name */
function isOurs(name) {
  return name.startsWith("captcha-lens-");
}
