#!/usr/bin/env node
// @ts-check
/**
 * Measures the page in headless Chromium: `node tests/e2e/bench.mjs`, after `./build.sh web`.
 * Prints medians. WebGPU is SwiftShader here, which computes on the CPU: its numbers show what
 * batching saves, not the speed of a graphics card.
 */

import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { launch } from "./browser.mjs";
import { LensPage, samples } from "./lens-page.mjs";
import { SOURCES, serve } from "./site.mjs";

const OPENINGS = 5;
const READINGS = 50;
const BATCHES = [1, 8, 32];
const AUDIT_IMAGES = 2000;
const AUDITS = 3;

const site = await serve();
const sources = await serve({ folders: SOURCES });
const [{ file }] = await samples();

for (const backend of /** @type {const} */ (["cpu", "webgpu"])) {
  const browser = await launch({ webgpu: backend === "webgpu" });
  console.log(`== ${backend}`);
  const first = [];
  for (let i = 0; i < OPENINGS; i++) {
    const started = performance.now();
    const lens = await LensPage.open(browser, site.address, { query: `?backend=${backend}` });
    await lens.chooseSample(file);
    first.push(performance.now() - started);
    await lens.close();
  }
  console.log(`opening the page to the first reading: ${median(first).toFixed(0)} ms`);

  const lens = await LensPage.open(browser, `${sources.address}?backend=auto`);
  const { reading, longest, batches } = await lens.page.evaluate(measure, {
    backend,
    sample: `${sources.address}samples/${file}`,
    readings: READINGS,
    sizes: BATCHES,
  });
  console.log(`one reading: ${median(reading).toFixed(1)} ms`);
  console.log(`longest task that kept the page from answering: ${longest.toFixed(0)} ms`);
  for (const [size, perSecond] of batches) {
    console.log(`read in batches of ${size}: ${perSecond.toFixed(1)} images/s`);
  }
  await browser.close();
}

const browser = await launch({ webgpu: false });
{
  const workers = Math.min(8, availableParallelism());
  console.log(`== an audit of ${AUDIT_IMAGES} images on the CPU, 1 and ${workers} workers`);
  const lens = await LensPage.open(browser, `${sources.address}?backend=cpu`);
  const what = { sample: `${sources.address}samples/${file}`, images: AUDIT_IMAGES };
  const rounds = { rounds: AUDITS, workers: [1, workers] };
  const runs = await lens.page.evaluate(audits, { ...what, ...rounds });
  for (const [count, perSecond] of runs) {
    console.log(`${count} workers: ${median(perSecond).toFixed(1)} images/s`);
  }
  const [[, one], [, all]] = runs;
  const ratios = all.map((perSecond, i) => perSecond / one[i]);
  console.log(`${median(ratios).toFixed(2)} times as fast`);
  const memory = [];
  for (const concurrency of [1, workers]) {
    await lens.page.evaluate(audits, { ...what, rounds: 0, workers: [concurrency], keep: true });
    memory.push(await rendererMegabytes());
    await lens.page.evaluate(() => /** @type {any} */ (globalThis).lens.close());
  }
  console.log(
    `memory of the page's process: ${memory.map((mb) => mb.toFixed(0)).join(" and ")} MB`,
  );
  await lens.close();
}

console.log("== memory of the CPU module, after the first readings");
for (const [what, options] of /** @type {const} */ ([
  ["one image", { count: 1 }],
  ["one image, five alternatives", { count: 1, alternatives: 5 }],
  ["a batch of 4", { count: 4 }],
  ["a batch of 32 on one worker", { count: 32 }],
  ["a photo of 16 megapixels", { count: 1, photo: 4000 }],
  ["a photo of 30 megapixels", { count: 1, photo: 5500 }],
])) {
  const lens = await LensPage.open(browser, `${sources.address}?backend=cpu`, {
    prepare: (page) => page.addInitScript(recordMemory),
  });
  const sample = `${sources.address}samples/${file}`;
  const bytes = await lens.page.evaluate(memoryAfter, { sample, ...options });
  console.log(`${what}: ${(bytes / 2 ** 20).toFixed(1)} MB`);
  await lens.close();
}

const lens = await LensPage.open(browser, site.address, { query: "?backend=cpu" });
await lens.waitUntilSettled();
console.log("== the page's own thread, longest task");
console.log(`drawing, first time: ${await longest(() => lens.page.click("#generate"))} ms`);
const strokes = lens.page.getByRole("slider", { name: "Strokes" });
console.log(`drawing anew: ${await longest(() => strokes.fill("40"))} ms`);
console.log(`a noisy photo: ${await longest(() => lens.page.evaluate(pasteNoise))} ms`);
await browser.close();
await site.close();
await sources.close();

/**
 * @param {() => Promise<unknown>} act
 * @returns {Promise<string>} the longest task on the main thread during the reading, if any is long
 */
async function longest(act) {
  await lens.page.evaluate(() => {
    const tasks = /** @type {number[]} */ ([]);
    const observer = new PerformanceObserver((list) => {
      tasks.push(...list.getEntries().map(({ duration }) => duration));
    });
    observer.observe({ type: "longtask" });
    Object.assign(globalThis, { tasks });
  });
  await act();
  await lens.waitUntilSettled();
  await lens.page.waitForTimeout(300);
  const tasks = await lens.page.evaluate(() => /** @type {any} */ (globalThis).tasks);
  return tasks.length > 0 ? Math.max(...tasks).toFixed(0) : "less than 50";
}

