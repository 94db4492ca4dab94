// @ts-check
/**
 * Reads zip archives file by file, without unpacking the rest: the browser inflates, so all that is
 * left to do is to find the files (APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).
 */

import { LensError } from "../errors.js";

const END = { signature: 0x06054b50, size: 22, longestComment: 0xffff };
const CENTRAL = { signature: 0x02014b50, size: 46 };
const LOCAL = { signature: 0x04034b50, size: 30 };
const STORED = 0;
const DEFLATED = 8;
/** In place of a number of files from here on. */
const MANY = 0xffff;
/** In place of a number that only a zip64 record could hold. */
const TOO_LARGE = 0xffffffff;

/**
 * @typedef {object} ZippedFile
 * @property {string} path
 * @property {number} size in bytes, unpacked
 * @property {() => Promise<Blob>} open
 */

/**
 * Lists the files of an archive, folders left out.
 *
 * @param {Blob} archive
 * @returns {Promise<ZippedFile[]>}
 * @throws {LensError} `bad-archive`
 */
export async function listZip(archive) {
  const tailSize = Math.min(archive.size, END.size + END.longestComment);
  const tail = await view(archive, archive.size - tailSize, tailSize);
  let end = tailSize - END.size;
  while (end >= 0 && tail.getUint32(end, true) !== END.signature) end--;
  if (end < 0) throw bad("it has no directory, so it may be cut short");
  const [count, size, start] = [
    tail.getUint16(end + 10, true),
    tail.getUint32(end + 12, true),
    tail.getUint32(end + 16, true),
  ];
  if (start === TOO_LARGE || start + size > archive.size) {
    throw bad("it is larger than 4 GB or cut short");
  }
  const directory = await view(archive, start, size);
  const files = [];
  // Of more files than its 16 bits hold, the archive tells only where the directory ends.
  for (let at = 0, i = 0; count === MANY ? at < size : i < count; i++) {
    if (at + CENTRAL.size > size || directory.getUint32(at, true) !== CENTRAL.signature) {
      throw bad("its directory is damaged");
    }
    const file = readEntry(archive, directory, at);
    if (!file.path.endsWith("/")) files.push(file);
    at += file.length;
  }
  return files;
}

/**
 * @param {Blob} archive
 * @param {DataView<ArrayBuffer>} directory
 * @param {number} at
 */
function readEntry(archive, directory, at) {
  const encrypted = (directory.getUint16(at + 8, true) & 1) === 1;
  const method = directory.getUint16(at + 10, true);
  const packed = directory.getUint32(at + 20, true);
  const size = directory.getUint32(at + 24, true);
  const [name, extra, comment] = [28, 30, 32].map((offset) =>
    directory.getUint16(at + offset, true),
  );
  const local = directory.getUint32(at + 42, true);
  if (at + CENTRAL.size + name > directory.byteLength) throw bad("its directory is damaged");
  const written = new Uint8Array(directory.buffer, directory.byteOffset + at + CENTRAL.size, name);
  // Some of Windows' own tools write paths their way.
  const path = new TextDecoder().decode(written).replaceAll("\\", "/");
  const open = async () => {
    if (encrypted) throw bad(`${path} is encrypted`);
    if (method !== STORED && method !== DEFLATED) throw bad(`${path} is packed in an unusual way`);
    const header = await view(archive, local, LOCAL.size);
    if (header.getUint32(0, true) !== LOCAL.signature) throw bad("it is damaged");
    const start = local + LOCAL.size + header.getUint16(26, true) + header.getUint16(28, true);
    const bytes = archive.slice(start, start + packed);
    if (method === STORED) return bytes;
    const inflated = bytes
      .stream()
      .pipeThrough(new DecompressionStream("deflate-raw"))
      .pipeThrough(atMost(size));
    try {
      return await new Response(inflated).blob();
    } catch {
      throw bad(`${path} is damaged`);
    }
  };
  return { path, size, open, length: CENTRAL.size + name + extra + comment };
}

/**
 * Breaks off where more comes than was said: a small archive can hold more than memory does.
 *
 * @param {number} bytes
 * @returns {TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>}
 */
function atMost(bytes) {
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
async function view(blob, start, size) {
  const bytes = await blob.slice(start, start + size).arrayBuffer();
  if (bytes.byteLength < size) throw bad("it is cut short");
  return new DataView(bytes);
}

/** @param {string} why */
function bad(why) {
  return new LensError("bad-archive", `The zip archive cannot be read: ${why}. Unpack it first.`);
}
