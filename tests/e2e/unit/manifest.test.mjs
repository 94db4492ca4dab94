// @ts-check
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const web = (/** @type {string} */ path) =>
  readFile(new URL(`../../../web/public/${path}`, import.meta.url));

test("manifest icons exist and have the declared size", async () => {
  const { icons } = JSON.parse(String(await web("manifest.webmanifest")));
  assert.ok(icons.length >= 3);
  const purposes = icons.map((/** @type {any} */ { purpose }) => purpose);
  assert.ok(purposes.includes("maskable"), "one that a home screen may cut");
  for (const { src, type, sizes } of icons) {
    const file = await web(src);
    if (type === "image/svg+xml") assert.match(String(file), /^<svg /);
    else assert.equal(`${file.readUInt32BE(16)}x${file.readUInt32BE(20)}`, sizes, src);
  }
});
