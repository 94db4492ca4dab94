#!/usr/bin/env node
// @ts-check
/**
 * Compares captcha-lens on WebGPU with onnxruntime-web running the model of captcha-lens: the same
 * sample in the same Chromium, in turn, warm. The adapter is SwiftShader, so the times say only
 * which of them computes less; what a GPU needs besides are the dispatches, submits and read-backs.
 *
 * - `python tests/compare/export.py web/models/compact.safetensors tests/compare/compact.onnx`
 * - `npm ci --prefix tests/compare`
 * - `node tests/compare/webgpu.mjs [READINGS]`
 */

import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { launch } from "../e2e/browser.mjs";
import { samples } from "../e2e/lens-page.mjs";
import { SOURCES, serve } from "../e2e/site.mjs";
import { countReading, countWebGpuCalls, openLensOnWebGpu } from "../e2e/webgpu-calls.mjs";

const readings = Number(argv[2] ?? 9);
/** Readings before the times count. */
const WARM = 2;

const site = await serve({
  folders: SOURCES,
  mounts: {
    peers: fileURLToPath(new URL("node_modules", import.meta.url)),
    "compact.onnx": fileURLToPath(new URL("compact.onnx", import.meta.url)),
  },
});
const browser = await launch({ webgpu: true });
const [lens, onnx] = [await openPage(openLensOnWebGpu), await openPage(openOnnxOnWebGpu)];
const address = `/samples/${(await samples())[0].file}`;
const readers = [
  { who: "captcha-lens", page: lens, reading: { name: "readWithLens", address } },
  {
    who: "captcha-lens, five alternatives",
    page: lens,
    reading: { name: "readWithLens", address, alternatives: 5 },
  },
  { who: "onnxruntime-web", page: onnx, reading: { name: "readWithOnnx", address } },
];
const outcomes = readers.map(() => /** @type {Awaited<ReturnType<typeof countReading>>[]} */ ([]));
for (let i = 0; i < WARM + readings; i++) {
  for (const [index, { page, reading }] of readers.entries()) {
    const outcome = await page.evaluate(countReading, reading);
    if (i >= WARM) outcomes[index].push(outcome);
  }
}
await browser.close();
await site.close();

console.log("| | text | dispatches | submits | read-backs | median |\n|---|---|---|---|---|---|");
for (const [index, { who }] of readers.entries()) {
  const { text, dispatches, submits, readBacks } = outcomes[index][0];
  const times = outcomes[index].map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const median = times[times.length >> 1].toFixed(0);
  console.log(`| ${[who, text, dispatches, submits, readBacks, `${median} ms`].join(" | ")} |`);
}

/**
 * An empty page whose calls of WebGPU are counted.
 *
 * @param {() => Promise<void>} open
 */
async function openPage(open) {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.goto(`${site.address}manifest.webmanifest`);
  await page.evaluate(countWebGpuCalls);
  await page.evaluate(open);
  return page;
}

/** Runs in the page: `readWithOnnx` with onnxruntime-web and the usual preprocessing. */
async function openOnnxOnWebGpu() {
  const at = (/** @type {string} */ path) => new URL(path, location.href).href;
  const ort = await import(at("/peers/onnxruntime-web/dist/ort.webgpu.min.mjs"));
  ort.env.wasm.wasmPaths = at("/peers/onnxruntime-web/dist/");
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(at("/compact.onnx"), {
    executionProviders: ["webgpu"],
    logSeverityLevel: 3,
  });
  const [width, height] = [388, 196];
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    canvas.getContext("2d", { willReadFrequently: true })
  );
  context.imageSmoothingQuality = "high";
  Object.assign(globalThis, {
    readWithOnnx: async (/** @type {string} */ address) => {
      const image = await (await fetch(address)).blob();
      context.drawImage(await createImageBitmap(image), 0, 0, width, height);
      const { data } = context.getImageData(0, 0, width, height);
      const values = new Float32Array(3 * width * height);
      for (let i = 0; i < width * height; i++) {
        for (let channel = 0; channel < 3; channel++) {
          values[channel * width * height + i] = (255 - data[4 * i + channel]) / 255;
        }
      }
      const input = new ort.Tensor("float32", values, [1, 3, height, width]);
      const { tokens } = await session.run({ image: input });
      let text = "";
      for (const token of tokens.data) {
        if (token < 3n) break; // <end>
        text += String.fromCharCode(94 + Number(token));
      }
      return text;
    },
  });
}
