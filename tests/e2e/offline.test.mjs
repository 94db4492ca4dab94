// @ts-check
/** The page after its first visit, without a network. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "../../web/serve.mjs";
import { launch } from "./browser.mjs";
import { Reader, sampleFile, samples } from "./reader.mjs";

test("after one visit the page reads without a network", async () => {
  const site = await serve({ base: "/some/where/" });
  const browser = await launch({ webgpu: false });
  const query = "?backend=cpu";
  const reader = await Reader.open(browser, site.address, { query, serviceWorkers: "allow" });
  assert.equal(await reader.settled(), "ready");
  // Everything is there, and the worker answers for the page.
  await reader.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) {
      await new Promise((resolve) =>
        navigator.serviceWorker.addEventListener("controllerchange", resolve, { once: true }),
      );
    }
  });
  await site.close();

  const [{ file, text }] = await samples();
  await reader.page.reload();
  assert.equal(await reader.settled(), "ready");
  assert.equal(await reader.choose(await sampleFile(file)), "done");
  assert.equal(await reader.word(), text);
  await reader.page.goto(`${site.address}audit.html${query}`);
  await reader.page.setInputFiles("#files-input", [await sampleFile(file)]);
  await reader.page.waitForSelector("body[data-state=done]");
  assert.equal(await reader.page.textContent(".report-rate"), "100.0\u202f%");
  await browser.close();
});
