#!/usr/bin/env node
// @ts-check
/**
 * Measures the time to the first reading on a slow line: `bench-network.mjs [--runs N] [--address
 * URL] [--verbose]`, after `./build.sh web`. Each run has a new browser profile. The second visit
 * uses the same profile in another browser process. Prints medians. `--address` selects another
 * copy of the page, `--verbose` prints all requests.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";

import { launchProfile, serviceWorkerControls } from "./browser.mjs";
import { LensPage, samples } from "./lens-page.mjs";
import { meter } from "./meter.mjs";
import { serve } from "./site.mjs";
import { slowLine } from "./slow-line.mjs";

/** A typical mobile line: round trip in milliseconds, rate in bits per second. */
const SPEED = { roundTrip: 100, rate: 10_000_000 };
/** Time in milliseconds that a browser gets to start, before it opens the page. */
const STARTUP = 3000;
/** Time in milliseconds that a visit goes on after its last reading. */
const STAY = 3000;
/** Timeout of a visit in milliseconds. */
const PATIENCE = 60_000;

const { values: options } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    address: { type: "string" },
    verbose: { type: "boolean", default: false },
  },
});

const site = options.address ? undefined : await serve();
const metered = await meter(options.address ?? site?.address ?? "");
const line = await slowLine(metered.address, SPEED);

/** @typedef {{ reading: number, requests: number, bytes: number, allRequests: number, allBytes: number, repeated: number }} Visit */

/** @type {[Visit[], Visit[]]} */
const visits = [[], []];
for (let run = 0; run < Number(options.runs); run++) {
  const profile = await mkdtemp(join(tmpdir(), "captcha-lens-"));
  for (const [which, results] of visits.entries()) {
    if (options.verbose) console.log(`== run ${run + 1}, visit ${which + 1}`);
    results.push(await visit(profile));
  }
  await rm(profile, { recursive: true, maxRetries: 5 });
}
line.close();
metered.close();
await site?.close();

for (const [which, results] of visits.entries()) {
  const middle = (/** @type {keyof Visit} */ name) => median(results.map((result) => result[name]));
  console.log(
    `${["first", "second"][which]} visit: ${(middle("reading") / 1000).toFixed(2)} s to the first reading ` +
      `(${results.map(({ reading }) => (reading / 1000).toFixed(2)).join(", ")}), ` +
      `${middle("requests")} requests, ${kilobytes(middle("bytes"))}; ` +
      `with the service worker ${middle("allRequests")} requests, ${kilobytes(middle("allBytes"))}, ` +
      `${middle("repeated")} addresses more than once`,
  );
}

/**
 * Opens the page, reads the first sample as soon as it is shown, waits until the page works offline,
 * and reads all samples.
 *
 * @param {string} profile folder of the browser's profile
 * @returns {Promise<Visit>}
 */
async function visit(profile) {
  const context = await launchProfile(profile, { reducedMotion: "reduce" });
  try {
    await context.addInitScript(readFirstSample);
    const page = context.pages()[0] ?? (await context.newPage());
    page.setDefaultTimeout(PATIENCE);
    await setTimeout(STARTUP);
    metered.sent.length = 0;
    const began = performance.now();
    await page.goto(line.address, { waitUntil: "commit" });
    const reading = await page.evaluate(() => /** @type {any} */ (globalThis).firstReading);
    const first = [...metered.sent];
    await page.evaluate(serviceWorkerControls);
    // A browser caches compiled code once it has optimized enough of it.
    const lens = new LensPage(page, line.address);
    for (const { file } of await samples()) await lens.chooseSample(file);
    await setTimeout(STAY);
    const all = [...metered.sent];
    if (options.verbose) {
      for (const { path, status, bytes, began: from, ended } of all) {
        const times = `${(from - began).toFixed(0)} to ${(ended - began).toFixed(0)} ms`;
        console.log(`${status} ${kilobytes(bytes).padStart(8)} ${times.padEnd(18)} /${path}`);
      }
    }
    return {
      reading,
      requests: first.length,
      bytes: sum(first),
      allRequests: all.length,
      allBytes: sum(all),
      repeated: all.length - new Set(all.map(({ path }) => path)).size,
    };
  } finally {
    await context.close();
  }
}

/**
 * Runs in the page: chooses the first sample when it appears. `firstReading` is the time of its
 * result in milliseconds after the start of the visit.
 */
function readFirstSample() {
  let chosen = false;
  const firstReading = new Promise((resolve, reject) => {
    new MutationObserver((_, observer) => {
      const sample = document.querySelector("#samples button");
      if (sample instanceof HTMLButtonElement && !chosen) {
        chosen = true;
        sample.click();
      }
      const state = document.body?.dataset.state;
      if (state === "error") reject(new Error(document.querySelector("#error")?.textContent ?? ""));
      if (chosen && state === "done") {
        observer.disconnect();
        resolve(performance.now());
      }
    }).observe(document, { subtree: true, childList: true, attributeFilter: ["data-state"] });
  });
  Object.assign(globalThis, { firstReading });
}

/** @param {{ bytes: number }[]} sent */
function sum(sent) {
  return sent.reduce((total, { bytes }) => total + bytes, 0);
}

/** @param {number} bytes */
function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(0)} kB`;
}

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
