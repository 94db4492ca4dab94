// @ts-check
/** The lens page around the engine, with the fake engine. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GOOD_IMAGE, imageWithFault, serveFakeLens, WORD } from "./fake/lens-suite.mjs";

/** @import { LensPage } from "./lens-page.mjs" */

describe("lens page", () => {
  const { open } = serveFakeLens();

  test("replaces a worker that a large photo has made large, and downloads nothing", async () => {
    const lens = await open({ query: "?backend=cpu" });
    const worker = () => lens.page.workers().find((worker) => worker.url().includes("worker-cpu"));
    assert.equal(await lens.choose(GOOD_IMAGE), "done");
    const first = worker();
    assert.equal(await lens.choose(GOOD_IMAGE), "done");
    assert.equal(worker(), first, "a usual reading does not");
    /** @type {string[]} */
    const requests = [];
    lens.page.on("request", (request) => requests.push(request.url()));
    const ended = first?.waitForEvent("close");
    assert.equal(await lens.choose(imageWithFault("large")), "done");
    assert.equal(await lens.word(), WORD);
    await ended;
    assert.equal(await lens.choose(GOOD_IMAGE), "done");
    assert.equal(await lens.word(), WORD);
    assert.ok(worker());
    assert.deepEqual(
      requests.filter((url) => /\.(wasm|safetensors)$/.test(url)),
      [],
    );
    await lens.close();
  });

  describe("precaching", () => {
    const registered = (/** @type {LensPage} */ { page }) =>
      page.evaluate(() => /** @type {any} */ (globalThis).registered);

    /** Opens the page and records the registrations of its service worker. */
    const openRecorded = () =>
      open({
        query: "?backend=cpu",
        serviceWorkers: "allow",
        async prepare(page) {
          await page.clock.install();
          await page.addInitScript(recordRegistrations);
        },
      });

    test("fetches nothing before the first result", async () => {
      const lens = await openRecorded();
      assert.equal(await lens.waitUntilSettled(), "ready");
      await lens.page.clock.runFor(2000);
      assert.deepEqual(await registered(lens), []);
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      assert.deepEqual(await registered(lens), ["sw.js"]);
      assert.equal(await lens.choose(GOOD_IMAGE), "done");
      assert.deepEqual(await registered(lens), ["sw.js"], "once");
      await lens.close();
    });

    test("fetches everything after the page has been idle", async () => {
      const lens = await openRecorded();
      assert.equal(await lens.waitUntilSettled(), "ready");
      await lens.page.clock.runFor(6000);
      assert.deepEqual(await registered(lens), ["sw.js"]);
      await lens.close();
    });
  });
});

/** Records registrations of service workers and registers none. */
function recordRegistrations() {
  /** @type {string[]} */
  const registered = [];
  Object.assign(globalThis, { registered });
  navigator.serviceWorker.register = (url) => {
    registered.push(String(url).replace(/^.*\//, ""));
    return new Promise(() => {});
  };
}
