// @ts-check
/** Starts Chromium with or without WebGPU, and records what a page must not do. */

import { setTimeout } from "node:timers/promises";
import { chromium } from "playwright-core";

const ALWAYS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** SwiftShader runs WebGPU on the CPU: slow, but the same on every machine. */
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** @param {{ webgpu: boolean }} options */
export function launch({ webgpu }) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: webgpu ? [...ALWAYS, ...WEBGPU] : ALWAYS,
  });
}

/**
 * Starts a browser without WebGPU whose profile stays in a folder.
 *
 * @param {string} folder
 * @param {import("playwright-core").BrowserContextOptions} [options]
 */
export function launchProfile(folder, options) {
  return chromium.launchPersistentContext(folder, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ALWAYS,
    ...options,
  });
}

/**
 * Records the requests of a page to other origins, and its errors and warnings.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} address
 */
export function watch(page, address) {
  /** @type {string[]} */
  const foreign = [];
  /** @type {string[]} */
  const consoleMessages = [];
  page.on("request", (request) => {
    const url = request.url();
    const own = url.startsWith(address) || url.startsWith("blob:") || url.startsWith("data:");
    if (!own) foreign.push(url);
  });
  page.on("console", (message) => {
    if (message.type() === "error") consoleMessages.push(message.text());
  });
  page.on("pageerror", (error) => consoleMessages.push(String(error)));
  return { foreign, consoleMessages };
}

/**
 * Delays a response until it is released. Reading an image of `FAULTS.held` requests `held`.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} pattern
 */
export async function holdRequest(page, pattern) {
  const [requested, released] = [gate(), gate()];
  await page.route(pattern, async (route) => {
    requested.open();
    await released.opened;
    await route.continue();
  });
  return {
    /** Resolves when the page has sent the request. */
    requested: requested.opened,
    release: released.open,
  };
}

/**
 * Stops the clock of a page. Only `page.clock` advances it then.
 *
 * @param {import("playwright-core").Page} page
 */
export async function stopClock(page) {
  await page.clock.install();
  // A time in the future: the clock of the page must not go back.
  await page.clock.pauseAt(Date.now() + 60_000);
}

/** Runs in the page: delays image decoding until `release` is called. */
export function holdDecoding() {
  const { decode } = HTMLImageElement.prototype;
  const released = new Promise((resolve) => Object.assign(globalThis, { release: resolve }));
  HTMLImageElement.prototype.decode = async function () {
    await released;
    return decode.call(this);
  };
}

/**
 * Repeats a query until it gives a value.
 *
 * @template T
 * @param {() => Promise<T>} ask
 * @param {number} [timeout] milliseconds
 * @returns {Promise<T>}
 */
export async function waitFor(ask, timeout = 60_000) {
  const limit = AbortSignal.timeout(timeout);
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    limit.throwIfAborted();
    await setTimeout(50);
  }
}

/** Runs in the page: waits until everything is cached and the service worker controls the page. */
export async function serviceWorkerControls() {
  await navigator.serviceWorker.ready;
  if (navigator.serviceWorker.controller) return;
  await new Promise((resolve) =>
    navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }),
  );
}

/** A promise with its own `resolve`. */
function gate() {
  let open = () => {};
  const opened = /** @type {Promise<void>} */ (new Promise((resolve) => (open = resolve)));
  return { opened, open: () => open() };
}

/**
 * Viewport widths in pixels that a page must fit, each with a text size in percent (WCAG 2.2,
 * 1.4.4).
 */
export const WIDTHS = /** @type {const} */ ([
  [320, 100],
  [360, 100],
  [768, 100],
  [1280, 100],
  [1280, 200],
]);

/**
 * Sets the text size of a page, as a user setting does.
 *
 * @param {import("playwright-core").Page} page
 * @param {number} size in percent
 */
export async function resizeText(page, size) {
  await page.evaluate((percent) => {
    document.documentElement.style.fontSize = `${percent}%`;
  }, size);
}

/**
 * Whether a page fits its width, also with wider text spacing (WCAG 2.2, 1.4.12).
 *
 * @param {import("playwright-core").Page} page
 */
export async function fitsWidth(page) {
  const fits = () =>
    page.evaluate(
      () => document.documentElement.scrollWidth <= document.documentElement.clientWidth,
    );
  const space = (/** @type {string} */ characters, /** @type {string} */ words) =>
    page.evaluate(
      ([letterSpacing, wordSpacing]) =>
        Object.assign(document.body.style, { letterSpacing, wordSpacing }),
      [characters, words],
    );
  const plain = await fits();
  await space("0.12em", "0.16em");
  const spaced = await fits();
  await space("", "");
  return plain && spaced;
}

/**
 * The numbers in a part of a page that are broken into several lines.
 *
 * @param {import("playwright-core").Page} page
 * @param {string} selector
 * @returns {Promise<string[]>}
 */
export function brokenNumbers(page, selector) {
  return page.locator(selector).evaluate((root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const broken = [];
    while (walker.nextNode()) {
      const text = walker.currentNode.textContent ?? "";
      for (const { 0: number, index } of text.matchAll(/[\d.,%]{2,}/g)) {
        const range = document.createRange();
        range.setStart(walker.currentNode, index);
        range.setEnd(walker.currentNode, index + number.length);
        if (new Set([...range.getClientRects()].map(({ top }) => top)).size > 1) broken.push(text);
      }
    }
    return broken;
  });
}
