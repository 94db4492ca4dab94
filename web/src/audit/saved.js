// @ts-check
/** Reads audits that this page or `captcha-lens audit --json` saved as JSON. */

import { LensError } from "../lib/errors.js";

/** @import { AuditData } from "./types.js" */

/**
 * @param {string} text content of the file
 * @param {string} fileName used if the audit has no name
 * @returns {AuditData}
 * @throws {LensError} `bad-audit`
 */
export function parseSavedAudit(text, fileName) {
  let saved;
  try {
    saved = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    saved = null;
  }
  if (!isSavedAudit(saved)) {
    throw new LensError(
      "bad-audit",
      `${fileName} is not a saved audit. Choose a JSON file that this page or “captcha-lens audit --json” saved.`,
    );
  }
  const { name, items, about } = saved;
  const network = { ...saved.network, maxLength: maxLengthOf(saved.network) };
  const facts = Object.entries(about ?? {}).map(
    ([key, value]) => /** @type {[string, string]} */ ([key, String(value)]),
  );
  return { name: String(name ?? fileName), items, about: facts, network };
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
    )
  );
}
