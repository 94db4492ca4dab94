// @ts-check
/** The page without a network after one visit. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { cp, mkdtemp, readFile, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { launch, serviceWorkerControls, waitFor } from "./browser.mjs";
import { LensPage, sampleFile, samples } from "./lens-page.mjs";
import { DIST, serve } from "./site.mjs";

const QUERY = "?backend=cpu";

test("offline page reads after one visit", async (t) => {
  const site = await serve({ base: "/some/where/" });
  t.after(site.close);
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const lens = await visit(browser, site.address);
  await site.close();

  const [{ file, text }] = await samples();
  await lens.page.reload();
  assert.equal(await lens.waitUntilSettled(), "ready");
  assert.equal(await lens.choose(await sampleFile(file)), "done");
  assert.equal(await lens.word(), text);
  const broken = await lens.page.evaluate(() =>
    [...document.images].filter((one) => one.currentSrc && !one.naturalWidth).map((one) => one.src),
  );
  assert.deepEqual(broken, []);
  await lens.chooseSample(file);
  assert.equal(await lens.word(), text);
  await lens.page.click("#generate");
  await lens.page.waitForSelector("#generator-info b");
  await lens.page.goto(`${site.address}audit.html${QUERY}`);
  await lens.page.setInputFiles("#files-input", [await sampleFile(file)]);
  await lens.page.waitForSelector("body[data-state=done]");
  assert.equal(await lens.page.textContent(".report-rate"), "100.0%");
});

test("a new version is cached as a whole and replaces the old one", async (t) => {
  const { folder, change } = await copyOfPage(t);
  const site = await serve({ folders: [folder] });
  t.after(site.close);
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const lens = await visit(browser, site.address);
  /** Number of cached versions of a page. */
  const versions = () =>
    lens.page.evaluate(async () => {
      let count = 0;
      for (const name of await caches.keys()) {
        const keys = await (await caches.open(name)).keys();
        count += keys.filter(({ url }) => new URL(url).pathname.endsWith("/audit.html")).length;
      }
      return count;
    });
  assert.equal(await versions(), 1);
  assert.equal(await lens.page.evaluate(async () => (await caches.keys()).length), 1);

  await change("audit.html", "<title>", "<title>New: ");
  await lens.page.goto(`${site.address}audit.html${QUERY}`);
  assert.match(await lens.page.title(), /^New: /);
  const cached = await lens.page.evaluate(async () => {
    const response = await caches.match(location.href, { ignoreSearch: true });
    return response?.text();
  });
  assert.match(cached ?? "", /<title>/);
  assert.doesNotMatch(cached ?? "", /New: /, "a version holds its own files");
  await lens.page.goto(`${site.address}${QUERY}`);

  // The list of files contains the version of the page.
  await change("sw.js", /"revision":"(?=\w+","url":"audit\.html")/, '"revision":"new');
  await lens.page.reload();
  await lens.chooseSample((await samples())[0].file);
  // A visit to one page also caches the other one.
  await waitFor(() =>
    lens.page.evaluate(async () => (await navigator.serviceWorker.ready).waiting !== null),
  );
  assert.equal(await versions(), 2);
  // The new version takes over when no page of the old one is open.
  await lens.page.goto("about:blank");
  await lens.page.goto(`${site.address}${QUERY}`);
  await waitFor(async () => (await versions()) === 1);
  await site.close();
  await lens.page.goto(`${site.address}audit.html${QUERY}`);
  assert.match(await lens.page.title(), /^New: /);
});

test("a new version deletes old files, but not those of its own that a page has used", async (t) => {
  const { folder, change, pathOf } = await copyOfPage(t);
  const module = pathOf(/^assets\/captcha_wasm_bg-.*\.wasm$/);
  const old = "assets/old-12345678.js";
  await writeFile(join(folder, old), "");
  await writeFile(join(folder, "other.txt"), "");
  const site = await serve({ folders: [folder] });
  t.after(site.close);
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const lens = await visit(browser, site.address);
  const paths = [module, old, "other.txt"];
  const kept = () =>
    lens.page.evaluate(async (paths) => {
      const found = await Promise.all(paths.map((path) => caches.match(path)));
      return paths.filter((_, i) => found[i]);
    }, paths);
  assert.deepEqual(await kept(), []);
  for (const path of paths) {
    await lens.page.evaluate(async (path) => (await fetch(path)).arrayBuffer(), path);
  }
  await waitFor(async () => (await kept()).length === 3);

  await change("sw.js", /"revision":"(?=\w+","url":"audit\.html")/, '"revision":"new');
  await lens.page.reload();
  await lens.chooseSample((await samples())[0].file);
  await waitFor(() =>
    lens.page.evaluate(async () => (await navigator.serviceWorker.ready).waiting !== null),
  );
  await lens.page.goto("about:blank");
  await lens.page.goto(`${site.address}${QUERY}`);
  await waitFor(async () => (await kept()).length === 2);
  assert.deepEqual(await kept(), [module, "other.txt"]);
});

