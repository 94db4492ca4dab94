// @ts-check
/** Weights that are missing, damaged or of another version. */

import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch } from "./browser.mjs";
import { LensPage, WEB, sampleFile, samples } from "./lens-page.mjs";
import { serve } from "./site.mjs";

const GOOD_IMAGE = join(WEB, "models/compact.safetensors");

/**
 * The same weights with another format version.
 *
 * @param {Buffer} file
 */
function ofAnotherVersion(file) {
  const length = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.subarray(8, 8 + length).toString());
  header.__metadata__.format = "999";
  const text = Buffer.from(JSON.stringify(header));
  const start = Buffer.alloc(8);
  start.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([start, text, file.subarray(8 + length)]);
}

describe("weights", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;
  /** @type {string} */
  let folder;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "captcha-lens-"));
    const good = await readFile(GOOD_IMAGE);
    await writeFile(join(folder, "short.safetensors"), good.subarray(0, good.length / 2));
    await writeFile(join(folder, "other.safetensors"), ofAnotherVersion(good));
    site = await serve({ mounts: { given: folder } });
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await site.close();
    await rm(folder, { recursive: true });
  });

  for (const [what, name, code] of [
    ["that are missing", "missing", "missing-weights"],
    ["that are cut short", "short", "bad-weights"],
    ["of another version", "other", "bad-weights"],
  ]) {
    test(`are rejected when they are ${what}, and valid ones load after that`, async () => {
      const query = `?weights=given/${name}.safetensors`;
      const lens = await LensPage.open(browser, site.address, { query });
      assert.equal(await lens.waitUntilSettled(), "error");
      const error = await lens.error();
      assert.equal(error.code, code);
      assert.match(error.message, /weights/i);

      const [{ file, text }] = await samples();
      assert.equal(await lens.choose(await sampleFile(file)), "error", "still no good");
      await copyFile(GOOD_IMAGE, join(folder, `${name}.safetensors`));
      await lens.page.click("#retry");
      assert.equal(await lens.waitUntilSettled(), "done");
      assert.equal(await lens.word(), text);
      await lens.close();
    });
  }

  test("are not requested from another site", async () => {
    const query = "?weights=https://example.org/weights.safetensors";
    const lens = await LensPage.open(browser, site.address, { query });
    assert.equal(await lens.waitUntilSettled(), "error");
    assert.equal((await lens.error()).code, "missing-weights");
    assert.deepEqual(lens.watched.foreign, []);
    await lens.close();
  });
});
