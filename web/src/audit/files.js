// @ts-check
/** The images among what was chosen or dropped: files, folders, zip archives. */

import { LensError } from "../errors.js";
import { isLabelFile } from "./labels.js";
import { listZip } from "./zip.js";

/** @import { AuditImage, LabelFile } from "../types.js" */

/** What the engine reads. */
const IMAGE = /\.(png|jpe?g|webp|gif|bmp)$/i;
const ZIP = /\.zip$/i;
/** What systems leave in folders and archives. */
const CLUTTER = /(^|\/)(\.|__MACOSX\/)/;
/** The largest file that the engine takes; an archive that promises more is not unpacked. */
const MAX_BYTES = 20 * 1024 * 1024;

/**
 * @typedef {object} Found
 * @property {AuditImage[]} images in the order of their paths
 * @property {LabelFile[]} labelFiles
 * @property {number} ignored how many other files there were
 */

/**
 * Everything inside what was dropped. To be called before the drop event is over, as the browser
 * forgets it then.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<File[]>} each with its path inside the drop as `webkitRelativePath` or `name`
 */
export async function filesOfDrop(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (entries.every((entry) => entry === null)) return [...transfer.files];
  return (await Promise.all(entries.map((entry) => filesOfEntry(entry)))).flat();
}

/**
 * Sorts out the images and their labels.
 *
 * @param {File[]} files
 * @returns {Promise<Found>}
 * @throws {LensError} `no-images`, `bad-archive`
 */
export async function findImages(files) {
  /** @type {Found} */
  const found = { images: [], labelFiles: [], ignored: 0 };
  for (const file of files) {
    const path = pathOf(file);
    if (ZIP.test(path)) {
      for (const zipped of await listZip(file)) {
        const open = async () => {
          if (zipped.size <= MAX_BYTES) return zipped.open();
          throw new LensError("image-too-large", "The file is larger than 20 MB.");
        };
        await sortOut(found, zipped.path, open);
      }
    } else {
      await sortOut(found, path, async () => file);
    }
  }
  if (found.images.length === 0) {
    throw new LensError(
      "no-images",
      "There is no image among these files. Give PNG, JPEG, WebP, GIF or BMP files, a folder or a zip archive of them.",
    );
  }
  const order = new Intl.Collator("en", { numeric: true });
  found.images.sort((a, b) => order.compare(a.path, b.path));
  return found;
}

/**
 * @param {Found} found
 * @param {string} path
 * @param {() => Promise<Blob>} open
 */
async function sortOut(found, path, open) {
  if (CLUTTER.test(path)) return;
  if (IMAGE.test(path)) found.images.push({ path, open });
  else if (isLabelFile(path)) found.labelFiles.push({ path, text: await (await open()).text() });
  else found.ignored++;
}

/** The paths of files from folders that were dropped. @type {WeakMap<File, string>} */
const dropped = new WeakMap();

/** @param {File} file */
function pathOf(file) {
  return dropped.get(file) ?? (file.webkitRelativePath || file.name);
}

/**
 * @param {FileSystemEntry | null} entry
 * @returns {Promise<File[]>}
 */
async function filesOfEntry(entry) {
  if (entry === null) return [];
  if (isFile(entry)) {
    /** @type {File} */
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    dropped.set(file, entry.fullPath.replace(/^\//, ""));
    return [file];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const files = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return files;
    for (const inner of some) files.push(...(await filesOfEntry(inner)));
  }
}

/**
 * @param {FileSystemEntry} entry
 * @returns {entry is FileSystemFileEntry}
 */
function isFile(entry) {
  return entry.isFile;
}
