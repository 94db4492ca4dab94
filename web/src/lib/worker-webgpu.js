// @ts-check
/** The worker that reads on WebGPU, and on the CPU where that does not work. */

import * as module from "../../pkg/captcha_wasm.js";
import { start } from "./engine.js";

start(module, new URL("../../pkg/captcha_wasm_bg.wasm", import.meta.url));
