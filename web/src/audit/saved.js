// @ts-check
/**
 * Reads JSON files: audits that this page or `captcha-lens audit --json` saved, and learning curves
 * of `captcha-lens finetune --learning-curve`.
 */

import { LensError } from "../lib/errors.js";

/** @import { AuditData, LearningCurve } from "./types.js" */

/**
 * @param {string} text content of the file
 * @param {string} fileName used if the audit has no name
 * @returns {AuditData}
 * @throws {LensError} `bad-audit`
 */
export function parseSavedAudit(text, fileName) {
  const saved = parseJson(text);
  if (!isSavedAudit(saved)) {
    throw new LensError(
      "bad-audit",
      `${fileName} is not a saved audit. Choose a JSON file that this page or “captcha-lens audit --json” saved.`,
    );
  }
  const { name, items, about, learningCurve } = saved;
  const network = { ...saved.network, maxLength: maxLengthOf(saved.network) };
  const facts = Object.entries(about ?? {}).map(
    ([key, value]) => /** @type {[string, string]} */ ([key, String(value)]),
  );
  const ignoreCase = saved.ignoreCase === true;
  const audit = { name: String(name ?? fileName), items, about: facts, network, ignoreCase };
  return learningCurve ? { ...audit, learningCurve } : audit;
}

/**
 * @param {string} text content of the file: a learning curve, or a saved audit that has one
 * @param {string} fileName
 * @returns {LearningCurve}
 * @throws {LensError} `bad-audit`
 */
export function parseLearningCurve(text, fileName) {
  const saved = parseJson(text);
  const curve = saved?.learningCurve ?? saved;
  if (!isLearningCurve(curve)) {
    throw new LensError(
      "bad-audit",
      `${fileName} is not a learning curve. Choose the JSON file that “captcha-lens finetune --learning-curve” wrote.`,
    );
  }
  return curve;
}

/**
 * @param {string} text
 * @returns {any} `null` if it is not JSON
 */
function parseJson(text) {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return null;
  }
}

/**
 * The maximum length of a text. Earlier versions called it `maxLetters`.
 *
 * @param {any} network
 */
function maxLengthOf({ maxLength, maxLetters }) {
  return maxLength ?? maxLetters;
}

/**
 * @param {any} saved
 * @returns {boolean}
 */
function isSavedAudit(saved) {
  const optional = (/** @type {unknown} */ value, /** @type {string} */ type) =>
    value === undefined || value === null || typeof value === type;
  return (
    typeof saved?.network?.alphabet === "string" &&
    Number.isInteger(maxLengthOf(saved.network)) &&
    Array.isArray(saved.items) &&
    saved.items.every(
      (/** @type {any} */ item) =>
        typeof item?.path === "string" &&
        optional(item.label, "string") &&
        optional(item.text, "string") &&
        optional(item.error, "string") &&
        optional(item.confidence, "number"),
    ) &&
    (!saved.learningCurve || isLearningCurve(saved.learningCurve))
  );
}

/**
 * @param {any} curve
 * @returns {boolean}
 */
function isLearningCurve(curve) {
  return (
    Array.isArray(curve?.points) &&
    curve.points.length > 0 &&
    curve.points.every(
      (/** @type {any} */ point) =>
        [point?.labels, point?.heldOut, point?.exactMatches].every(Number.isSafeInteger) &&
        point.labels >= 0 &&
        point.exactMatches >= 0 &&
        point.heldOut >= Math.max(point.exactMatches, 1),
    ) &&
    Array.isArray(curve.sentences) &&
    curve.sentences.every((/** @type {unknown} */ sentence) => typeof sentence === "string") &&
    typeof curve.svg === "string"
  );
}