test("caches of the earlier service worker are deleted, not those of another copy", async (t) => {
  const site = await serve();
  t.after(site.close);
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const options = /** @type {const} */ ({ query: QUERY, serviceWorkers: "allow" });
  const lens = await LensPage.open(browser, site.address, options);
  assert.equal(await lens.waitUntilSettled(), "ready");
  const other = `captcha-lens ${site.address}other/ 1`;
  await lens.page.evaluate(
    async (names) => {
      for (const name of names) await caches.open(name);
    },
    [`captcha-lens ${site.address} 1`, `captcha-lens ${site.address} 2`, other],
  );
  await lens.chooseSample((await samples())[0].file);
  await controlled(lens);
  const names = await lens.page.evaluate(() => caches.keys());
  assert.deepEqual(
    names.filter((name) => name.startsWith("captcha-lens")),
    [other],
  );
});

test("pages are shown without their extension, and other pages after a visit", async (t) => {
  const { folder } = await copyOfPage(t);
  await writeFile(join(folder, "other.html"), "<!doctype html><title>Other</title>");
  const site = await serve({ folders: [folder] });
  t.after(site.close);
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const { page } = await visit(browser, site.address);
  await page.goto(`${site.address}other.html`);
  assert.equal(await page.title(), "Other");
  await site.close();
  await page.goto(`${site.address}audit${QUERY}`);
  assert.match(await page.title(), /audit/i);
  await page.goto(`${site.address}other.html`);
  assert.equal(await page.title(), "Other");
});

test("the cached page is shown when the server is slow", async (t) => {
  const site = await serve();
  t.after(site.close);
  const way = await wayTo(site.address);
  t.after(way.close);
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const lens = await visit(browser, way.address);
  way.fallSilent();
  await lens.page.reload();
  assert.equal(await lens.waitUntilSettled(), "ready");
  // The browser stops an idle service worker.
  const devtools = await lens.page.context().newCDPSession(lens.page);
  await devtools.send("ServiceWorker.enable");
  await devtools.send("ServiceWorker.stopAllWorkers");
  const [{ file, text }] = await samples();
  assert.equal(await lens.choose(await sampleFile(file)), "done");
  assert.equal(await lens.word(), text);
  await lens.chooseSample(file);
  assert.equal(await lens.word(), text);
});

