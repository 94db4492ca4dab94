// @ts-check
/** Writes a Brotli copy beside each file of a compressible format, for servers that send such copies. */

import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

/** @import { Plugin } from "vite" */

const COMPRESSIBLE = /\.(css|html|js|json|safetensors|svg|wasm|webmanifest)$/;
/**
 * Files of more bytes are compressed at a lower quality, which takes a tenth of the time. The files
 * of a first visit are smaller.
 */
const LARGE = 3_000_000;

/** @returns {Plugin} */
export function compress() {
  let folder = "";
  return {
    name: "compress",
    apply: "build",
    enforce: "post",
    configResolved({ root, build }) {
      folder = join(root, build.outDir);
    },
    closeBundle: {
      // The service worker is written by then.
      order: "post",
      sequential: true,
      async handler() {
        const paths = await readdir(folder, { recursive: true });
        await Promise.all(
          paths.filter((path) => COMPRESSIBLE.test(path)).map((path) => write(join(folder, path))),
        );
      },
    },
  };
}

/** @param {string} path */
async function write(path) {
  const bytes = await readFile(path);
  const quality = bytes.length > LARGE ? 9 : 11;
  const params = { [constants.BROTLI_PARAM_QUALITY]: quality };
  await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, { params }));
}
