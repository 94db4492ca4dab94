#!/usr/bin/env node
// @ts-check
/**
 * Compares captcha-lens with tesseract.js, and with onnxruntime-web running the model of
 * captcha-lens: the same images in the same Chromium, on the CPU, one after the other.
 *
 * - `captcha-lens generate --test --count 500 --seed 8 --out IMAGES`
 * - `python tests/compare/export.py web/models/compact.safetensors tests/compare/compact.onnx`
 * - `npm ci --prefix tests/compare`
 * - `node tests/compare/compare.mjs IMAGES`
 *
 * The folder is one that `captcha-lens generate` writes. Times are medians, from a file's bytes to
 * its text. Each is given what helps it: tesseract.js is told that an image holds one word of small
 * characters, and loads its smaller English data; onnxruntime-web gets its module without WebGPU,
 * and like captcha-lens one thread, as where a site sends no headers for more.
 */

import { readFile } from "node:fs/promises";
import { argv, exit } from "node:process";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { launch } from "../e2e/browser.mjs";
import { SOURCES, serve } from "../e2e/site.mjs";

/** Number of fresh browser profiles, each used up to the first reading. */
const OPENINGS = 5;
/** Compression of typical hosts. */
const QUALITY = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

const folder = argv[2];
if (!folder) {
  console.error("Usage: compare.mjs IMAGES");
  exit(2);
}
const labels = (await readFile(`${folder}/spec_train_val.txt`, "utf8"))
  .trim()
  .split("\n")
  .map((line) => line.split(" "));

const site = await serve({
  folders: SOURCES,
  mounts: {
    images: folder,
    peers: fileURLToPath(new URL("node_modules", import.meta.url)),
    "compact.onnx": fileURLToPath(new URL("compact.onnx", import.meta.url)),
  },
});
const browser = await launch({ webgpu: false });
for (const [name, make] of /** @type {const} */ ([
  ["captcha-lens", openLens],
  ["onnxruntime-web", openOnnx],
  ["tesseract.js", openTesseract],
])) {
  const firsts = [];
  let bytes = 0;
  for (let i = 0; i < OPENINGS; i++) {
    const { page, received, close } = await openPage();
    firsts.push(await firstReading(page, make));
    bytes = received();
    await close();
  }
  const { page, close } = await openPage();
  await firstReading(page, make);
  const { read, milliseconds } = await page.evaluate(readAll, labels);
  console.log(
    `${name}: ${read} of ${labels.length} exact matches; ` +
      `${median(milliseconds).toFixed(1)} ms an image; ` +
      `first reading after ${median(firsts).toFixed(0)} ms and ${(bytes / 1e6).toFixed(1)} MB`,
  );
  await close();
}
await browser.close();
await site.close();

/** An empty page with an empty cache, and the number of compressed bytes that it has received. */
async function openPage() {
  const context = await browser.newContext({ serviceWorkers: "block" });
  const page = await context.newPage();
  page.setDefaultTimeout(0);
  let bytes = 0;
  const sizes = /** @type {Promise<void>[]} */ ([]);
  context.on("requestfinished", (request) => {
    if (request.url().includes("/images/")) return;
    const add = async () => {
      const body = (await (await request.response())?.body()) ?? Buffer.alloc(0);
      bytes += Math.min(body.length, brotliCompressSync(body, QUALITY).length);
    };
    sizes.push(add());
  });
  await page.goto(`${site.address}manifest.webmanifest`);
  return {
    page,
    received: () => bytes,
    close: async () => {
      await Promise.all(sizes);
      await context.close();
    },
  };
}

/**
 * @param {import("playwright-core").Page} page
 * @param {() => Promise<void>} make
 * @returns {Promise<number>} milliseconds
 */
async function firstReading(page, make) {
  const started = performance.now();
  await page.evaluate(make);
  await page.evaluate(
    (name) => /** @type {any} */ (globalThis).readOne(`/images/${name}.png`),
    labels[0][0],
  );
  return performance.now() - started;
}

/** Runs in the page: `readOne` with captcha-lens. */
async function openLens() {
  /** @type {{ Recognizer: typeof import("../../web/src/lib/client.js").Recognizer }} */
  const { Recognizer } = await import(new URL("/src/lib/client.js", location.href).href);
  const lens = await Recognizer.load({ backend: "cpu" });
  Object.assign(globalThis, {
    readOne: async (/** @type {string} */ address) => {
      const image = await (await fetch(address)).blob();
      const started = performance.now();
      const { text } = await lens.recognize(image);
      return { text, milliseconds: performance.now() - started };
    },
  });
}

/** Runs in the page: `readOne` with tesseract.js. */
async function openTesseract() {
  const at = (/** @type {string} */ path) => new URL(`/peers/${path}`, location.href).href;
  const { createWorker } = (await import(at("tesseract.js/dist/tesseract.esm.min.js"))).default;
  const worker = await createWorker("eng", 1, {
    workerPath: at("tesseract.js/dist/worker.min.js"),
    corePath: at("tesseract.js-core"),
    langPath: at("@tesseract.js-data/eng/4.0.0_best_int"),
    cacheMethod: "none",
  });
  await worker.setParameters({
    tessedit_pageseg_mode: "8", // a single word
    tessedit_char_whitelist: "abcdefghijklmnopqrstuvwxyz",
  });
  Object.assign(globalThis, {
    readOne: async (/** @type {string} */ address) => {
      const image = await (await fetch(address)).blob();
      const started = performance.now();
      const { data } = await worker.recognize(image);
      return { text: data.text.trim(), milliseconds: performance.now() - started };
    },
  });
}

/** Runs in the page: `readOne` with onnxruntime-web and the usual preprocessing. */
async function openOnnx() {
  const at = (/** @type {string} */ path) => new URL(path, location.href).href;
  const ort = await import(at("/peers/onnxruntime-web/dist/ort.wasm.min.mjs"));
  ort.env.wasm.wasmPaths = at("/peers/onnxruntime-web/dist/");
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(at("/compact.onnx"));
  const [width, height] = [388, 196];
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    canvas.getContext("2d", { willReadFrequently: true })
  );
  context.imageSmoothingQuality = "high";
  Object.assign(globalThis, {
    readOne: async (/** @type {string} */ address) => {
      const image = await (await fetch(address)).blob();
      const started = performance.now();
      const bitmap = await createImageBitmap(image);
      context.drawImage(bitmap, 0, 0, width, height);
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
      return { text, milliseconds: performance.now() - started };
    },
  });
}

/**
 * Runs in the page: reads all images.
 *
 * @param {string[][]} labelled
 */
async function readAll(labelled) {
  const { readOne } = /** @type {any} */ (globalThis);
  let read = 0;
  const milliseconds = [];
  for (const [name, label] of labelled) {
    const outcome = await readOne(`/images/${name}.png`);
    if (outcome.text === label) read++;
    milliseconds.push(outcome.milliseconds);
  }
  return { read, milliseconds };
}

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
