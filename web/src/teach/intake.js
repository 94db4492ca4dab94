// @ts-check
/** Opens the images that the user gives, one after the other, in a format that the engine decodes. */

import { labelsFromFiles } from "../audit/labels.js";
import { LensError } from "../lib/errors.js";
import { MAX_BYTES } from "../lib/source.js";
import { likelyNames, normalizeLabel } from "./images.js";

/** @import { FoundFiles } from "../audit/files.js" */
/** @import { AuditImage } from "../audit/types.js" */
/** @import { GivenImage } from "./images.js" */
/** @import { LabelSource } from "./types.js" */

/** The starts of PNG, JPEG, GIF, BMP and WebP files, which the engine decodes. */
const DECODED = /^(\x89PNG|\xff\xd8\xff|GIF8|BM|RIFF[^]{4}WEBP)/;
const LARGE = `The file is larger than ${MAX_BYTES / 1e6} MB.`;

/**
 * The labels of found images: from label files, or else from the file names where these look like
 * labels.
 *
 * @param {Pick<FoundFiles, "images" | "labelFiles">} found
 * @param {boolean} [named] whether file names may be labels
 * @returns {{ labels: (string | null)[], source: LabelSource }}
 */
export function labelsOf({ images, labelFiles }, named = true) {
  const paths = images.map(({ path }) => path);
  const labels = labelsFromFiles(paths, labelFiles);
  if (labels.some((label) => label !== null)) return { labels, source: "file" };
  return { labels: (named ? likelyNames(paths) : null) ?? labels, source: "name" };
}

/**
 * Opens an image. One that cannot be opened has an error instead of content.
 *
 * @param {AuditImage} image
 * @param {{ id: string, label: string | null, source: LabelSource }} given
 * @param {(file: Blob) => Promise<Blob>} convert makes a PNG file of other formats
 * @returns {Promise<GivenImage>}
 */
export async function openImage({ path, open }, { id, label, source }, convert) {
  const text = label === null ? "" : normalizeLabel(label);
  const labelled = text === "" ? { label: null, source: null } : { label: text, source };
  try {
    const file = await open();
    if (file.size > MAX_BYTES) throw new LensError("image-too-large", LARGE);
    const start = new Uint8Array(await file.slice(0, 16).arrayBuffer());
    const isDecoded = DECODED.test(String.fromCharCode(...start));
    const image = isDecoded ? file : await convert(file);
    const bytes = new Uint8Array(await image.arrayBuffer());
    return { id, path, bytes, ...labelled, error: null };
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    return { id, path, bytes: new Uint8Array(), ...labelled, error };
  }
}

/** Makes ids that ascend, also over several visits. */
export function idMaker(now = Date.now(), random = Math.random()) {
  const start = now.toString(36).padStart(9, "0") + random.toString(36).slice(2, 6);
  let next = 0;
  return () => `${start}-${String(next++).padStart(5, "0")}`;
}
