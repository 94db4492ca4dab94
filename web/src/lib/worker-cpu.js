// @ts-check
/** The worker that reads on the CPU. Its module has a fifth of the size of the WebGPU module. */

import * as module from "../../pkg/captcha_wasm_cpu.js";
import { start } from "./engine.js";

// The two modules are generated from the same code. Only TypeScript distinguishes their classes.
const same = /** @type {import("./types.js").EngineModule} */ (/** @type {unknown} */ (module));
start(same, new URL("../../pkg/captcha_wasm_cpu_bg.wasm", import.meta.url));
