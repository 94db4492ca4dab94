// @ts-check
/** The lens page as tests drive it. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { watch } from "./browser.mjs";

/** @import { Browser, BrowserContextOptions, Page } from "playwright-core" */
/** @typedef {{ name: string, mimeType: string, buffer: Buffer }} FileGiven */

/** Default timeout of a test in milliseconds. */
const DEFAULT_TIMEOUT = 60_000;

/** The folder of the page. */
export const WEB = fileURLToPath(new URL("../../web/", import.meta.url));

/** @returns {Promise<{ file: string, text: string }[]>} */
export async function samples() {
  return JSON.parse(await readFile(`${WEB}samples/index.json`, "utf8"));
}

/** @param {string} file */
export async function sampleFile(file) {
  return png(await readFile(`${WEB}samples/${file}`), file);
}

/**
 * @param {Buffer} buffer
 * @param {string} [name]
 * @returns {FileGiven}
 */
export function png(buffer, name = "image.png") {
  return { name, mimeType: "image/png", buffer };
}

export class LensPage {
  /**
   * @param {Page} page
   * @param {string} address
   * @param {number} [timeout] in milliseconds
   */
  constructor(page, address, timeout = DEFAULT_TIMEOUT) {
    this.page = page;
    this.watched = watch(page, address);
    page.setDefaultTimeout(timeout);
  }

  /**
   * Opens the page. It may still be loading when this returns.
   *
   * @param {Browser} browser
   * @param {string} address
   * @param {BrowserContextOptions & { query?: string, adapter?: boolean, timeout?: number,
   *   prepare?: (page: Page) => Promise<unknown> }} [options] `adapter`: pretends that there is a
   *   graphics adapter, which the fake engine needs; `prepare`: runs before the page is opened
   */
  static async open(
    browser,
    address,
    { query = "", adapter = false, timeout = DEFAULT_TIMEOUT, prepare, ...options } = {},
  ) {
    // A test cannot see the requests of a service worker. Only the offline tests allow it.
    const context = await browser.newContext({
      reducedMotion: "reduce",
      serviceWorkers: "block",
      ...options,
    });
    if (adapter) await context.addInitScript(pretendAdapter);
    const lens = new LensPage(await context.newPage(), address, timeout);
    await prepare?.(lens.page);
    await lens.page.goto(address + query);
    return lens;
  }

  close() {
    return this.page.context().close();
  }

  /** Waits until the page is idle and returns its state. */
  async waitUntilSettled() {
    const settled = "body:is([data-state=ready], [data-state=done], [data-state=error])";
    await this.page.waitForSelector(settled);
    return this.page.evaluate(() => document.body.dataset.state);
  }

  /**
   * Chooses a file and waits until it is read.
   *
   * @param {FileGiven} file
   */
  async choose(file) {
    await this.page.setInputFiles("#file-input", file);
    return this.waitUntilSettled();
  }

  /**
   * Chooses a sample and waits until it is read.
   *
   * @param {string} file
   */
  async chooseSample(file) {
    await this.page.click(`#samples button[data-sample="${file}"]`);
    await this.page.waitForSelector(`#samples button[data-sample="${file}"][aria-pressed=true]`);
    return this.waitUntilSettled();
  }

  /**
   * Dispatches a paste or a drop of files and waits until they are read.
   *
   * @param {"paste" | "drop"} type
   * @param {FileGiven[]} files
   */
  async dispatchFiles(type, ...files) {
    const encoded = files.map((file) => ({ ...file, buffer: file.buffer.toString("base64") }));
    await this.page.evaluate(([kind, given]) => {
      const data = new DataTransfer();
      for (const { name, mimeType, buffer } of given) {
        const bytes = Uint8Array.from(atob(buffer), (character) => character.charCodeAt(0));
        data.items.add(new File([bytes], name, { type: mimeType }));
      }
      const options = { bubbles: true, cancelable: true };
      document.body.dispatchEvent(
        kind === "paste"
          ? new ClipboardEvent(kind, { ...options, clipboardData: data })
          : new DragEvent(kind, { ...options, dataTransfer: data }),
      );
    }, /** @type {const} */ ([type, encoded]));
    return this.waitUntilSettled();
  }

  /**
   * Drags a file or folder of this machine onto the page through the browser.
   *
   * @param {string} path
   */
  async drag(path) {
    const devtools = await this.page.context().newCDPSession(this.page);
    for (const type of /** @type {const} */ (["dragEnter", "dragOver", "drop"])) {
      await devtools.send("Input.dispatchDragEvent", {
        type,
        x: 200,
        y: 200,
        data: { items: [], files: [path], dragOperationsMask: 1 },
      });
    }
    await devtools.detach();
  }

  /** The text that the page shows. */
  async word() {
    return this.page.textContent("#word");
  }

  /** The last result of the engine. */
  async result() {
    return this.page.evaluate(() => {
      const { lastResult } = /** @type {any} */ (globalThis).captchaLens;
      const characters = lastResult.characters.map((/** @type {any} */ character) => ({
        ...character,
        attention: Array.from(character.attention),
      }));
      return { ...lastResult, characters };
    });
  }

  /** The error that the page shows. */
  async error() {
    const error = this.page.locator("#error");
    return {
      shown: await error.isVisible(),
      code: await error.getAttribute("data-code"),
      message: (await error.locator("#error-message").textContent()) ?? "",
    };
  }
}

/**
 * Drags a handle of the crop box. Distances are fractions of the image.
 *
 * @param {LensPage} lens
 * @param {string} handle
 * @param {number} dx
 * @param {number} dy
 */
export async function dragHandle({ page }, handle, dx, dy) {
  const [target, stage] = await Promise.all(
    [`[data-handle=${handle}]`, "#crop-picture"].map((of) => page.locator(of).boundingBox()),
  );
  assert.ok(target && stage);
  const [x, y] = [target.x + target.width / 2, target.y + target.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(x + dx * stage.width, y + dy * stage.height, { steps: 3 });
  await page.mouse.up();
}

function pretendAdapter() {
  const adapter = { features: new Set(["timestamp-query"]) };
  Object.defineProperty(navigator, "gpu", { value: { requestAdapter: async () => adapter } });
}
