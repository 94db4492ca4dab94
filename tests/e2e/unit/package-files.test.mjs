// @ts-check
/** The content of the npm package, without a build. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const WEB = fileURLToPath(new URL("../../../web/", import.meta.url));
const run = promisify(execFile);

test("package contains every imported module", async () => {
  const pack = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const [{ files }] = JSON.parse((await run("npm", pack, { cwd: WEB })).stdout);
  const packed = new Set(files.map((/** @type {{ path: string }} */ { path }) => path));
  const { exports } = JSON.parse(await readFile(`${WEB}package.json`, "utf8"));
  const queue = Object.values(exports)
    .map((target) => posix.normalize(target.default ?? target))
    .filter((path) => path.endsWith(".js"));
  const seen = new Set(queue);
  for (const path of queue) {
    assert.ok(packed.has(path), `${path} is not packed`);
    const source = await readFile(WEB + path, "utf8");
    const asked = source.matchAll(
      /^(?:import|export) .*from "(\.[^"]+)"|new URL\("([^"]+\.js)", import\.meta\.url\)/gm,
    );
    for (const [, imported, worker] of asked) {
      const next = posix.join(posix.dirname(path), imported ?? worker);
      if (next.startsWith("pkg/") || seen.has(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  const sources = [...packed].filter((path) => path.startsWith("src/"));
  assert.deepEqual(sources.sort(), [...seen].sort(), "no more than that is packed");
});

test("package cannot be packed before the wasm modules are built", async () => {
  const folder = await mkdtemp(join(tmpdir(), "prepack-"));
  try {
    await copyFile(`${WEB}prepack.mjs`, join(folder, "prepack.mjs"));
    await assert.rejects(run(process.execPath, [join(folder, "prepack.mjs")]), (error) => {
      const { code, stderr } = /** @type {any} */ (error);
      assert.equal(code, 1);
      assert.match(stderr, /captcha_wasm_cpu_bg\.wasm.* Run \.\/build\.sh web first\./);
      return true;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("package cannot be published by accident", async () => {
  assert.equal(JSON.parse(await readFile(`${WEB}package.json`, "utf8")).private, true);
});
