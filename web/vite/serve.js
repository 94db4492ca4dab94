// @ts-check
/**
 * Serves the built page as a static host does: compressed where there is a compressed file, with the
 * headers of `_headers`.
 */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import sirv from "sirv";

/** @import { Connect, Plugin } from "vite" */

/** @returns {Plugin} */
export function serveBuilt() {
  return {
    name: "serve-built",
    configurePreviewServer({ config, middlewares }) {
      const folder = resolve(config.root, config.build.outDir);
      middlewares.use(config.base, sendHeaders(folder));
      middlewares.use(config.base, serveFolder(folder));
    },
  };
}

/**
 * The files of a folder. They are looked for at each request.
 *
 * @param {string} folder
 */
export function serveFolder(folder) {
  return sirv(folder, { dev: true, etag: true, brotli: true });
}

/**
 * Sends the headers of a folder's `_headers` file, also with the answer that a file has not changed.
 *
 * @param {string} folder
 * @returns {Connect.NextHandleFunction}
 */
export function sendHeaders(folder) {
  const rules = readHeaders(folder);
  return (request, response, next) => {
    const [path] = (request.url ?? "").split("?");
    for (const { pattern, headers } of rules) {
      if (!pattern.test(path)) continue;
      for (const [name, value] of headers) response.setHeader(name, value);
    }
    next();
  };
}

/** @typedef {{ pattern: RegExp, headers: [name: string, value: string][] }} HeaderRule */

/**
 * The rules of a folder's `_headers` file, as static hosts read it: a path with `*` for any
 * characters, then its headers, indented.
 *
 * @param {string} folder
 * @returns {HeaderRule[]}
 */
export function readHeaders(folder) {
  /** @type {HeaderRule[]} */
  const rules = [];
  for (const line of readFileSync(join(folder, "_headers"), "utf8").split("\n")) {
    const header = /^\s+([\w-]+): (.+)$/.exec(line);
    if (line.startsWith("/")) {
      const pattern = line.trim().replace(/[.+?()[\]]/g, "\\$&");
      rules.push({ pattern: new RegExp(`^${pattern.replaceAll("*", ".*")}$`), headers: [] });
    } else if (header) rules.at(-1)?.headers.push([header[1], header[2]]);
  }
  return rules;
}
