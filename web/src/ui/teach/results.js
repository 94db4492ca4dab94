// @ts-check
/** What the page shows and saves of results. It is loaded when there are any. */

import { auditOf } from "../../teach/result.js";
import { learningCurves } from "../report/learning-curve.js";
import { renderReport } from "../report/report.js";
import { reportFile } from "./report-file.js";

/** @import { CurveState, Learned, TeachImage, TeachState } from "../../teach/types.js" */
/** @import { ImageUrls } from "./image-urls.js" */

/**
 * Shows the audit of the part kept back.
 *
 * @param {HTMLElement} root
 * @param {Learned} learned
 * @param {readonly TeachImage[]} images
 * @param {ImageUrls} urls
 */
export function showReport(root, learned, images, urls) {
  const { audit, imageOf } = auditOf(learned, images);
  renderReport(root, {
    ...audit,
    picture: async (item) => {
      const image = imageOf(item);
      return image ? urls.of(image) : null;
    },
  });
}

/**
 * Shows a learning curve as the report does.
 *
 * @param {HTMLElement} root
 * @param {CurveState} curve with at least one point
 */
export function showCurve(root, curve) {
  const network = { alphabet: "", maxLength: 0 };
  const report = { name: "", items: [], about: [], network, picture: async () => null };
  root.replaceChildren(...learningCurves({ ...report, learningCurve: curve.learningCurve }));
}

/**
 * The learning curve as a file that the audit page imports.
 *
 * @param {CurveState} curve with at least one point
 */
export function curveFile(curve) {
  return new Blob([JSON.stringify(curve.learningCurve, null, 2)], { type: "application/json" });
}

/**
 * The audit as one HTML file, with the learning curve where there is one.
 *
 * @param {Learned} learned
 * @param {Pick<TeachState, "images" | "curve">} state
 * @param {string} model the name of the learned model
 */
export function auditFile(learned, { images, curve }, model) {
  const { audit, imageOf } = auditOf(learned, images, model);
  return reportFile(`Audit of ${audit.name} · ${model}`, {
    ...audit,
    learningCurve: curve?.learningCurve,
    file(item) {
      const image = imageOf(item);
      return image ? new Blob([image.bytes], { type: mediaType(image.bytes) }) : null;
    },
  });
}

/** The media type of an image file, which a `data:` address needs. @param {Uint8Array} bytes */
function mediaType(bytes) {
  const types = /** @type {Record<number, string>} */ ({
    0x89: "image/png",
    0xff: "image/jpeg",
    0x47: "image/gif",
    0x42: "image/bmp",
    0x52: "image/webp",
  });
  return types[bytes[0]] ?? "";
}
