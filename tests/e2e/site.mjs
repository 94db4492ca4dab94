// @ts-check
/** Servers for tests: Vite's preview server with the built page or with other folders. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { preview } from "vite";
import { insertParts } from "../../web/vite/parts.js";
import { sendHeaders, serveFolder } from "../../web/vite/serve.js";
import { WEB } from "./lens-page.mjs";

/** @import { Connect } from "vite" */

/** The built page from `./build.sh web`. */
export const DIST = join(WEB, "dist");
/** The sources, which a browser runs without a build. For tests of one module, and for `mounts`. */
export const SOURCES = [WEB, join(WEB, "public")];

/** The pages of the site. */
const PAGES = ["index.html", "audit.html", "teach.html"];

const TYPES = /** @type {Record<string, string>} */ ({
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
});

/**
 * Starts a server, which the caller closes.
 *
 * @param {object} [site]
 * @param {string[]} [site.folders] folders to search for files; the built page by default
 * @param {string} [site.base] base path, such as `/some/where/`
 * @param {Record<string, string>} [site.mounts] folders or files that replace paths below `base`
 * @returns {Promise<{ address: string, close: () => Promise<void> }>}
 */
export async function serve({ folders = [DIST], base = "/", mounts = {} } = {}) {
  const server = await preview({
    configFile: false,
    appType: "mpa",
    base,
    build: { outDir: folders[0] },
    preview: { host: "127.0.0.1", port: 0 },
    logLevel: "error",
    plugins: [
      {
        name: "site",
        configurePreviewServer({ middlewares }) {
          for (const folder of folders) {
            if (existsSync(join(folder, "_headers"))) middlewares.use(base, sendHeaders(folder));
          }
          middlewares.use(base, serveMounts(mounts));
          if (folders.includes(WEB)) middlewares.use(base, servePages());
          for (const folder of folders) middlewares.use(base, serveFolder(folder));
        },
      },
    ],
  });
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.httpServer.address());
  return { address: `http://127.0.0.1:${port}${base}`, close: () => server.close() };
}

/**
 * The pages of the sources, as Vite serves them.
 *
 * @returns {Connect.NextHandleFunction}
 */
function servePages() {
  return async ({ url = "/" }, response, next) => {
    const path = new URL(url, "http://localhost").pathname.slice(1) || "index.html";
    if (!PAGES.includes(path)) return next();
    response.writeHead(200, { "content-type": "text/html;charset=utf-8" });
    response.end(insertParts(await readFile(join(WEB, path), "utf8"), path));
  };
}

/**
 * @param {Record<string, string>} mounts
 * @returns {Connect.NextHandleFunction}
 */
function serveMounts(mounts) {
  return async ({ url = "/" }, response, next) => {
    const path = new URL(url, "http://localhost").pathname.slice(1);
    const name = Object.keys(mounts).find((name) => path === name || path.startsWith(`${name}/`));
    if (name === undefined) return next();
    const file = join(mounts[name], path.slice(name.length));
    const bytes = await readFile(file).catch(() => undefined);
    response.writeHead(bytes ? 200 : 404, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    });
    response.end(bytes);
  };
}
