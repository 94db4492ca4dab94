#!/usr/bin/env node
// @ts-check
/**
 * Renders the PNG icons of the page from its logo: `node tests/e2e/icons.mjs`. Icons for a home
 * screen fill the square, because the system crops them. The maskable icon keeps the drawing inside
 * the safe circle.
 */

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";

const ICONS = new URL("../../web/public/", import.meta.url);
const logo = await readFile(new URL("logo.svg", ICONS), "utf8");
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
  await page.screenshot({ path: fileURLToPath(new URL(file, ICONS)), omitBackground: true });
  await page.close();
}
await browser.close();
