#!/usr/bin/env node
// @ts-check
/** Brings together what the npm package needs besides its sources; npm runs it before it packs. */

import { copyFileSync, existsSync, mkdirSync } from "node:fs";
import { exit } from "node:process";
import { fileURLToPath } from "node:url";

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

const missing = ["captcha_wasm", "captcha_wasm_cpu"]
  .flatMap((name) => [`${name}.js`, `${name}.d.ts`, `${name}_bg.wasm`])
  .filter((name) => !existsSync(here(`pkg/${name}`)));
if (missing.length > 0) {
  console.error(`web/pkg lacks ${missing.join(", ")}. Run ./build.sh web first.`);
  exit(1);
}
for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) copyFileSync(here(`../${name}`), here(name));
mkdirSync(here("types/lib"), { recursive: true });
copyFileSync(here("src/lib/types.d.ts"), here("types/lib/types.d.ts"));
