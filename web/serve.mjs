#!/usr/bin/env node
// @ts-check
/**
 * Serves this folder on this machine: `node web/serve.mjs`, with `PORT` and `HOST` from the
 * environment. Any other static server does as well.
 */

import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { pipeline } from "node:stream";
import { extname, join, resolve, sep } from "node:path";
import { argv, env, exit } from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

const TYPES = /** @type {Record<string, string>} */ ({
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
});

/** What gets smaller; images are compressed already, and weights hardly get any smaller. */
const COMPRESSIBLE = new Set([".css", ".html", ".js", ".json", ".mjs", ".svg", ".wasm"]);
/** Most of what the best quality brings, in a fraction of a second for the largest module. */
const QUALITY = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

const HERE = fileURLToPath(new URL(".", import.meta.url));

/**
 * @typedef {object} Site
 * @property {string} [root] the folder to serve; this one unless said
 * @property {number} [port] 0 takes any that is free
 * @property {string} [host]
 * @property {string} [base] the path under which the folder appears, such as `/some/where/`
 * @property {Record<string, string>} [mounts] other folders or files in place of paths in `root`
 */

/**
 * @param {Site} [site]
 * @returns {Promise<{ address: string, close: () => Promise<void> }>}
 */
export async function serve(site = {}) {
  const { root = HERE, port = 0, host = "127.0.0.1", base = "/", mounts = {} } = site;
  const always = await headersOf(root);
  /** Compressed files by path, each with the ETag of the file it was made from. */
  const compressed = /** @type {Map<string, { etag: string, bytes: Promise<Buffer> }>} */ (
    new Map()
  );
  const compress = (/** @type {string} */ path, /** @type {string} */ etag) => {
    const kept = compressed.get(path);
    if (kept?.etag === etag) return kept.bytes;
    const bytes = readFile(path).then((file) => promisify(brotliCompress)(file, QUALITY));
    compressed.set(path, { etag, bytes });
    bytes.catch(() => compressed.delete(path));
    return bytes;
  };
  const server = createServer(async (request, response) => {
    const fail = (/** @type {number} */ status) => {
      response.writeHead(status, { "content-type": "text/plain" }).end(`${status}\n`);
    };
    if (request.method !== "GET" && request.method !== "HEAD") return fail(405);
    const path = pathIn(base, request.url ?? "/");
    if (path === undefined) return fail(404);
    const file = await find(path, root, mounts);
    if (!file) return fail(404);
    const type = extname(file.path);
    const compressible = COMPRESSIBLE.has(type);
    const takesBrotli = /\bbr\b/.test(String(request.headers["accept-encoding"] ?? ""));
    const encoded = compressible && takesBrotli;
    const etag = `"${file.size}-${file.changed}${encoded ? "-br" : ""}"`;
    const headers = {
      ...always,
      "cache-control": "no-cache", // asked for each time, sent when it changed
      etag,
      ...(compressible && { vary: "accept-encoding" }),
    };
    if (request.headers["if-none-match"] === etag) {
      return void response.writeHead(304, headers).end();
    }
    /** @type {Buffer | undefined} */
    let bytes;
    try {
      bytes = encoded ? await compress(file.path, etag) : undefined;
    } catch {
      return fail(500); // the file cannot be read
    }
    response.writeHead(200, {
      ...headers,
      ...(encoded && { "content-encoding": "br" }),
      "content-length": bytes?.length ?? file.size,
      "content-type": TYPES[type] ?? "application/octet-stream",
    });
    if (request.method === "HEAD") response.end();
    else if (bytes) response.end(bytes);
    else pipeline(createReadStream(file.path), response, () => {}); // closes both, whatever ends
  });
  await new Promise((started, failed) => {
    server.once("error", failed).listen(port, host, () => started(undefined));
  });
  const at = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    address: `http://${host}:${at.port}${base}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/**
 * The headers that a folder's `_headers` file has for all of its files, as static hosts read it.
 *
 * @param {string} root
 * @returns {Promise<Record<string, string>>} by name in lower case; none where there is no such file
 */
async function headersOf(root) {
  const text = await readFile(join(root, "_headers"), "utf8").catch(() => "");
  const [, block = ""] = text.split(/^\/\*$/m);
  const lines = [...block.matchAll(/^ +([\w-]+): (.+)$/gm)];
  return Object.fromEntries(lines.map(([, name, value]) => [name.toLowerCase(), value]));
}

/**
 * The path below `base` that is asked for, without a leading slash.
 *
 * @param {string} base
 * @param {string} url
 */
function pathIn(base, url) {
  let path;
  try {
    path = decodeURIComponent(new URL(url, "http://localhost").pathname);
  } catch {
    return undefined;
  }
  if (!path.startsWith(base) || path.includes("\0")) return undefined;
  const below = path.slice(base.length);
  return below === "" || below.endsWith("/") ? `${below}index.html` : below;
}

/**
 * The file at a path, unless it lies outside of the folders that are served.
 *
 * @param {string} path
 * @param {string} root
 * @param {Record<string, string>} mounts
 */
async function find(path, root, mounts) {
  const mount = Object.keys(mounts).find((name) => path === name || path.startsWith(`${name}/`));
  const folder = resolve(mount === undefined ? root : mounts[mount]);
  const wanted = mount === undefined ? path : path.slice(mount.length);
  const file = join(folder, wanted);
  if (file !== folder && !file.startsWith(folder.endsWith(sep) ? folder : folder + sep)) return;
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() ? { path: file, size: found.size, changed: found.mtimeMs } : undefined;
}

if (argv[1] && resolve(argv[1]) === fileURLToPath(import.meta.url)) {
  const port = Number(env.PORT ?? 8080);
  try {
    const { address } = await serve({ port, host: env.HOST });
    console.log(`captcha-lens is at ${address} (Ctrl+C ends it)`);
  } catch (error) {
    const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
    console.error(taken ? `Port ${port} is taken; choose another: PORT=8081` : error);
    exit(1);
  }
}
