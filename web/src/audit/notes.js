// @ts-check
/** What the audit page says about its input. Pure. */

import { listNames } from "./files.js";
import { conflictingPaths } from "./labels.js";
import { commonFolder } from "./paths.js";

/** @import { FoundFiles } from "./files.js" */
/** @import { LabelFile } from "./types.js" */

/** The page gives the reason for at most this many files that could not be opened. */
const MAX_REASONS = 3;

/**
 * What of the files is not in the report.
 *
 * @param {FoundFiles} found
 */
export function describeOmitted({ problems, ignored, labelFiles }) {
  const sentences = problems.slice(0, MAX_REASONS).map(({ error }) => error.message);
  const more = problems.length - sentences.length;
  if (more > 0)
    sentences.push(`${more} more ${more === 1 ? "file" : "files"} could not be opened.`);
  if (ignored.length > 0) {
    const kind = ignored.length === 1 ? "not an image" : "not images";
    sentences.push(`Ignored: ${listNames(ignored)} (${kind}).`);
  }
  return [...sentences, describeContradictions(labelFiles)].filter(Boolean).join(" ");
}

/**
 * The images that have more than one label; empty where there are none.
 *
 * @param {LabelFile[]} files
 */
export function describeContradictions(files) {
  const paths = conflictingPaths(files);
  if (paths.length === 0) return "";
  const have = paths.length === 1 ? "has more than one label" : "have more than one label";
  return `${listNames(paths)} ${have}; the last label is used.`;
}

/** @param {LabelFile[]} files none of whose rows matches an image */
export function describeUnmatchedLabels(files) {
  const names = files.map(({ path }) => path).join(", ");
  return `No row of ${names} matches an image. A labels.csv has rows of file,label. A spec_train_val.txt has lines of NAME LABEL for NAME.png.`;
}

/**
 * The name of an audit: the folder or archive of the images, or their number.
 *
 * @param {string[]} paths
 */
export function describeSource(paths) {
  const [folder] = commonFolder(paths).split("/");
  return folder || (paths.length === 1 ? paths[0] : `${paths.length} images`);
}

/**
 * The local day, such as 2026-01-31.
 *
 * @param {Date} date
 */
export function localDate(date) {
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
