// @ts-check
/** The real module that learns, in Node.js, for learning curves. */

import { readFileSync } from "node:fs";
import { initSync, learningCurve } from "../../../web/pkg/captcha_learning_wasm.js";

/** @import { MeasuredCurve } from "../../../web/src/teach/types.js" */

/**
 * A learning curve with what follows from its points.
 *
 * @param {MeasuredCurve} curve
 * @returns {any}
 */
export function writtenCurve(curve) {
  const code = new URL("../../../web/pkg/captcha_learning_wasm_bg.wasm", import.meta.url);
  initSync({ module: readFileSync(code) }); // once; later calls do nothing
  return JSON.parse(learningCurve(JSON.stringify(curve)));
}
