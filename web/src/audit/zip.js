// @ts-check
/**
 * Reads single files of zip archives (APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 to 4.3.16 and
 * 4.5.3). The browser inflates them.
 */

import { LensError } from "../lib/errors.js";

const END = { signature: 0x06054b50, size: 22, longestComment: 0xffff };
const CENTRAL = { signature: 0x02014b50, size: 46 };
const LOCAL = { signature: 0x04034b50, size: 30 };
const STORED = 0;
const DEFLATED = 8;
/** Placeholder for a number of files that is in the zip64 record. */
const COUNT_IN_ZIP64 = 0xffff;
/** Placeholder for a number of bytes that is in a zip64 field. */
const SIZE_IN_ZIP64 = 0xffffffff;
/**
 * The locator of the zip64 end record, directly before the end record; and the zip64 end record.
 */
const LOCATOR = { signature: 0x07064b50, size: 20 };
const END64 = { signature: 0x06064b50, size: 56 };
/** The extra field with the 64-bit sizes of a file. */
const ZIP64_FIELD = 0x0001;

/**
 * @typedef {object} ZippedFile
 * @property {string} path
 * @property {number} size in bytes, uncompressed
 * @property {() => Promise<Blob>} open
 */

/**
 * Lists the files of an archive, without folders.
 *
 * @param {Blob} archive
 * @returns {Promise<ZippedFile[]>}
 * @throws {LensError} `bad-archive`
 */
export async function listZip(archive) {
  const most = LOCATOR.size + END.size + END.longestComment;
  const tailSize = Math.min(archive.size, most);
  const tail = await readView(archive, archive.size - tailSize, tailSize);
  let end = tailSize - END.size;
  while (end >= 0 && tail.getUint32(end, true) !== END.signature) end--;
  if (end < 0) throw archiveError("its file list is missing, so it may be incomplete");
  const { count, size, start } = await readEnd(archive, tail, end);
  if (start + size > archive.size) throw archiveError("it is incomplete");
  const directory = await readView(archive, start, size);
  const files = [];
  // The 16-bit count of the end record cannot hold more files. Then the directory size is the
  // limit.
  for (let at = 0, i = 0; count === COUNT_IN_ZIP64 ? at < size : i < count; i++) {
    if (at + CENTRAL.size > size || directory.getUint32(at, true) !== CENTRAL.signature) {
      throw archiveError("its file list is damaged");
    }
    const file = readEntry(archive, directory, at);
    if (!file.path.endsWith("/")) files.push(file);
    at += file.length;
  }
  return files;
}

/**
 * Reads number, size and offset of the central directory.
 *
 * @param {Blob} archive
 * @param {DataView<ArrayBuffer>} tail the last bytes of the archive
 * @param {number} end offset of the end record in these
 */
async function readEnd(archive, tail, end) {
  const locator = end - LOCATOR.size;
  if (locator >= 0 && tail.getUint32(locator, true) === LOCATOR.signature) {
    const record = await readView(archive, readUint64(tail, locator + 8), END64.size);
    if (record.getUint32(0, true) !== END64.signature)
      throw archiveError("its file list is damaged");
    return {
      count: readUint64(record, 32),
      size: readUint64(record, 40),
      start: readUint64(record, 48),
    };
  }
  return {
    count: tail.getUint16(end + 10, true),
    size: tail.getUint32(end + 12, true),
    start: tail.getUint32(end + 16, true),
  };
}

/**
 * Reads sizes and offset of a file, from the zip64 field if the entry has placeholders.
 *
 * @param {DataView<ArrayBuffer>} directory
 * @param {number} at offset of the entry
 * @param {{ from: number, to: number }} extra range of its extra fields
 */
function readSizes(directory, at, { from, to }) {
  const numbers = [24, 20, 42].map((offset) => directory.getUint32(at + offset, true));
  for (let field = from; field + 4 <= to; field += 4 + directory.getUint16(field + 2, true)) {
    if (directory.getUint16(field, true) !== ZIP64_FIELD) continue;
    let next = field + 4;
    for (const i of numbers.keys()) {
      if (numbers[i] !== SIZE_IN_ZIP64 || next + 8 > to) continue;
      numbers[i] = readUint64(directory, next);
      next += 8;
    }
  }
  const [size, packed, local] = numbers;
  return { size, packed, local };
}

/**
 * Reads a 64-bit number.
 *
 * @param {DataView<ArrayBuffer>} view
 * @param {number} at
 */
function readUint64(view, at) {
  return Number(view.getBigUint64(at, true));
}

/**
 * @param {Blob} archive
 * @param {DataView<ArrayBuffer>} directory
 * @param {number} at
 */
function readEntry(archive, directory, at) {
  const encrypted = (directory.getUint16(at + 8, true) & 1) === 1;
  const method = directory.getUint16(at + 10, true);
  const [name, extra, comment] = [28, 30, 32].map((offset) =>
    directory.getUint16(at + offset, true),
  );
  const nameEnd = at + CENTRAL.size + name;
  if (nameEnd + extra > directory.byteLength) throw archiveError("its file list is damaged");
  const { size, packed, local } = readSizes(directory, at, {
    from: nameEnd,
    to: nameEnd + extra,
  });
  const written = new Uint8Array(directory.buffer, directory.byteOffset + at + CENTRAL.size, name);
  // Some Windows tools write paths with backslashes.
  const path = new TextDecoder().decode(written).replaceAll("\\", "/");
  const open = async () => {
    if (encrypted) throw archiveError(`${path} is encrypted`);
    if (method !== STORED && method !== DEFLATED)
      throw archiveError(`${path} uses an unsupported compression method`);
    const header = await readView(archive, local, LOCAL.size);
    if (header.getUint32(0, true) !== LOCAL.signature) throw archiveError("it is damaged");
    const start = local + LOCAL.size + header.getUint16(26, true) + header.getUint16(28, true);
    const bytes = archive.slice(start, start + packed);
    if (method === STORED) return bytes;
    const inflated = bytes
      .stream()
      .pipeThrough(new DecompressionStream("deflate-raw"))
      .pipeThrough(limitBytes(size));
    try {
      return await new Response(inflated).blob();
    } catch {
      throw archiveError(`${path} is damaged`);
    }
  };
  return { path, size, open, length: CENTRAL.size + name + extra + comment };
}

/**
 * Fails if a file is larger than its entry says, because a small archive can inflate to more than
 * the memory.
 *
 * @param {number} bytes
 * @returns {TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>}
 */
function limitBytes(bytes) {
  let left = bytes;
  return new TransformStream({
    transform(chunk, controller) {
      left -= chunk.byteLength;
      if (left < 0) controller.error(new Error("more than was said"));
      else controller.enqueue(chunk);
    },
  });
}

/**
 * @param {Blob} blob
 * @param {number} start
 * @param {number} size
 */
async function readView(blob, start, size) {
  const bytes = await blob.slice(start, start + size).arrayBuffer();
  if (bytes.byteLength < size) throw archiveError("it is incomplete");
  return new DataView(bytes);
}

/** @param {string} why */
function archiveError(why) {
  return new LensError("bad-archive", `The zip archive cannot be read: ${why}. Unpack it first.`);
}
