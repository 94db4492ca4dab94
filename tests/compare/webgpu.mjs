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
import { launch } from "../e2e/browser.mjs";
import { samples } from "../e2e/lens-page.mjs";
import { SOURCES, serve } from "../e2e/site.mjs";
import { countReading, countWebGpuCalls, openLensOnWebGpu } from "../e2e/webgpu-calls.mjs";
import { ONNX_MOUNTS, openOnnx } from "./onnx.mjs";

const readings = Number(argv[2] ?? 9);
/** Readings before the times count. */
const WARM = 2;

const site = await serve({
  folders: SOURCES,
  mounts: ONNX_MOUNTS,
});
const browser = await launch({ webgpu: true });
const [lens, onnx] = [await openPage(openLensOnWebGpu), await openPage(openOnnx, "webgpu")];
await onnx.evaluate(() => {
  const page = /** @type {any} */ (globalThis);
  page.readAddressWithOnnx = async (/** @type {string} */ address) =>
    page.readWithOnnx(await (await fetch(address)).blob());
});
const address = `/samples/${(await samples())[0].file}`;
const readers = [
  { who: "captcha-lens", page: lens, reading: { name: "readWithLens", address } },
  {
    who: "captcha-lens, five alternatives",
    page: lens,
    reading: { name: "readWithLens", address, alternatives: 5 },
  },
  { who: "onnxruntime-web", page: onnx, reading: { name: "readAddressWithOnnx", address } },
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
 * @template T
 * @param {(argument: T) => Promise<void>} open
 * @param {T} [argument]
 */
async function openPage(open, argument) {
  const page = await browser.newPage();
  page.setDefaultTimeout(0);
  await page.goto(`${site.address}manifest.webmanifest`);
  await page.evaluate(countWebGpuCalls);
  await page.evaluate(/** @type {any} */ (open), argument);
  return page;
}
