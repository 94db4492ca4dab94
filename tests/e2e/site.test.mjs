// @ts-check
/** The built page as the server sends it. */

import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { DIST, serve } from "./site.mjs";

describe("built site", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** Paths of the built files. @type {string[]} */
  let paths;

  before(async () => {
    site = await serve({ base: "/under/" });
    paths = (await readdir(DIST, { recursive: true })).filter((path) => !path.endsWith(".br"));
  });
  after(() => site.close());

  /** @param {RegExp} pattern */
  const pathOf = (pattern) => {
    const found = paths.filter((path) => pattern.test(path));
    assert.equal(found.length, 1, `${pattern}: ${found}`);
    return found[0];
  };

  test("works under any path with the right media types", async () => {
    for (const [path, type] of [
      ["", "text/html;charset=utf-8"],
      ["audit.html?x=1", "text/html;charset=utf-8"],
      ["teach.html", "text/html;charset=utf-8"],
      ["sw.js", "text/javascript"],
      ["manifest.webmanifest", "application/manifest+json"],
      [pathOf(/captcha_wasm_cpu_bg-.*\.wasm$/), "application/wasm"],
    ]) {
      const { status, headers } = await fetch(site.address + path);
      assert.deepEqual([status, headers.get("content-type")], [200, type], path);
    }
    for (const path of [
      "nothing.js",
      "assets",
      "..%2fpackage.json",
      "assets/..%2f..%2findex.html",
    ]) {
      assert.equal((await fetch(site.address + path)).status, 404, path);
    }
    assert.equal((await fetch(new URL("/logo.svg", site.address))).status, 404);
  });

  test("sends the same policy with pages, scripts and 304 responses as in the pages", async () => {
    const policies = new Set();
    for (const path of [
      "",
      "audit.html",
      "teach.html",
      "sw.js",
      pathOf(/worker-cpu-/),
      pathOf(/image-worker-/),
    ]) {
      const { headers } = await fetch(site.address + path);
      policies.add(headers.get("content-security-policy"));
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      // A browser may have cached a file without a policy.
      const same = { "if-none-match": headers.get("etag") ?? "" };
      const unchanged = await fetch(site.address + path, { headers: same });
      assert.equal(unchanged.status, 304);
      policies.add(unchanged.headers.get("content-security-policy"));
    }
    const [policy, ...others] = policies;
    assert.deepEqual(others, []);
    for (const page of ["index.html", "audit.html", "teach.html"]) {
      const text = await (await fetch(site.address + page)).text();
      const [, meta] = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(text) ?? [];
      // Only a header can set frame-ancestors.
      assert.equal(policy, `${meta}; frame-ancestors 'none'`, page);
    }
  });

  test("caches hashed files permanently and revalidates the others", async () => {
    for (const path of paths.filter((path) => path.startsWith("assets/"))) {
      assert.match(path, /-[\w-]{8}\.\w+$/, "the name holds a hash");
      const { headers } = await fetch(site.address + path, { method: "HEAD" });
      assert.equal(headers.get("cache-control"), "public, max-age=31536000, immutable", path);
    }
    for (const path of ["", "audit.html", "teach.html", "sw.js", "manifest.webmanifest"]) {
      const { headers } = await fetch(site.address + path);
      assert.equal(headers.get("cache-control"), "no-cache", path);
    }
  });

  test("compresses files for clients that accept it", async () => {
    for (const [path, encoding] of /** @type {[string, string | null][]} */ ([
      ["index.html", "br"],
      [pathOf(/assets\/index-.*\.js$/), "br"],
      [pathOf(/captcha_wasm_cpu_bg-.*\.wasm$/), "br"],
      [pathOf(/assets\/judge-.*\.png$/), null],
    ])) {
      const ask = (/** @type {string} */ accepted) =>
        fetch(site.address + path, { headers: { "accept-encoding": accepted } });
      const [plain, small] = [await ask("identity"), await ask("gzip, br;q=0.9")];
      assert.deepEqual([plain.status, plain.headers.get("content-encoding")], [200, null]);
      assert.equal(small.headers.get("content-encoding"), encoding, path);
      const length = (/** @type {Response} */ { headers }) => Number(headers.get("content-length"));
      if (encoding) assert.ok(length(small) < length(plain), path);
      if (encoding) assert.notEqual(small.headers.get("etag"), plain.headers.get("etag"), path);
      assert.deepEqual(await small.arrayBuffer(), await plain.arrayBuffer());
    }
  });

  test("preloads the files of the first reading in the lens page only", async () => {
    const preloads = async (/** @type {string} */ page) => {
      const text = await readFile(join(DIST, page), "utf8");
      return [...text.matchAll(/<link rel="preload" href="\.\/([^"]+)"/g)].map(([, path]) => path);
    };
    assert.deepEqual(await preloads("index.html"), [
      pathOf(/captcha_wasm_cpu_bg-/),
      pathOf(/compact-.*\.safetensors$/),
    ]);
    assert.deepEqual(await preloads("audit.html"), []);
    assert.deepEqual(await preloads("teach.html"), []);
  });
});
