// @ts-check
/** Serves the fake engine in place of both wasm modules and of the weights. */

import { fileURLToPath } from "node:url";

const EMPTY = fileURLToPath(new URL("empty.wasm", import.meta.url));
const FAKE = fileURLToPath(new URL("captcha_wasm.js", import.meta.url));

export const FAKE_ENGINE = {
  "pkg/captcha_wasm.js": FAKE,
  "pkg/captcha_wasm_bg.wasm": EMPTY,
  "pkg/captcha_wasm_cpu.js": FAKE,
  "pkg/captcha_wasm_cpu_bg.wasm": EMPTY,
  pkg: fileURLToPath(new URL(".", import.meta.url)),
  "models/compact.safetensors": FAKE,
  "src/lib/held": FAKE,
};
