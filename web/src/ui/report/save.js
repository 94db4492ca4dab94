// @ts-check
/** Saves an audit as CSV or JSON. */

import { summarize } from "../../audit/statistics.js";
import { singular } from "../../audit/verdict.js";
import { saveFile } from "../save-file.js";
import { make } from "./elements.js";

/** @import { AuditData, EvaluatedItem } from "../../audit/types.js" */

/** @param {EvaluatedItem[]} judged */
export function toCsv(judged) {
  // A spreadsheet runs text that starts like a formula, unless an apostrophe precedes it (OWASP,
  // CSV Injection). Numbers stay unchanged. A path gets a prefix that keeps it valid.
  const cell = (/** @type {string | null | undefined} */ text, prefix = "'") => {
    const plain = text ?? "";
    const isNumber = /^[+-]?\d+(\.\d+)?$/.test(plain);
    const safe = isNumber ? plain : plain.replace(/^[=+\-@\t\r\n]/, `${prefix}$&`);
    return /[",\n\r]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const rows = judged.map(({ item, correct, labelDoubtful, problems }) => [
    cell(item.path, "./"),
    cell(item.label),
    cell(item.text),
    item.confidence?.toFixed(4),
    correct,
    labelDoubtful
      ? "label may be wrong"
      : cell(problems.map((words) => `label ${singular(words)}`).join("; ")),
    cell(item.error),
  ]);
  return [["file", "label", "text", "confidence", "correct", "note", "error"], ...rows]
    .map((row) => row.join(","))
    .join("\r\n");
}

/**
 * The format that `captcha-lens audit --json` also writes.
 *
 * @param {AuditData} audit
 * @param {EvaluatedItem[]} judged
 */
export function toJson({ name, about, network, ignoreCase, items, learningCurve }, judged) {
  const content = {
    name,
    about: Object.fromEntries(about),
    network,
    ignoreCase: ignoreCase ?? false,
    summary: summarize(judged, ignoreCase),
    items,
    ...(learningCurve ? { learningCurve } : {}),
  };
  return JSON.stringify(content, null, 1);
}

/**
 * @param {AuditData} audit
 * @param {EvaluatedItem[]} judged
 */
export function downloads(audit, judged) {
  // Without a byte order mark, Excel assumes another encoding.
  const csv = () => new Blob(["\ufeff", toCsv(judged)], { type: "text/csv" });
  const json = () => new Blob([toJson(audit, judged)], { type: "application/json" });
  const print = make("button", { type: "button", className: "button" }, ["Print"]);
  print.addEventListener("click", () => globalThis.print());
  return make("div", { className: "report-downloads" }, [
    download("CSV", "audit.csv", csv),
    download("JSON", "audit.json", json),
    print,
  ]);
}

/**
 * A button that saves a file.
 *
 * @param {string} words
 * @param {string} name
 * @param {() => Blob} content
 */
function download(words, name, content) {
  const button = make("button", { type: "button", className: "button" }, [words]);
  button.addEventListener("click", () => saveFile(content(), name));
  return button;
}
