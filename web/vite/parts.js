// @ts-check
/** Inserts the parts that the pages share: `<!-- insert NAME -->` stands for `parts/NAME.html`. */

import { readFileSync } from "node:fs";

/** @import { Plugin } from "vite" */

const MARK = /^( *)<!-- insert (\w+) -->$/gm;

/**
 * A page with its parts. The link to the page itself is marked.
 *
 * @param {string} html
 * @param {string} name of the page's file
 */
export function insertParts(html, name) {
  const link = `<a href="${name === "index.html" ? "./" : name}"`;
  return html.replace(MARK, (_, indent, part) =>
    readFileSync(new URL(`../parts/${part}.html`, import.meta.url), "utf8")
      .trimEnd()
      .replace(link, `${link} aria-current="page"`)
      .replace(/^(?=.)/gm, indent),
  );
}

/** @returns {Plugin} */
export function parts() {
  return {
    name: "parts",
    transformIndexHtml: {
      order: "pre", // Vite then finds the files that the parts name
      handler: (html, { filename }) => insertParts(html, filename.replace(/^.*[\\/]/, "")),
    },
  };
}
