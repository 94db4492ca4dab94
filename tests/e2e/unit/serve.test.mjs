// @ts-check
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { serve } from "../../../web/serve.mjs";

/** @type {Awaited<ReturnType<typeof serve>>} */
let site;
before(async () => {
  site = await serve({ base: "/under/" });
});
after(() => site.close());

/**
 * Asks without the tidying that `fetch` does to paths.
 *
 * @param {string} path
 * @param {string} [method]
 * @returns {Promise<{ status: number | undefined, type: string | undefined }>}
 */
function ask(path, method = "GET") {
  const { hostname, port } = new URL(site.address);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, type: response.headers["content-type"] });
    })
      .on("error", reject)
      .end();
  });
}

test("serves the page and its files with their types", async () => {
  assert.deepEqual(await ask("/under/"), { status: 200, type: "text/html; charset=utf-8" });
  assert.equal((await ask("/under/src/lens/main.js?x=1")).type, "text/javascript; charset=utf-8");
  assert.equal((await ask("/under/logo.svg", "HEAD")).status, 200);
});

test("serves nothing else", async () => {
  for (const path of [
    "/",
    "/under/../package.json",
    "/under/..%2fpackage.json",
    "/under/src/..%2f..%2fpackage.json",
    "/under//etc/passwd",
    "/under/%00",
    "/under/%zz",
    "/under/src",
    "/under/nothing.js",
  ]) {
    assert.equal((await ask(path)).status, 404, path);
  }
  assert.equal((await ask("/under/", "POST")).status, 405);
});

test("sends one policy with pages, scripts and what did not change; the pages' own is the same", async () => {
  const policies = new Set();
  for (const path of [
    "",
    "audit.html",
    "sw.js",
    "src/lib/worker-cpu.js",
    "src/image/image-worker.js",
  ]) {
    const { headers } = await fetch(site.address + path);
    policies.add(headers.get("content-security-policy"));
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    // A browser may have a file from before there was a policy.
    const same = { "if-none-match": headers.get("etag") ?? "" };
    const unchanged = await fetch(site.address + path, { headers: same });
    assert.equal(unchanged.status, 304);
    policies.add(unchanged.headers.get("content-security-policy"));
  }
  const [policy, ...others] = policies;
  assert.deepEqual(others, []);
  for (const page of ["index.html", "audit.html"]) {
    const text = await (await fetch(site.address + page)).text();
    const [, meta] = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(text) ?? [];
    // What may frame a page is the one thing that its markup cannot say.
    assert.equal(policy, `${meta}; frame-ancestors 'none'`, page);
  }
});

test("sends a file again only when it changed", async () => {
  const address = `${site.address}logo.svg`;
  const first = await fetch(address);
  const etag = first.headers.get("etag") ?? "";
  assert.match(etag, /^".+"$/);
  const again = await fetch(address, { headers: { "if-none-match": etag } });
  assert.deepEqual([again.status, await again.text()], [304, ""]);
  const other = await fetch(address, { headers: { "if-none-match": '"another"' } });
  assert.equal(await other.text(), await first.text());
});

test("sends what gets smaller compressed, to those who read it", async () => {
  for (const [path, encoding] of [
    ["src/lens/main.js", "br"],
    ["index.html", "br"],
    ["samples/index.json", "br"],
    ["models/compact.safetensors", null],
  ]) {
    const ask = (/** @type {string} */ accepted) =>
      fetch(site.address + path, { headers: { "accept-encoding": accepted } });
    const [plain, small] = [await ask("identity"), await ask("gzip, br;q=0.9")];
    assert.deepEqual([plain.status, plain.headers.get("content-encoding")], [200, null]);
    assert.equal(small.headers.get("content-encoding"), encoding, String(path));
    const length = (/** @type {Response} */ { headers }) => Number(headers.get("content-length"));
    if (encoding) assert.ok(length(small) < length(plain), String(path));
    assert.notEqual(encoding && small.headers.get("etag"), plain.headers.get("etag"));
    assert.deepEqual(await small.arrayBuffer(), await plain.arrayBuffer());
  }
});
