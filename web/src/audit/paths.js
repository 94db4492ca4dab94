// @ts-check
/** Paths of files inside what was given. Pure. */

/**
 * A path as every system writes it.
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
 * The folder that all paths lie in, slash included.
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
