// @ts-check
/**
 * Labels of the images of an audit: from the label file of the paper, from `labels.csv`, or from
 * file names. `captcha-lens evaluate` reads the same three layouts. Labels keep their case;
 * `alphabet.js` handles it.
 */

import { foldCase } from "./alphabet.js";
import { commonFolder, baseName, normalizePath } from "./paths.js";

/** @import { AuditNetwork, LabelFile } from "./types.js" */

/** The label file of the paper: one `NAME LABEL` per line, for the image `NAME.png` beside it. */
const SPEC_FILE = "spec_train_val.txt";
const CSV_FILE = "labels.csv";
/** Fraction of the file names that must look like labels. */
const MIN_LIKELY_SHARE = 0.8;
/** Headings of the columns of a label file. */
const FILE_COLUMN = /^(file|file ?name|image|path|name)$/;
const LABEL_COLUMN = /^(label|text|captcha|solution|answer|word|code)$/;
/** Letters, digits, and marks on them: marks without a composed form stay characters of their own. */
const WORD = /^[\p{Alphabetic}\p{N}\p{M}]+$/u;
/** Number of names from which on some may differ from a numbered sequence. */
const MIN_WITH_EXCEPTION = 4;
/** Characters that a label in a file name has at most, unless the model writes longer texts. */
const LIKELY_LENGTH = 12;
/** Suffix that systems add to the name of a copy. */
const COPY_SUFFIX = /( ?\(\d+\)|-\d+)$/;

/**
 * Whether a file has the name of a label file.
 *
 * @param {string} path
 */
export function isLabelFile(path) {
  return [SPEC_FILE, CSV_FILE].includes(baseName(path).toLowerCase());
}

/**
 * Labels from label files. File names also match without case. If a file has several rows, the last
 * one is used.
 *
 * @param {string[]} paths of the images
 * @param {LabelFile[]} files
 * @returns {(string | null)[]} the label of each image; `null` for none
 */
export function labelsFromFiles(paths, files) {
  const labels = new Map(files.flatMap(parseRows));
  const anyCase = new Map([...labels].map(([file, label]) => [file.toLowerCase(), label]));
  return paths
    .map(normalizePath)
    .map((path) => labels.get(path) ?? anyCase.get(path.toLowerCase()) ?? null);
}

/**
 * The images with more than one label.
 *
 * @param {LabelFile[]} files
 * @returns {string[]} their paths
 */
export function conflictingPaths(files) {
  /** @type {Map<string, string>} */
  const labelOf = new Map();
  /** @type {Set<string>} */
  const found = new Set();
  for (const [file, label] of files.flatMap(parseRows)) {
    const before = labelOf.get(file) ?? label;
    if (foldCase(before) !== foldCase(label)) found.add(file);
    labelOf.set(file, label);
  }
  return [...found];
}

/**
 * Labels from label files that were chosen after the images, and so without the path of their
 * folder.
 *
 * @param {string[]} paths of the images
 * @param {LabelFile[]} files
 * @returns {(string | null)[]}
 */
export function labelsFromLaterFiles(paths, files) {
  const labels = labelsFromFiles(paths, files);
  if (labels.some((label) => label !== null)) return labels;
  // The innermost folder first, because an archive may contain its images in a folder.
  for (let folder = commonFolder(paths); folder; folder = folder.replace(/[^/]*\/$/, "")) {
    const moved = files.map(({ path, text }) => ({ path: folder + baseName(path), text }));
    const found = labelsFromFiles(paths, moved);
    if (found.some((label) => label !== null)) return found;
  }
  return labels;
}

/**
 * Labels from file names: `label.png` or `label_anything.png`, without the suffix of a copy such as
 * `label (1).png` or `label-2.png`.
 *
 * @param {string[]} paths
 * @returns {string[]}
 */
export function labelsFromNames(paths) {
  return paths.map((path) => {
    // macOS may store accents as separate characters.
    const [label] = baseName(path)
      .normalize("NFC")
      .replace(/\.[^.]*$/, "")
      .split("_");
    const original = label.replace(COPY_SUFFIX, "");
    return WORD.test(original) ? original : label;
  });
}

