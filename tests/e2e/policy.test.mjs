// @ts-check
/** The policy blocks requests of the page, its workers and its service worker to other sites. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { blankPng } from "./images.mjs";
import { LensPage, png } from "./lens-page.mjs";
import { serve } from "./site.mjs";
import { drawImages, openTeach } from "./teach-page.mjs";

const IMAGE = png(blankPng(200, 100));
/** SwiftShader takes long to compile the shaders. */
const DEFAULT_TIMEOUT = 180_000;

describe("content security policy", () => {
  /** Requests to the other site. @type {string[]} */
  const requests = [];
  const other = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    response.writeHead(200, { "access-control-allow-origin": "*" }).end("taken");
  });
  /** The URL of the other site. */
  let elsewhere = "";
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;

  before(async () => {
    await new Promise((listening) => other.listen(0, "127.0.0.1", () => listening(undefined)));
    const { port } = /** @type {import("node:net").AddressInfo} */ (other.address());
    elsewhere = `http://127.0.0.1:${port}/`;
    site = await serve();
    browser = await launch({ webgpu: true });
  });
  after(async () => {
    await browser.close();
    await site.close();
    other.close();
  });

  /**
   * Sends an image to the other site in each possible way and returns the outcomes.
   *
   * @param {{ evaluate: import("playwright-core").Worker["evaluate"] }} from
   */
  const send = (from) =>
    from.evaluate(async (/** @type {string} */ address) => {
      const body = new Blob(["an image"]);
      const fetched = (/** @type {RequestInit} */ how) =>
        fetch(address, how).then(
          () => "sent",
          () => "blocked",
        );
      const socket = () =>
        new Promise((done) => {
          try {
            const opened = new WebSocket(address.replace("http", "ws"));
            opened.onopen = () => done("sent");
            opened.onerror = () => done("blocked");
          } catch {
            done("blocked");
          }
        });
      return Promise.all([
        fetched({}),
        fetched({ method: "POST", body }),
        fetched({ method: "POST", body, mode: "no-cors" }),
        socket(),
      ]);
    }, elsewhere);
  const BLOCKED = ["blocked", "blocked", "blocked", "blocked"];

  test("blocks requests that a page without it can send", async () => {
    const page = await browser.newPage();
    await page.goto(elsewhere);
    const sent = await send(page);
    assert.deepEqual(sent.slice(0, 3), ["sent", "sent", "sent"]);
    assert.ok(requests.length >= 3);
    await page.close();
  });

  for (const backend of ["cpu", "webgpu"]) {
    test(`applies to the page and each worker when reading on ${backend}`, async () => {
      const options = /** @type {const} */ ({ serviceWorkers: "allow" });
      const lens = await LensPage.open(browser, site.address, {
        query: `?backend=${backend}`,
        timeout: DEFAULT_TIMEOUT,
        ...options,
      });
      const { page } = lens;
      assert.equal(await lens.choose(IMAGE), "done");
      await page.evaluate(() => navigator.serviceWorker.ready);
      requests.length = 0;
      assert.deepEqual(await send(page), BLOCKED, "the page");
      const workers = page.workers();
      const names = workers.map((worker) => new URL(worker.url()).pathname).sort();
      assert.equal(names.length, 2);
      assert.match(names[0], /^\/assets\/image-worker-[^/]+\.js$/);
      assert.match(names[1], new RegExp(`^/assets/worker-${backend}-[^/]+\\.js$`));
      for (const worker of workers) assert.deepEqual(await send(worker), BLOCKED, worker.url());
      const [serviceWorker] = page.context().serviceWorkers();
      assert.deepEqual(await send(serviceWorker), BLOCKED, "the service worker");
      await page.goto(`${site.address}audit.html`);
      assert.deepEqual(await send(page), BLOCKED, "the audit");
      await page.goto(`${site.address}teach.html`);
      assert.deepEqual(await send(page), BLOCKED, "the teach page");
      assert.deepEqual(requests, []);
      await lens.close();
    });
  }

  test("applies to the worker that learns", async () => {
    const page = await browser.newPage();
    await openTeach(page, site.address);
    await drawImages(page, 24, "digits-plain");
    await page.click("#learn-start");
    await page.waitForSelector("body[data-state=learning] #learn-solved:text('95% interval')");
    requests.length = 0;
    const learner = page.workers().find((worker) => /\/learner-worker-/.test(worker.url()));
    assert.ok(learner);
    assert.deepEqual(await send(learner), BLOCKED);
    assert.deepEqual(requests, []);
    await page.close();
  });

  test("forbids other pages to frame the page", async () => {
    const page = await browser.newPage();
    await page.goto(elsewhere);
    const framed = await page.evaluate(async (address) => {
      const frame = document.createElement("iframe");
      const loaded = new Promise((done) => (frame.onload = done));
      frame.src = address;
      document.body.append(frame);
      await loaded;
      return frame.contentWindow?.length;
    }, site.address);
    assert.equal(framed, 0);
    const [, frame] = page.frames();
    assert.equal(await frame.locator("#drop-zone").count(), 0);
    await page.close();
  });
});
