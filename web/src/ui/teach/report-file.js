// @ts-check
/**
 * The audit report as one HTML file, as it is printed: all rows, no scripts, pictures inside.
 * `captcha-lens audit` writes such a file with the report's scripts.
 */

import { renderReport } from "../report/report.js";

/** @import { AuditData, AuditItem } from "../../audit/types.js" */

/** A report whose pictures are files. @typedef {AuditData & { file: (item: AuditItem) => Blob | null }} FileReport */

const PAGE =
  "body { padding: clamp(1rem, 3vw, 2.5rem); } h1, main { max-width: 72rem; margin: 0 auto var(--gap); }";
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/**
 * @param {string} title
 * @param {FileReport} report
 * @returns {Promise<Blob>}
 */
export async function reportFile(title, report) {
  const file = document.implementation.createHTMLDocument(title);
  const main = document.createElement("main");
  main.className = "report";
  /** @type {Promise<string | null>[]} */
  const pictures = [];
  renderReport(main, {
    ...report,
    picture(item) {
      const blob = report.file(item);
      const address = blob ? dataUrl(blob) : Promise.resolve(null);
      pictures.push(address);
      return address;
    },
  });
  await Promise.all(pictures);
  makeStatic(main);
  const heading = document.createElement("h1");
  heading.textContent = title;
  file.body.append(heading, main);
  file.documentElement.lang = "en";
  file.head.prepend(
    meta({ charset: "utf-8" }),
    meta({ name: "viewport", content: "width=device-width, initial-scale=1" }),
    meta({ name: "color-scheme", content: "light dark" }),
    meta({ "http-equiv": "Content-Security-Policy", content: POLICY }),
  );
  const [start, end] = new XMLSerializer().serializeToString(file).split("</head>");
  // As an element, the styles would be blocked by this page's policy, and escaped.
  const style = `<style>\n${styles()}\n${PAGE}\n</style>`;
  return new Blob([start, style, "</head>", end], { type: "text/html" });
}

/**
 * Shows everything, and removes the controls, which need scripts.
 *
 * @param {HTMLElement} report
 */
function makeStatic(report) {
  for (const more of report.querySelectorAll("section > button")) {
    while (more instanceof HTMLButtonElement && !more.hidden) more.click();
    more.remove();
  }
  for (const button of report.querySelectorAll("th button")) {
    button.replaceWith(button.textContent ?? "");
  }
  for (const image of report.querySelectorAll("img")) image.removeAttribute("loading");
  for (const tools of report.querySelectorAll(".report-downloads, .report-tools")) tools.remove();
  for (const sorted of report.querySelectorAll("[aria-sort]")) sorted.removeAttribute("aria-sort");
}

/** The rules of the page's style sheets. */
function styles() {
  const rulesOf = (/** @type {CSSStyleSheet} */ sheet) =>
    [...sheet.cssRules]
      .map(
        /** @returns {string} */ (rule) =>
          rule instanceof CSSImportRule && rule.styleSheet
            ? rulesOf(rule.styleSheet)
            : rule.cssText,
      )
      .join("\n");
  return [...document.styleSheets].map(rulesOf).join("\n");
}

/** @param {Record<string, string>} attributes */
function meta(attributes) {
  const made = document.createElement("meta");
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