/**
 * Whether file names are likely to be labels: they are short, consist of letters, digits and
 * characters of the model, are not all equal, and are not numbered in sequence. `labels_are_likely`
 * in `crates/evaluation` does the same.
 *
 * @param {string[]} labels
 * @param {AuditNetwork} network
 */
export function areLikelyLabels(labels, { alphabet, maxLength }) {
  const known = new Set(alphabet);
  const longest = Math.max(maxLength, LIKELY_LENGTH);
  const isLikely = (/** @type {string} */ label) => {
    const characters = [...label];
    return (
      characters.length >= 1 &&
      characters.length <= longest &&
      characters.every((character) => known.has(character) || WORD.test(character))
    );
  };
  if (labels.filter(isLikely).length < MIN_LIKELY_SHARE * labels.length) return false;
  return labels.length === 1 || (new Set(labels).size > 1 && !areNumbered(labels));
}

/**
 * Whether nearly all names are a prefix with consecutive numbers: `captcha001`, `captcha002`. Labels of
 * digits are not consecutive, and repeat where there are many.
 *
 * @param {string[]} labels
 */
function areNumbered(labels) {
  const exceptions =
    labels.length < MIN_WITH_EXCEPTION ? 0 : Math.max(1, Math.floor(labels.length / 5));
  const least = labels.length - exceptions;
  /** The different numbers after each prefix. @type {Map<string, Set<number>>} */
  const numbers = new Map();
  for (const label of labels) {
    const [digits] = /\d*$/.exec(label) ?? [""];
    if (digits === "") continue;
    const prefix = label.slice(0, label.length - digits.length);
    numbers.set(prefix, (numbers.get(prefix) ?? new Set()).add(Number(digits)));
  }
  return [...numbers.values()].some((some) => {
    const sorted = [...some].sort((a, b) => a - b);
    return sorted.some((low, i) => sorted[i + least - 1] - low < 2 * least);
  });
}

/**
 * The rows of a label file, with the paths of the images.
 *
 * @param {LabelFile} labelFile
 * @returns {[file: string, label: string][]}
 */
function parseRows({ path, text }) {
  const folder = path.slice(0, path.length - baseName(path).length);
  const rows = baseName(path).toLowerCase() === SPEC_FILE ? parseSpec(text) : parseCsv(text);
  return rows.map(([file, label]) => [normalizePath(folder + file), label.normalize("NFC")]);
}

/**
 * @param {string} text
 * @returns {[file: string, label: string][]}
 */
function parseSpec(text) {
  return nonEmptyLines(text).flatMap((line) => {
    const [name, word] = line.split(/\s+/);
    return word ? [[`${name}.png`, word]] : [];
  });
}

/**
 * Rows of `file,label`, with or without quotes. Semicolons and tabs also separate columns, as in
 * spreadsheets of some languages. A header can give the columns another order; any other header
 * matches no image.
 *
 * @param {string} text
 * @returns {[file: string, label: string][]}
 */
function parseCsv(text) {
  const rows = nonEmptyLines(text);
  const separator = [",", ";", "\t"].find((mark) => rows[0]?.includes(mark)) ?? ",";
  const field = new RegExp(
    `[^\\S\t]*(?:"((?:[^"]|"")*)"|([^${separator}]*))[^\\S\t]*(?:${separator}|$)`,
    "g",
  );
  const fields = rows.map((line) =>
    [...line.matchAll(field)].map(([, quoted, plain]) =>
      quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'),
    ),
  );
  const header = (fields[0] ?? []).map((name) => name.toLowerCase());
  const columns = [FILE_COLUMN, LABEL_COLUMN].map((name) =>
    header.findIndex((heading) => name.test(heading)),
  );
  const [fileColumn, labelColumn] = columns.includes(-1) ? [0, 1] : columns;
  return fields.flatMap((row) => {
    const [file, label] = [row[fileColumn], row[labelColumn]];
    return file && label ? [[file, label]] : [];
  });
}

/** @param {string} text */
function nonEmptyLines(text) {
  return text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}
