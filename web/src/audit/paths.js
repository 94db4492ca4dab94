// @ts-check
/** Paths of the input files. Pure. */

/**
 * Normalizes a path: Unicode NFC, slashes, no `./`.
 *
 * @param {string} path
 */
export function normalizePath(path) {
  return path
    .normalize("NFC")
    .replaceAll("\\", "/")
    .replace(/(^|\/)(\.\/)+/g, "$1");
}

/**
 * The folder that contains all paths, with a slash at its end.
 *
 * @param {string[]} paths
 */
export function commonFolder(paths) {
  let folder = paths.length > 0 ? paths[0].slice(0, paths[0].lastIndexOf("/") + 1) : "";
  while (folder && !paths.every((path) => path.startsWith(folder))) {
    folder = folder.replace(/[^/]*\/$/, "");
  }
  return folder;
}

/**
 * The last part of a path.
 *
 * @param {string} path
 */
export function baseName(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}
