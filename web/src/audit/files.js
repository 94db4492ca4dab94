// @ts-check
/** Finds images and label files among chosen or dropped files, folders and zip archives. */

import { LensError } from "../lib/errors.js";
import { MAX_BYTES } from "../lib/source.js";
import { isLabelFile } from "./labels.js";
import { baseName, normalizePath } from "./paths.js";
import { listZip } from "./zip.js";

/** @import { ErrorCode } from "../lib/types.js" */
/** @import { PageErrorCode } from "../common/types.js" */
/** @import { AuditImage, LabelFile } from "./types.js" */

/** Formats that the engine or the browser can decode. */
const IMAGE = /\.(a?png|jpe?g|jfif|webp|gif|bmp|svg|avif|heic|heif|tiff?|ico)$/i;
const ZIP = /\.zip$/i;
/** Files that operating systems add to folders and archives. */
const SYSTEM_FILE = /(^|\/)(\.[^/]|__MACOSX\/)|(^|\/)(thumbs\.db|desktop\.ini)$/i;
/** Signatures of the formats, for files without an extension. */
const SIGNATURES = [
  /^\x89PNG/,
  /^\xff\xd8\xff/,
  /^GIF8/,
  /^BM/,
  /^RIFF[^]{4}WEBP/,
  /^[^]{4}ftyp(avif|heic|mif1)/,
];
/** Maximum number of files that a message names. */
const MAX_LISTED = 3;

/**
 * A file from the user that is not opened yet.
 *
 * @typedef {object} InputFile
 * @property {string} path ends in a slash for what stands in for a folder that cannot be listed
 * @property {string} [type] media type, if the browser knows it
 * @property {() => Promise<Blob>} open
 */

/**
 * The images and label files that were found.
 *
 * @typedef {object} FoundFiles
 * @property {AuditImage[]} images sorted by path
 * @property {LabelFile[]} labelFiles
 * @property {Problem[]} problems
 * @property {string[]} ignored paths of other files
 */

/** @typedef {{ path: string, error: LensError<ErrorCode | PageErrorCode> }} Problem a file that could not be opened */

/**
 * @param {File[]} files from a file input
 * @returns {InputFile[]}
 */
export function filesFromList(files) {
  return files.map((file) => ({
    path: normalizePath(file.webkitRelativePath || file.name),
    type: file.type,
    open: async () => file,
  }));
}

/**
 * All files of a drop, including those in folders. Must be called during the drop event, because
 * the browser clears the data after it.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<InputFile[]>}
 */
export async function filesFromDrop(transfer) {
  const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (entries.length === 0) return filesFromList([...transfer.files]);
  /** @type {Set<string>} */
  const folders = new Set();
  const all = entries.map((entry) =>
    filesFromEntry(entry, isFile(entry) ? entry.name : uniqueName(entry.name, folders)),
  );
  return (await Promise.all(all)).flat();
}

/**
 * Finds images and label files. An archive counts as a folder of its name. A file that cannot be
 * opened does not stop the search.
 *
 * @param {InputFile[]} files
 * @returns {Promise<FoundFiles>} with at least one image or label file
 * @throws {LensError} if there is neither
 */
export async function findImages(files) {
  /** @type {FoundFiles} */
  const found = { images: [], labelFiles: [], problems: [], ignored: [] };
  /** @type {Set<string>} */
  const archives = new Set();
  for (const file of files) {
    if (!ZIP.test(file.path) || SYSTEM_FILE.test(file.path)) await classify(found, file);
    else
      await tryOpen(found, file, () => readArchive(found, file, uniqueName(file.path, archives)));
  }
  if (found.images.length === 0 && found.labelFiles.length === 0) {
    if (found.problems.length > 0) throw found.problems[0].error;
    const others = found.ignored.length > 0 ? ` (${listNames(found.ignored)})` : "";
    throw new LensError(
      "no-images",
      `These files contain no image${others}. Choose PNG, JPEG, WebP, GIF, BMP or SVG files, or a folder or zip archive that contains them.`,
    );
  }
  const order = new Intl.Collator("en", { numeric: true });
  found.images.sort((a, b) => order.compare(a.path, b.path));
  return found;
}

/**
 * @param {FoundFiles} found
 * @param {InputFile} archive
 * @param {string} folder path prefix of its files
 */
async function readArchive(found, archive, folder) {
  for (const zipped of await listZip(await archive.open())) {
    const open = async () => {
      if (zipped.size <= MAX_BYTES) return withMediaType(await zipped.open(), zipped.path);
      throw new LensError("image-too-large", "The file is larger than 20 MB.");
    };
    await classify(found, { path: normalizePath(`${folder}/${zipped.path}`), open });
  }
}

/**
 * Adds the media type to an SVG file, which browsers need to show it.
 *
 * @param {Blob} blob
 * @param {string} path
 */
function withMediaType(blob, path) {
  return /\.svg$/i.test(path) ? blob.slice(0, blob.size, "image/svg+xml") : blob;
}

/**
 * @param {FoundFiles} found
 * @param {InputFile} file
 */
async function classify(found, file) {
  const { path, open } = file;
  if (SYSTEM_FILE.test(path)) return;
  if (IMAGE.test(path)) found.images.push(file);
  else if (path.endsWith("/")) await tryOpen(found, file, open);
  else if (isLabelFile(path)) {
    await tryOpen(found, file, async () => {
      found.labelFiles.push({ path, text: await (await open()).text() });
    });
  } else if (await isImageWithoutExtension(file)) found.images.push(file);
  else found.ignored.push(path);
}

/**
 * Whether a file without an extension is an image. Some systems save such files.
 *
 * @param {InputFile} file
 */
async function isImageWithoutExtension({ path, type, open }) {
  if (baseName(path).includes(".")) return false;
  if (type?.startsWith("image/")) return true;
  try {
    const blob = await open();
    const start = new Uint8Array(await blob.slice(0, 16).arrayBuffer());
    const text = String.fromCharCode(...start);
    return SIGNATURES.some((signature) => signature.test(text));
  } catch {
    return false;
  }
}

/**
 * Lists the first names and the number of the others.
 *
 * @param {string[]} names
 */
export function listNames(names) {
  const more = names.length - MAX_LISTED;
  const some = names.slice(0, MAX_LISTED).join(", ");
  return more > 0 ? `${some} and ${more.toLocaleString("en")} more` : some;
}

/**
 * Runs an action on a file, and records the problem if it fails.
 *
 * @param {FoundFiles} found
 * @param {InputFile} file
 * @param {() => Promise<unknown>} action
 */
async function tryOpen(found, { path }, action) {
  try {
    await action();
  } catch (thrown) {
    const code = thrown instanceof LensError ? thrown.code : "unreadable-file";
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    found.problems.push({ path, error: new LensError(code, `${path}: ${message}`) });
  }
}

/**
 * @param {FileSystemEntry} entry
 * @param {string} path
 * @returns {Promise<InputFile[]>}
 */
async function filesFromEntry(entry, path) {
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
        // Not as arguments of one call: the stack has no room for 100,000.
        for (const file of await filesFromEntry(inner, `${path}/${inner.name}`)) files.push(file);
      }
    }
  } catch (error) {
    return [...files, { path: `${path}/`, open: () => Promise.reject(error) }];
  }
}

/**
 * A name that is not taken yet, so that labels apply to their own folder only.
 *
 * @param {string} name
 * @param {Set<string>} taken
 */
function uniqueName(name, taken) {
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
