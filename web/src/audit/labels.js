// @ts-check
/**
 * What the images of an audit say: from the paper's label file, from `labels.csv`, or from their
 * own names. The same three layouts as `captcha-lens evaluate` reads.
 */

/** @import { LabelFile } from "../types.js" */

/** The paper's label file: one `NAME WORD` a line, images beside it as `NAME.png`. */
const SPEC_FILE = "spec_train_val.txt";
const CSV_FILE = "labels.csv";
/** Share of the file names that must look like labels for all to be taken as such. */
const ENOUGH = 0.8;

/**
 * Whether a file may tell what images say.
 *
 * @param {string} path
 */
export function isLabelFile(path) {
  return [SPEC_FILE, CSV_FILE].includes(nameOf(path));
}

/**
 * The labels that label files give.
 *
 * @param {string[]} paths of the images
 * @param {LabelFile[]} files
 * @returns {(string | null)[]} for each image its label, or `null` where none is given
 */
export function labelsFromFiles(paths, files) {
  /** @type {Map<string, string>} */
  const labels = new Map();
  for (const { path, text } of files) {
    const folder = path.slice(0, path.length - nameOf(path).length);
    const rows = nameOf(path) === SPEC_FILE ? specRows(text) : csvRows(text);
    for (const [file, label] of rows) labels.set(folder + file, label.toLowerCase());
  }
  return paths.map((path) => labels.get(path) ?? null);
}

/**
 * The labels that file names give: `label.png` or `label_anything.png`.
 *
 * @param {string[]} paths
 * @returns {string[]}
 */
export function labelsFromNames(paths) {
  return paths.map((path) =>
    nameOf(path)
      .replace(/\.[^.]*$/, "")
      .split("_")[0]
      .toLowerCase(),
  );
}

/**
 * Whether labels taken from names are likely to be what the images say: short, of letters, and not
 * all the same.
 *
 * @param {string[]} labels
 */
export function areLikely(labels) {
  const likely = labels.filter((label) => /^[a-z]{1,12}$/.test(label)).length;
  const kinds = new Set(labels).size;
  return likely >= ENOUGH * labels.length && (labels.length === 1 || kinds > 1);
}

/**
 * @param {string} text
 * @returns {[file: string, label: string][]}
 */
function specRows(text) {
  return lines(text).flatMap((line) => {
    const [name, word] = line.split(/\s+/);
    return word ? [[`${name}.png`, word]] : [];
  });
}

/**
 * Rows of `file,label`, either in quotes or not, or with semicolons or tabs for commas, as
 * spreadsheets of some languages write them; a header row names no image.
 *
 * @param {string} text
 * @returns {[file: string, label: string][]}
 */
function csvRows(text) {
  const rows = lines(text);
  const separator = [",", ";", "\t"].find((mark) => rows[0]?.includes(mark)) ?? ",";
  const field = new RegExp(
    `[^\\S\t]*(?:"((?:[^"]|"")*)"|([^${separator}]*))[^\\S\t]*(?:${separator}|$)`,
    "g",
  );
  return rows.flatMap((line) => {
    const fields = [...line.matchAll(field)];
    const [file, label] = fields.map(([, quoted, plain]) =>
      quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'),
    );
    return file && label ? [[file, label]] : [];
  });
}

/** @param {string} text */
function lines(text) {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** @param {string} path */
function nameOf(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}
