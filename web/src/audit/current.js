// @ts-check
/** The audit that the page shows: its files, labels and readings. */

import { areLikelyLabels, labelsFromFiles, labelsFromNames } from "./labels.js";
import { describeSource } from "./notes.js";

/** @import { AuditData, AuditNetwork, LearningCurve } from "./types.js" */
/** @import { FoundFiles } from "./files.js" */
/** @import { AuditRun } from "./run.js" */

/**
 * An audit that has started.
 *
 * @typedef {object} Audit
 * @property {string} name
 * @property {FoundFiles} found
 * @property {AuditRun} run
 * @property {AuditNetwork} network
 * @property {(string | null)[]} labels from label files
 * @property {string[]} names labels from the file names of the images
 * @property {boolean} named whether `names` are used
 * @property {[string, string][]} about how it was made
 * @property {LearningCurve | null} learningCurve of such images
 */

/**
 * An audit that starts, with the labels that the files have.
 *
 * @param {FoundFiles} found
 * @param {AuditRun} run
 * @param {AuditNetwork} network
 * @returns {Audit}
 */
export function auditOf(found, run, network) {
  const paths = found.images.map(({ path }) => path);
  const labels = labelsFromFiles(paths, found.labelFiles);
  const names = labelsFromNames(paths);
  const named = labels.every((label) => label === null) && areLikelyLabels(names, network);
  const name = describeSource(paths);
  return { name, found, run, network, labels, names, named, about: [], learningCurve: null };
}

/**
 * The images that were read, with their labels.
 *
 * @param {Audit} audit
 * @returns {AuditData}
 */
export function dataOf({ name, run, network, labels, names, named, about, learningCurve }) {
  const items = run.items.flatMap((item, i) =>
    item ? [{ ...item, label: named ? names[i] : labels[i] }] : [],
  );
  return { name, network, about, items, learningCurve };
}
