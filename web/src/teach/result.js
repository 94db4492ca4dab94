// @ts-check
/** The audit report of what was learned, and the files to take along. Pure. */

import { localDate } from "../audit/notes.js";
import { modelName } from "./describe.js";

/** @import { AuditData, AuditItem } from "../audit/types.js" */
/** @import { Learned, LearnResult, TeachImage } from "./types.js" */

/** Why a run has ended, in the report. */
const ENDS = /** @type {Record<LearnResult["end"], string>} */ ({
  finished: "all steps done",
  "no-improvement": "no improvement",
  "time-limit": "time limit",
  interrupted: "stopped",
});

/**
 * The audit of the part that was kept back.
 *
 * @param {Learned} learned
 * @param {readonly TeachImage[]} images
 * @param {string} [model] the name of the learned model
 * @returns {{ audit: AuditData, imageOf: (item: AuditItem) => TeachImage | undefined }}
 */
export function auditOf(learned, images, model = modelName(learned)) {
  const { options, plan, result, created } = learned;
  const byId = new Map(images.map((image) => [image.id, image]));
  /** @type {Map<AuditItem, TeachImage>} */
  const shown = new Map();
  const items = result.readings.map(({ index, text, confidence }) => {
    const { id, label } = options.images[index];
    const image = byId.get(id);
    const item = { path: image?.path ?? `image ${index + 1}`, label, text, confidence };
    if (image) shown.set(item, image);
    return item;
  });
  const { alphabet, maxLength } = plan;
  const before = result.history.find(({ step }) => step === 0);
  const audit = {
    name: "the images kept back",
    items,
    network: { alphabet, maxLength },
    ignoreCase: options.ignoreCase,
    taught: true,
    about: /** @type {[string, string][]} */ ([
      ["Model", model],
      ["Weights", `learned in this browser from ${options.startName}`],
      ...(before ? [["Solved before learning", ofImages(before, result)]] : []),
      ["Learned from", `${plan.training.length} images`],
      ["Time limit", `${options.minutes} min`],
      ["Ended", ENDS[result.end]],
      ["Seed", String(options.seed)],
      ["Date", localDate(new Date(created))],
    ]),
  };
  return { audit, imageOf: (item) => shown.get(item) };
}

/**
 * @param {{ exactMatches: number }} validation
 * @param {{ validationImages: number }} result
 */
function ofImages({ exactMatches }, { validationImages }) {
  return `${exactMatches} of ${validationImages}`;
}
