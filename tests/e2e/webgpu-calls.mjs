// @ts-check
/** Counts what a page asks of WebGPU. */

/** @typedef {{ dispatches: number, submits: number, readBacks: number }} Calls */

/** Runs in the page: counts from now on in `globalThis.webGpuCalls`. */
export function countWebGpuCalls() {
  /** @type {Calls} */
  const calls = { dispatches: 0, submits: 0, readBacks: 0 };
  /** @type {(name: string, method: string, call: keyof Calls) => void} */
  const count = (name, method, call) => {
    const { prototype } = /** @type {any} */ (globalThis)[name];
    const original = prototype[method];
    prototype[method] = function (/** @type {any[]} */ ...args) {
      calls[call]++;
      return original.apply(this, args);
    };
  };
  count("GPUComputePassEncoder", "dispatchWorkgroups", "dispatches");
  count("GPUComputePassEncoder", "dispatchWorkgroupsIndirect", "dispatches");
  count("GPUQueue", "submit", "submits");
  count("GPUBuffer", "mapAsync", "readBacks");
  Object.assign(globalThis, { webGpuCalls: calls });
}

/**
 * Runs in the page after `countWebGpuCalls`: loads the module of `/pkg/` on WebGPU with the weights of
 * the page. `readWithLens` reads an image without its worker.
 */
export async function openLensOnWebGpu() {
  const bytes = async (/** @type {string} */ path) =>
    new Uint8Array(await (await fetch(path)).arrayBuffer());
  /** @type {typeof import("../../web/pkg/captcha_wasm.js")} */
  const { default: init, Recognizer } = await import(
    new URL("/pkg/captcha_wasm.js", location.href).href
  );
  await init();
  const weights = await bytes("/models/compact.safetensors");
  const lens = await Recognizer.load({ weights, backend: "webgpu" });
  Object.assign(globalThis, {
    readWithLens: async (/** @type {string} */ address, /** @type {number} */ alternatives) =>
      (await lens.recognize(await bytes(address), { alternatives })).text,
  });
}

/**
 * Runs in the page: reads an image with a function of the page, and counts.
 *
 * @param {{ name: string, address: string, alternatives?: number }} reading
 * @returns {Promise<Calls & { text: string, milliseconds: number }>}
 */
export async function countReading({ name, address, alternatives = 0 }) {
  const page = /** @type {any} */ (globalThis);
  Object.assign(page.webGpuCalls, { dispatches: 0, submits: 0, readBacks: 0 });
  const started = performance.now();
  const text = await page[name](address, alternatives);
  return { ...page.webGpuCalls, text, milliseconds: performance.now() - started };
}
