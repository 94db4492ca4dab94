// @ts-check
/** An audit as a table or as numbers, to keep. */

import { summarize } from "../../audit/statistics.js";
import { singular } from "../../audit/verdict.js";
import { make } from "./elements.js";

/** @import { AuditData, EvaluatedItem } from "../../audit/types.js" */

/** @param {EvaluatedItem[]} judged */
export function toCsv(judged) {
  // A spreadsheet runs a text that starts like a formula, unless there is an apostrophe before it
  // (OWASP, CSV Injection). Numbers stay numbers, and a path gets a prefix that names the same file.
  const cell = (/** @type {string | null | undefined} */ text, prefix = "'") => {
    const plain = text ?? "";
    const isNumber = /^[+-]?\d+(\.\d+)?$/.test(plain);
    const safe = isNumber ? plain : plain.replace(/^[=+\-@\t\r\n]/, `${prefix}$&`);
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
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
 * What `captcha-lens audit --json` writes, too.
 *
 * @param {AuditData} audit
 * @param {EvaluatedItem[]} judged
 */
export function toJson({ name, about, network, items }, judged) {
  const content = {
    name,
    about: Object.fromEntries(about),
    network,
    summary: summarize(judged),
    items,
  };
  return JSON.stringify(content, null, 1);
}

/**
 * @param {AuditData} audit
 * @param {EvaluatedItem[]} judged
 */
export function downloads(audit, judged) {
  // With a byte order mark, without which Excel takes names for another encoding.
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

/**
 * Saves a file as a download.
 *
 * @param {Blob} content
 * @param {string} name
 */
export function saveFile(content, name) {
  const address = URL.createObjectURL(content);
  const link = make("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
