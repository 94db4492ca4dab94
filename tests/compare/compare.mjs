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
import { brotliCompressSync, constants } from "node:zlib";
import { launch } from "../e2e/browser.mjs";
import { SOURCES, serve } from "../e2e/site.mjs";
import { ONNX_MOUNTS, openOnnx } from "./onnx.mjs";

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
  mounts: { ...ONNX_MOUNTS, images: folder },
});
const browser = await launch({ webgpu: false });
/** What opens a reader in a page, and the function that it makes there. */
const readers = [
  { name: "captcha-lens", reader: "readWithLens", open: openLens },
  { name: "onnxruntime-web", reader: "readWithOnnx", open: openOnnx },
  { name: "tesseract.js", reader: "readWithTesseract", open: openTesseract },
];
for (const { name, reader, open } of readers) {
  const firsts = [];
  let bytes = 0;
  for (let i = 0; i < OPENINGS; i++) {
    const { page, received, close } = await openPage();
    firsts.push(await firstReading(page, reader, open));
    bytes = received();
    await close();
  }
  const { page, close } = await openPage();
  await firstReading(page, reader, open);
  const { read, milliseconds } = await page.evaluate(readAll, { reader, labels });
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
 * @param {string} reader
 * @param {(provider: "wasm") => Promise<void>} open
 * @returns {Promise<number>} milliseconds
 */
async function firstReading(page, reader, open) {
  const started = performance.now();
  await page.evaluate(open, /** @type {const} */ ("wasm"));
  await page.evaluate(readAll, { reader, labels: labels.slice(0, 1) });
  return performance.now() - started;
}

/** Runs in the page: makes `readWithLens`. */
async function openLens() {
  /** @type {{ Recognizer: typeof import("../../web/src/lib/client.js").Recognizer }} */
  const { Recognizer } = await import(new URL("/src/lib/client.js", location.href).href);
  const lens = await Recognizer.load({ backend: "cpu" });
  Object.assign(globalThis, {
    readWithLens: async (/** @type {Blob} */ image) => (await lens.recognize(image)).text,
  });
}

/** Runs in the page: makes `readWithTesseract`. */
async function openTesseract() {
  const at = (/** @type {string} */ path) => new URL(`/peers/${path}`, location.href).href;
  const { createWorker } = (await import(at("tesseract.js/dist/tesseract.esm.min.js"))).default;
  const worker = await createWorker("eng", 1, {
    workerPath: at("tesseract.js/dist/worker.min.js"),
    workerBlobURL: false, // the site's Content-Security-Policy forbids it
    corePath: at("tesseract.js-core"),
    langPath: at("@tesseract.js-data/eng/4.0.0_best_int"),
    cacheMethod: "none",
  });
  await worker.setParameters({
    tessedit_pageseg_mode: "8", // a single word
    tessedit_char_whitelist: "abcdefghijklmnopqrstuvwxyz",
  });
  Object.assign(globalThis, {
    readWithTesseract: async (/** @type {Blob} */ image) =>
      (await worker.recognize(image)).data.text.trim(),
  });
}

/**
 * Runs in the page: reads images with a function of the page.
 *
 * @param {{ reader: string, labels: string[][] }} images
 */
async function readAll({ reader, labels }) {
  let read = 0;
  const milliseconds = [];
  for (const [name, label] of labels) {
    const image = await (await fetch(`/images/${name}.png`)).blob();
    const started = performance.now();
    const text = await /** @type {any} */ (globalThis)[reader](image);
    milliseconds.push(performance.now() - started);
    if (text === label) read++;
  }
  return { read, milliseconds };
}

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