/** Runs in the page: pastes a detailed image. */
async function pasteNoise() {
  const canvas = new OffscreenCanvas(1600, 1200);
  const context = canvas.getContext("2d");
  for (let i = 0; i < 20_000; i++) {
    context?.fillRect((i * 7919) % 1600, (i * 104_729) % 1200, 1 + (i % 9), 1 + (i % 5));
  }
  const data = new DataTransfer();
  data.items.add(new File([await canvas.convertToBlob()], "noise.png", { type: "image/png" }));
  document.body.dispatchEvent(new ClipboardEvent("paste", { bubbles: true, clipboardData: data }));
}

/**
 * Runs in the page: measures readings and the load on the main thread during them.
 *
 * @param {{ backend: "cpu" | "webgpu", sample: string, readings: number, sizes: number[] }} what
 */
async function measure({ backend, sample, readings, sizes }) {
  /** @type {{ Recognizer: typeof import("../../web/src/lib/client.js").Recognizer }} */
  const { Recognizer } = await import(new URL("src/lib/client.js", location.href).href);
  const image = await (await fetch(sample)).blob();
  let longest = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
  }).observe({ type: "longtask" });

  const lens = await Recognizer.load({ backend });
  const reading = [];
  for (let i = 0; i < readings; i++) {
    const { milliseconds } = await lens.recognize(image);
    reading.push(milliseconds.total);
  }
  /** @type {[number, number][]} */
  const batches = [];
  for (const size of sizes) {
    const images = new Array(size).fill(image);
    await lens.recognizeAll(images); // compiles the shaders for this batch size
    const started = performance.now();
    let read = 0;
    while (read < readings) read += (await lens.recognizeAll(images)).length;
    batches.push([size, (1000 * read) / (performance.now() - started)]);
  }
  lens.close();
  return { reading, longest, batches };
}

/**
 * Runs in the page: the speed of audits with several numbers of workers, one after the other in each
 * round. The first round starts the workers and does not count. `keep` leaves the last recognizer
 * open, as `lens`.
 *
 * @param {{ sample: string, images: number, rounds: number, workers: number[], keep?: boolean }} what
 * @returns {Promise<[number, number[]][]>} images per second of each round, by number of workers
 */
async function audits({ sample, images, rounds, workers, keep = false }) {
  /** @type {{ Recognizer: typeof import("../../web/src/lib/client.js").Recognizer }} */
  const { Recognizer } = await import(new URL("src/lib/client.js", location.href).href);
  /** @type {{ AuditRun: typeof import("../../web/src/audit/run.js").AuditRun }} */
  const { AuditRun } = await import(new URL("src/audit/run.js", location.href).href);
  const image = await (await fetch(sample)).blob();
  const files = Array.from({ length: images }, (_, i) => ({
    path: `${i}.png`,
    open: async () => image,
  }));
  /** @type {[number, number[]][]} */
  const speeds = workers.map((count) => [count, []]);
  const lenses = await Promise.all(
    workers.map((concurrency) => Recognizer.load({ backend: "cpu", concurrency })),
  );
  for (let round = 0; round <= rounds; round++) {
    for (const [i, lens] of lenses.entries()) {
      const started = performance.now();
      await new AuditRun(files, lens, () => {}).finish();
      const perSecond = (1000 * images) / (performance.now() - started);
      if (round > 0) speeds[i][1].push(perSecond);
    }
  }
  if (keep) Object.assign(globalThis, { lens: lenses.pop() });
  for (const lens of lenses) lens.close();
  return speeds;
}

/** Runs in the page before its scripts: records the memory that the workers report, as `memory`. */
function recordMemory() {
  globalThis.Worker = class extends Worker {
    /** @param {ConstructorParameters<typeof Worker>} options */
    constructor(...options) {
      super(...options);
      this.addEventListener("message", ({ data }) => {
        if (data.value?.memory) Object.assign(globalThis, { memory: data.value.memory });
      });
    }
  };
}

/**
 * Runs in the page: the memory of the module after reading images, in bytes.
 *
 * @param {{ sample: string, count: number, alternatives?: number, photo?: number }} what `photo`:
 *   reads a white image with sides of so many pixels instead of the sample
 * @returns {Promise<number>}
 */
async function memoryAfter({ sample, count, alternatives = 0, photo }) {
  /** @type {{ Recognizer: typeof import("../../web/src/lib/client.js").Recognizer }} */
  const { Recognizer } = await import(new URL("src/lib/client.js", location.href).href);
  /** @type {Blob} */
  let image;
  if (photo) {
    const canvas = new OffscreenCanvas(photo, photo);
    const context = canvas.getContext("2d");
    if (context) context.fillStyle = "white";
    context?.fillRect(0, 0, photo, photo);
    image = await canvas.convertToBlob();
  } else {
    image = await (await fetch(sample)).blob();
  }
  const lens = await Recognizer.load({ backend: "cpu", concurrency: 1 });
  await lens.recognizeAll(new Array(count).fill(image), { alternatives });
  lens.close();
  return /** @type {any} */ (globalThis).memory;
}

/** Memory of the processes that run pages and their workers, in megabytes (Linux). */
async function rendererMegabytes() {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const kilobytes = processInfo
    .filter(({ type }) => type === "renderer")
    .map(async ({ id }) => {
      const status = await readFile(`/proc/${id}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
    });
  return (await Promise.all(kilobytes)).reduce((sum, value) => sum + value, 0) / 1024;
}

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
