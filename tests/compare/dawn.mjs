#!/usr/bin/env node
// @ts-check
/**
 * Compares captcha-lens with onnxruntime-web on WebGPU without a browser, in Node through Dawn, the
 * WebGPU of Chromium: the same network and sample, in turn, warm, for one image and for batches. It
 * shows what a real GPU does on a machine that has no browser.
 *
 * - `for n in 1 16 64; do python tests/compare/export.py web/models/compact.safetensors
 *   tests/compare/compact-$n.onnx $n; done`
 * - `npm ci --prefix tests/compare`
 * - `node tests/compare/dawn.mjs [RUNS [BATCH...]]`, by default 20 runs of batches of 1, 16 and 64
 *
 * Dawn takes the first Vulkan adapter. On a machine without a GPU, Vulkan's variable
 * `VK_DRIVER_FILES` can name SwiftShader's driver (`vk_swiftshader_icd.json`, part of Chromium).
 * It takes seconds for an image: `node tests/compare/dawn.mjs 3 1`.
 */

import { readdir, readFile } from "node:fs/promises";
import { argv, exit } from "node:process";
import { fileURLToPath } from "node:url";
import { countWebGpuCalls } from "../e2e/webgpu-calls.mjs";

const RUNS = Number(argv[2] ?? 20);
const BATCHES = argv.length > 3 ? argv.slice(3).map(Number) : [1, 16, 64];
/** Runs before the times count. */
const WARM = 2;
const [WIDTH, HEIGHT] = [388, 196];

const root = new URL("../../", import.meta.url);
const read = async (/** @type {string} */ path) =>
  new Uint8Array(await readFile(new URL(path, root)));

const adapter = await useDawn();
countWebGpuCalls();
const { webGpuCalls } = /** @type {any} */ (globalThis);
const [sample] = (await readdir(new URL("web/samples/", root))).filter((file) =>
  file.endsWith(".png"),
);
const lens = await openLens(await read(`web/samples/${sample}`));

console.log(`Adapter: ${adapter}. Sample: ${sample}.\n`);
console.log("| | batch | text | dispatches | submits | read-backs | median | images/s |");
console.log("|---|---|---|---|---|---|---|---|");
for (const batch of BATCHES) {
  const readers = [
    { who: "captcha-lens", run: () => lens(batch), times: /** @type {number[]} */ ([]) },
    { who: "onnxruntime-web", run: await openOnnx(batch), times: /** @type {number[]} */ ([]) },
  ];
  /** @type {string[][]} */
  const rows = [];
  for (let i = 0; i < WARM + RUNS; i++) {
    for (const [index, { who, run, times }] of readers.entries()) {
      const calls = { dispatches: 0, submits: 0, readBacks: 0 };
      Object.assign(webGpuCalls, calls);
      const started = performance.now();
      const text = await run();
      if (i >= WARM) times.push(performance.now() - started);
      Object.assign(calls, webGpuCalls);
      const { dispatches, submits, readBacks } = calls;
      rows[index] = [who, batch, text, dispatches, submits, readBacks].map(String);
    }
  }
  for (const [index, { times }] of readers.entries()) {
    const median = times.sort((a, b) => a - b)[times.length >> 1];
    const rate = ((1000 * batch) / median).toFixed(1);
    console.log(`| ${[...rows[index], `${median.toFixed(1)} ms`, rate].join(" | ")} |`);
  }
}
exit(0); // Dawn's threads keep Node running.

/** Makes Dawn the WebGPU of this process, as a worker's globals have it. Gives the adapter's name. */
async function useDawn() {
  const { create, globals } = await import(
    new URL("node_modules/webgpu/index.js", import.meta.url).href
  );
  Object.assign(globalThis, globals);
  const gpu = create(["backend=vulkan"]);
  const navigator = { gpu, userAgent: "Node", hardwareConcurrency: 1 };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  // wgpu looks for WebGPU in a global scope that has a `Window`.
  Object.assign(globalThis, { self: globalThis, Window: class {} });
  acceptSharedMemory();
  const adapter = await gpu.requestAdapter();
  if (!adapter) throw new Error("Dawn finds no Vulkan adapter. Set VK_DRIVER_FILES to a driver.");
  const { vendor, architecture, description } = adapter.info;
  return [vendor, architecture, description].filter(Boolean).join(" ");
}

/** onnxruntime-web writes to the GPU from shared memory, which Dawn refuses: copies it first. */
function acceptSharedMemory() {
  const { prototype } = /** @type {any} */ (globalThis).GPUQueue;
  const { writeBuffer } = prototype;
  prototype.writeBuffer = function (
    /** @type {any} */ target,
    /** @type {number} */ offset,
    /** @type {any} */ data,
    /** @type {any[]} */ ...range
  ) {
    const isShared = (data.buffer ?? data) instanceof SharedArrayBuffer;
    const copy = () => (data.buffer ? data : new Uint8Array(data)).slice();
    writeBuffer.call(this, target, offset, isShared ? copy() : data, ...range);
  };
}

/**
 * The module of captcha-lens on WebGPU: reads the image, as often as asked for at once.
 *
 * @param {Uint8Array} image
 */
async function openLens(image) {
  const { default: init, Recognizer } = await import(new URL("web/pkg/captcha_wasm.js", root).href);
  await init({ module_or_path: await read("web/pkg/captcha_wasm_bg.wasm") });
  const weights = await read("web/models/compact.safetensors");
  const recognizer = await Recognizer.load({ weights, backend: "webgpu" });
  return async (/** @type {number} */ batch) => {
    const [{ text }] = await recognizer.recognizeAll(Array(batch).fill(image), { alternatives: 0 });
    return text;
  };
}

/**
 * onnxruntime-web with the network for batches of this size. Its input is zeros, since Node has no
 * canvas: the graph takes all steps whatever it reads. The time of captcha-lens includes decoding
 * and resizing of the images, that of onnxruntime-web does not.
 *
 * @param {number} batch
 */
async function openOnnx(batch) {
  const dist = new URL("node_modules/onnxruntime-web/dist/", import.meta.url);
  const ort = await import(new URL("ort.webgpu.min.mjs", dist).href);
  ort.env.wasm.wasmPaths = dist.href;
  ort.env.wasm.numThreads = 1;
  const model = fileURLToPath(new URL(`compact-${batch}.onnx`, import.meta.url));
  const session = await ort.InferenceSession.create(new Uint8Array(await readFile(model)), {
    executionProviders: ["webgpu"],
    logSeverityLevel: 3,
  });
  const values = new Float32Array(batch * 3 * HEIGHT * WIDTH);
  return async () => {
    const image = new ort.Tensor("float32", values, [batch, 3, HEIGHT, WIDTH]);
    await session.run({ image });
    return "";
  };
}
