// @ts-check
/**
 * What the images of an audit say: from the paper's label file, from `labels.csv`, or from their
 * own names. The same three layouts as `captcha-lens evaluate` reads. Labels come as they were
 * given; `alphabet.js` compares them in the network's characters.
 */

import { commonFolder, baseName, normalizePath } from "./paths.js";

/** @import { AuditNetwork, LabelFile } from "./types.js" */

/** The paper's label file: one `NAME WORD` a line, images beside it as `NAME.png`. */
const SPEC_FILE = "spec_train_val.txt";
const CSV_FILE = "labels.csv";
/** Share of the file names that must look like labels for all to be taken as such. */
const MIN_LIKELY_SHARE = 0.8;
/** How the columns of a label file may be headed. */
const FILE_COLUMN = /^(file|file ?name|image|path|name)$/;
const LABEL_COLUMN = /^(label|text|captcha|solution|answer|word|code)$/;
/** What systems add to the name of a copy. */
const COPY_SUFFIX = /( ?\(\d+\)|-\d+)$/;

/**
 * Whether a file may tell what images say.
 *
 * @param {string} path
 */
export function isLabelFile(path) {
  return [SPEC_FILE, CSV_FILE].includes(baseName(path).toLowerCase());
}

/**
 * The labels that label files give. A row finds its file also where only the case of its name
 * differs; of several rows for one file, the last counts.
 *
 * @param {string[]} paths of the images
 * @param {LabelFile[]} files
 * @returns {(string | null)[]} for each image its label, or `null` where none is given
 */
export function labelsFromFiles(paths, files) {
  const labels = new Map(files.flatMap(parseRows));
  const anyCase = new Map([...labels].map(([file, label]) => [file.toLowerCase(), label]));
  return paths
    .map(normalizePath)
    .map((path) => labels.get(path) ?? anyCase.get(path.toLowerCase()) ?? null);
}

/**
 * The files to which label files give more than one label: one of them is wrong.
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
    if (before.toLowerCase() !== label.toLowerCase()) found.add(file);
    labelOf.set(file, label);
  }
  return [...found];
}

/**
 * The labels that label files give which were chosen after the images, and so without their folder.
 *
 * @param {string[]} paths of the images
 * @param {LabelFile[]} files
 * @returns {(string | null)[]}
 */
export function labelsFromLaterFiles(paths, files) {
  const labels = labelsFromFiles(paths, files);
  if (labels.some((label) => label !== null)) return labels;
  // The innermost folder first: an archive may hold its images in a folder of its own.
  for (let folder = commonFolder(paths); folder; folder = folder.replace(/[^/]*\/$/, "")) {
    const moved = files.map(({ path, text }) => ({ path: folder + baseName(path), text }));
    const found = labelsFromFiles(paths, moved);
    if (found.some((label) => label !== null)) return found;
  }
  return labels;
}

/**
 * The labels that file names give: `label.png` or `label_anything.png`; what systems add to the
 * name of a copy, `label (1).png` or `label-2.png`, is no part of it.
 *
 * @param {string[]} paths
 * @returns {string[]}
 */
export function labelsFromNames(paths) {
  return paths.map((path) => {
    // macOS may name files with characters and accents apart.
    const [label] = baseName(path)
      .normalize("NFC")
      .replace(/\.[^.]*$/, "")
      .split("_");
    const original = label.replace(COPY_SUFFIX, "");
    return /^[\p{L}\p{N}]+$/u.test(original) ? original : label;
  });
}

/**
 * Whether labels taken from names are likely to be what the images say: short, of letters, digits
 * or what else the network reads, not all the same, and no mere numbers in a row.
 * `labels_are_likely` in `crates/evaluation` does the same.
 *
 * @param {string[]} labels
 * @param {AuditNetwork} network
 */
export function areLikelyLabels(labels, { alphabet }) {
  const known = new Set(alphabet);
  const isLikely = (/** @type {string} */ label) => {
    const characters = [...label];
    return (
      characters.length >= 1 &&
      characters.length <= 12 &&
      characters.every((character) => known.has(character) || /[\p{L}\p{N}]/u.test(character))
    );
  };
  if (labels.filter(isLikely).length < MIN_LIKELY_SHARE * labels.length) return false;
  return labels.length === 1 || (new Set(labels).size > 1 && !areNumbered(labels));
}

/**
 * Whether names only count: `captcha001`, `captcha002`.
 *
 * @param {string[]} labels
 */
function areNumbered(labels) {
  const [first] = labels;
  let shared = first.length;
  for (const label of labels) {
    while (!label.startsWith(first.slice(0, shared))) shared--;
  }
  // A digit that all share belongs to the number.
  while (shared > 0 && /\d/.test(first[shared - 1])) shared--;
  const rests = labels.map((label) => label.slice(shared));
  if (!rests.every((rest) => /^\d+$/.test(rest))) return false;
  let [low, high] = [Infinity, -Infinity];
  for (const rest of rests) [low, high] = [Math.min(low, +rest), Math.max(high, +rest)];
  return high - low < 2 * labels.length;
}

/**
 * The rows of a label file, each with its file's path.
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
 * Rows of `file,label`, either in quotes or not, or with semicolons or tabs for commas, as
 * spreadsheets of some languages write them. A header may name the columns in another order; else
 * it names no image.
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
