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
  assert.equal((await ask("/under/src/main.js?x=1")).type, "text/javascript; charset=utf-8");
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
