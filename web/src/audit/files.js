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
 * A file as it was given, not yet opened.
 *
 * @typedef {object} Given
 * @property {string} path ends in a slash for what stands in for a folder that cannot be listed
 * @property {() => Promise<Blob>} open
 */

/**
 * @typedef {object} Found
 * @property {AuditImage[]} images in the order of their paths
 * @property {LabelFile[]} labelFiles
 * @property {Problem[]} problems
 * @property {number} ignored how many other files there were
 */

/** @typedef {{ path: string, error: LensError }} Problem what could not be opened, and why */

/**
 * @param {File[]} files that were chosen
 * @returns {Given[]}
 */
export function filesOf(files) {
  return files.map((file) => ({
    path: file.webkitRelativePath || file.name,
    open: async () => file,
  }));
}

/**
 * Everything inside what was dropped. To be called before the drop event is over, as the browser
 * forgets it then.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<Given[]>}
 */
export async function filesOfDrop(transfer) {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (entries.length === 0) return filesOf([...transfer.files]);
  /** @type {Set<string>} */
  const folders = new Set();
  const all = entries.map((entry) =>
    filesOfEntry(entry, isFile(entry) ? entry.name : unique(entry.name, folders)),
  );
  return (await Promise.all(all)).flat();
}

/**
 * Sorts out the images and their labels. An archive is like a folder of its name; what cannot be
 * opened keeps nothing else from being found.
 *
 * @param {Given[]} files
 * @returns {Promise<Found>}
 * @throws {LensError} why there is no image
 */
export async function findImages(files) {
  /** @type {Found} */
  const found = { images: [], labelFiles: [], problems: [], ignored: 0 };
  /** @type {Set<string>} */
  const archives = new Set();
  for (const file of files) {
    if (!ZIP.test(file.path) || CLUTTER.test(file.path)) await sortOut(found, file);
    else await attempt(found, file, () => unpack(found, file, unique(file.path, archives)));
  }
  if (found.images.length === 0) {
    if (found.problems.length > 0) throw found.problems[0].error;
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
 * @param {Given} archive
 * @param {string} folder where its files are said to be
 */
async function unpack(found, archive, folder) {
  for (const zipped of await listZip(await archive.open())) {
    const open = async () => {
      if (zipped.size <= MAX_BYTES) return zipped.open();
      throw new LensError("image-too-large", "The file is larger than 20 MB.");
    };
    await sortOut(found, { path: `${folder}/${zipped.path}`, open });
  }
}

/**
 * @param {Found} found
 * @param {Given} file
 */
async function sortOut(found, file) {
  const { path, open } = file;
  if (CLUTTER.test(path)) return;
  if (IMAGE.test(path)) found.images.push(file);
  else if (path.endsWith("/")) await attempt(found, file, open);
  else if (isLabelFile(path)) {
    await attempt(found, file, async () => {
      found.labelFiles.push({ path, text: await (await open()).text() });
    });
  } else found.ignored++;
}

/**
 * Does what a file needs, or notes why it cannot be done.
 *
 * @param {Found} found
 * @param {Given} file
 * @param {() => Promise<unknown>} act
 */
async function attempt(found, { path }, act) {
  try {
    await act();
  } catch (thrown) {
    const code = thrown instanceof LensError ? thrown.code : "unreadable-file";
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    found.problems.push({ path, error: new LensError(code, `${path}: ${message}`) });
  }
}

/**
 * @param {FileSystemEntry} entry
 * @param {string} path
 * @returns {Promise<Given[]>}
 */
async function filesOfEntry(entry, path) {
  if (isFile(entry)) {
    return [{ path, open: () => new Promise((resolve, reject) => entry.file(resolve, reject)) }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const files = [];
  try {
    for (;;) {
      /** @type {FileSystemEntry[]} */
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return files;
      for (const inner of some) {
        // One by one: as arguments of one call, a hundred thousand are too many.
        for (const file of await filesOfEntry(inner, `${path}/${inner.name}`)) files.push(file);
      }
    }
  } catch (error) {
    return [...files, { path: `${path}/`, open: () => Promise.reject(error) }];
  }
}

/**
 * A name that no other has: labels of one folder are none of another's business.
 *
 * @param {string} name
 * @param {Set<string>} taken
 */
function unique(name, taken) {
  let free = name;
  for (let i = 2; taken.has(free); i++) free = `${name} (${i})`;
  taken.add(free);
  return free;
}

/**
 * @param {FileSystemEntry} entry
 * @returns {entry is FileSystemFileEntry}
 */
function isFile(entry) {
  return entry.isFile;
}
