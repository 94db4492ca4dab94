#!/usr/bin/env node
// @ts-check
/**
 * Draws the page's icons for where an SVG will not do, from its logo: `node tests/e2e/icons.mjs`.
 * A home screen cuts its icons itself, so theirs fill their squares; one that may be cut to a circle
 * has its drawing in the middle.
 */

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";

const WEB = new URL("../../web/", import.meta.url);
const logo = await readFile(new URL("logo.svg", WEB), "utf8");
const square = logo.replace('rx="8"', "");
const middle = logo
  .replace('viewBox="0 0 32 32"', 'viewBox="-7 -7 46 46"')
  .replace('<rect width="32" height="32" rx="8"', '<rect x="-7" y="-7" width="46" height="46"');
const browser = await launch({ webgpu: false });
for (const [file, drawing, size] of /** @type {[string, string, number][]} */ ([
  ["icon-192.png", logo, 192],
  ["icon-512.png", logo, 512],
  ["icon-maskable.png", middle, 512],
  ["apple-touch-icon.png", square, 180],
])) {
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body { margin: 0 } svg { display: block }</style>${drawing}`);
  await page.screenshot({ path: fileURLToPath(new URL(file, WEB)), omitBackground: true });
  await page.close();
}
await browser.close();