test("a link with a fragment does not change the cached version", async (t) => {
  const { folder, change, pathOf } = await copyOfPage(t);
  const site = await serve({ folders: [folder] });
  t.after(site.close);
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const lens = await visit(browser, site.address);
  // The next version has another id in the page and in its script. Its worker is not there yet.
  const script = pathOf(/^assets\/index-.*\.js$/);
  await change("index.html", 'id="bytes"', 'id="size"');
  await change("index.html", script, "assets/index-next.js");
  await rename(join(folder, script), join(folder, "assets/index-next.js"));
  await change("assets/index-next.js", /(["'`])bytes\1/, '"size"');
  for (const link of [`index.html${QUERY}`, QUERY]) {
    await lens.page.goto(`${site.address}${link}#generate?seed=1`);
    assert.equal(await lens.waitUntilSettled(), "done");
    assert.equal(await lens.page.locator("#size").count(), 1, "the version that the site has");
  }
  await site.close();
  await lens.page.reload();
  assert.equal(await lens.waitUntilSettled(), "done");
  assert.equal(await lens.page.locator("#bytes").count(), 1, "the version that was cached");
});

test("a cached copy is shown instead of a server error", async (t) => {
  const { folder, pathOf } = await copyOfPage(t);
  const site = await serve({ folders: [folder] });
  t.after(site.close);
  const way = await wayTo(site.address);
  t.after(way.close);
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const lens = await visit(browser, way.address);
  const [{ file, text }] = await samples();
  // As if the file were missing in another version.
  await rm(join(folder, pathOf(/^assets\/index-.*\.js$/)));
  await lens.page.reload();
  assert.equal(await lens.waitUntilSettled(), "ready");

  way.fail();
  await lens.page.reload();
  assert.equal(await lens.waitUntilSettled(), "ready");
  await lens.chooseSample(file);
  assert.equal(await lens.word(), text);
  // A file that is not cached fails with the server's error.
  const missing = await lens.page.evaluate(async () => (await fetch("nothing.js")).status);
  assert.equal(missing, 503);
});

test("the page works when the browser allows no cache", async (t) => {
  const site = await serve();
  t.after(site.close);
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const lens = await visit(browser, site.address);
  const [worker] = lens.page.context().serviceWorkers();
  await worker.evaluate(() => {
    caches.open = () => Promise.reject(new DOMException("", "UnknownError"));
  });
  await lens.page.reload();
  assert.equal(await lens.waitUntilSettled(), "ready");
});

test("two copies on one site have separate caches", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "captcha-lens-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const name of ["one", "two"]) await symlink(DIST, join(folder, name));
  const site = await serve({ folders: [folder] });
  t.after(site.close);
  const browser = await launch({ webgpu: false });
  t.after(() => browser.close());
  const lens = await visit(browser, `${site.address}one/`);
  await lens.page.goto(`${site.address}two/${QUERY}`);
  await lens.chooseSample((await samples())[0].file);
  await controlled(lens);
  assert.equal(await lens.page.evaluate(async () => (await caches.keys()).length), 2);
  await site.close();
  await lens.page.goto(`${site.address}one/${QUERY}`);
  assert.equal(await lens.waitUntilSettled(), "ready");
});

/**
 * A copy of the built page that a test changes.
 *
 * @param {import("node:test").TestContext} t
 */
async function copyOfPage(t) {
  const folder = await mkdtemp(join(tmpdir(), "captcha-lens-"));
  t.after(() => rm(folder, { recursive: true }));
  await cp(DIST, folder, { recursive: true, filter: (path) => !path.endsWith(".br") });
  const paths = await readdir(folder, { recursive: true });
  return {
    folder,
    /** @param {RegExp} pattern */
    pathOf(pattern) {
      const found = paths.filter((path) => pattern.test(path));
      assert.equal(found.length, 1, `${pattern}: ${found}`);
      return found[0];
    },
    /**
     * @param {string} path
     * @param {string | RegExp} words
     * @param {string} others
     */
    async change(path, words, others) {
      const file = join(folder, path);
      const text = await readFile(file, "utf8");
      const changed = text.replace(words, others);
      assert.notEqual(changed, text, `${path} has ${words}`);
      await writeFile(file, changed);
    },
  };
}

/**
 * A proxy to a site that can be silenced, so that it accepts connections and does not respond, or
 * can fail, so that it responds with 503.
 *
 * @param {string} address
 */
async function wayTo(address) {
  const { hostname, port, pathname } = new URL(address);
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  let silent = false;
  let failing = false;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}); // a browser may abort
    if (silent) return;
    if (failing) {
      const answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
      return void socket.on("data", () => socket.write(answer));
    }
    const onward = connect(Number(port), hostname);
    onward.on("error", () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await once(server.listen(0, hostname), "listening");
  const cut = () => sockets.forEach((socket) => socket.destroy());
  const own = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    address: `http://${hostname}:${own.port}${pathname}`,
    fallSilent() {
      silent = true;
      cut();
    },
    fail() {
      failing = true;
      cut();
    },
    close() {
      cut();
      server.close();
    },
  };
}

/**
 * Opens the page and waits until it is cached.
 *
 * @param {import("playwright-core").Browser} browser
 * @param {string} address
 */
async function visit(browser, address) {
  const options = /** @type {const} */ ({ query: QUERY, serviceWorkers: "allow" });
  const lens = await LensPage.open(browser, address, options);
  assert.equal(await lens.waitUntilSettled(), "ready");
  // The worker is registered after the first result.
  await lens.chooseSample((await samples())[0].file);
  await controlled(lens);
  return lens;
}

/**
 * Waits until everything is cached and the worker controls the page.
 *
 * @param {LensPage} lens
 */
async function controlled({ page }) {
  await page.evaluate(serviceWorkerControls);
}
