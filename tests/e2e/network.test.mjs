// @ts-check
/** All requests of the pages, their workers and the service worker, recorded by a proxy. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as ask } from "node:http";
import { test } from "node:test";
import { launch, serviceWorkerControls } from "./browser.mjs";
import { LensPage, sampleFile, samples } from "./lens-page.mjs";
import { serve } from "./site.mjs";
import { drawImages, openTeach } from "./teach-page.mjs";

/** Chromium itself sends requests about form fields to this host. */
const AUTOFILL = "content-autofill.googleapis.com:443";

test("the pages send requests to their own site only", async (t) => {
  const site = await serve();
  t.after(site.close);
  const proxy = await startProxy(new URL(site.address).host);
  t.after(proxy.close);
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const lens = await LensPage.open(browser, site.address, {
    serviceWorkers: "allow",
    proxy: { server: proxy.address, bypass: "<-loopback>" }, // this machine, too
  });
  const { page } = lens;

  const [{ file, text }] = await samples();
  await lens.chooseSample(file);
  assert.equal(await lens.choose(await sampleFile(file)), "done");
  assert.equal(await lens.word(), text);
  await page.click("#generate");
  await page.waitForSelector("#generator-info b");
  assert.equal(await lens.waitUntilSettled(), "done");
  await page.evaluate(serviceWorkerControls);
  await page.goto(`${site.address}audit.html`);
  await page.setInputFiles("#files-input", [await sampleFile(file)]);
  await page.waitForSelector("body[data-state=done]");

  await openTeach(page, site.address);
  await drawImages(page, 24, "digits-plain");
  await page.fill("#minutes", "1");
  await page.click("#learn-start");
  await page.waitForSelector("body[data-state=learning] #learn-solved:text('95% interval')");

  assert.deepEqual(lens.watched, { foreign: [], consoleMessages: [] });
  const paths = proxy.requests.own;
  for (const path of [
    /^\/$/,
    /^\/assets\/worker-cpu-.*\.js$/,
    /^\/assets\/captcha_synth_wasm_bg-.*\.wasm$/,
    /^\/sw\.js$/,
    // The service worker also fetches files that no page requested.
    /^\/icon-512\.png$/,
    /^\/audit\.html$/,
    /^\/teach\.html$/,
    /^\/assets\/captcha_learning_wasm_bg-.*\.wasm$/,
  ]) {
    assert.ok(
      paths.some((requests) => path.test(requests)),
      `the proxy sees ${path}`,
    );
  }
  assert.deepEqual(proxy.requests.others, []);

  // The proxy does see requests to other sites.
  const other = await page.context().newPage();
  for (const address of ["http://captcha-lens.invalid/a", "https://captcha-lens.invalid/b"]) {
    await assert.rejects(other.goto(address));
  }
  const names = ["http://captcha-lens.invalid/a", "captcha-lens.invalid:443"];
  assert.deepEqual([...new Set(proxy.requests.others)], names);
});

/**
 * A proxy to one site that records all requests.
 *
 * @param {string} host host of the site
 */
async function startProxy(host) {
  /** @type {{ own: string[], others: string[] }} */
  const requests = { own: [], others: [] };
  const server = createServer((request, response) => {
    const address = new URL(request.url ?? "");
    if (address.host !== host) {
      requests.others.push(address.href);
      request.socket.destroy();
      return;
    }
    requests.own.push(address.pathname);
    const { method, headers } = request;
    const onward = ask(address, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
  });
  server.on("connect", (request, socket) => {
    if (request.url !== AUTOFILL) requests.others.push(request.url ?? "");
    socket.destroy();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    address: `http://127.0.0.1:${port}`,
    requests,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
