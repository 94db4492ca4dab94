#!/usr/bin/env node
// @ts-check
/**
 * Writes `pkg/offline.js` for the service worker: which files it takes to read an image without a
 * network, and a version, which changes with any file of the page. `./build.sh web` runs it.
 */

import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const WEB = fileURLToPath(new URL(".", import.meta.url));
const OUT = "pkg/offline.js";
/** All that the page does on the CPU; the module for WebGPU is kept once it was used. */
const ESSENTIAL = [
  /^[^/]+\.(html|svg|webmanifest)$/,
  /^models\/.+\.safetensors$/,
  /^pkg\/captcha_(synth_wasm|wasm_cpu)(\.js|_bg\.wasm)$/,
  /^samples\/.+\.(json|png)$/,
  /^src\/.+\.js$/,
  /^styles\/.+\.css$/,
];

const paths = readdirSync(WEB, { recursive: true, encoding: "utf8" })
  .filter((path) => statSync(WEB + path).isFile())
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path !== OUT)
  .sort();
const hash = createHash("sha256");
for (const path of paths) hash.update(`${path}\0`).update(readFileSync(WEB + path));
const version = hash.digest("hex").slice(0, 12);
const files = paths
  .filter((path) => ESSENTIAL.some((pattern) => pattern.test(path)))
  // The browser asks for the folder.
  .map((path) => (path === "index.html" ? "./" : path));
writeFileSync(WEB + OUT, `self.OFFLINE = ${JSON.stringify({ version, files }, null, 1)};\n`);
