#!/usr/bin/env node
// @ts-check
/**
 * Measures how the cost of a reading grows, in headless Chromium on the CPU with the weights
 * `general`: `node tests/e2e/bench-cost.mjs`, after `./build.sh web`. Prints a table, and writes it to
 * docs/performance.md and the plot to docs/figures/cost.svg.
 *
 * The variants of a series are read in turn, so that a change of the machine's speed meets all.
 */

import { readFile, writeFile } from "node:fs/promises";
import { launch } from "./browser.mjs";
import { costPlot } from "./cost-plot.mjs";
import { SOURCES, serve } from "./site.mjs";

const ROUNDS = 15;
/** Of an image. */
const PIXELS = 12_000;
const DOCUMENT = new URL("../../docs/performance.md", import.meta.url);
const PLOT = new URL("../../docs/figures/cost.svg", import.meta.url);
/** What the table is between, in the document. */
const [START, END] = ["<!-- cost: start -->", "<!-- cost: end -->"];

/**
 * Something that a call reads, and how.
 *
 * @typedef {object} Variant
 * @property {number} value what the series changes
 * @property {string} look of the generator
 * @property {number} [length] characters of the text
 * @property {number} [proportions] width by height that the image is stretched to
 * @property {number} [images] of a call; one by default
 * @property {number} [alternatives]
 */

/** A look of ten characters and the proportions 4:1. */
const WIDE = "wide-ten";

/** @type {{ title: string, unit: string, variants: Variant[] }[]} */
const series = [
  {
    title: "Images in a call",
    unit: "ms a call",
    variants: [1, 4, 16, 64].map((value) => ({ value, look: "words", images: value })),
  },
  {
    title: "Images in a call",
    unit: "ms an image",
    variants: [1, 4, 16, 64].map((value) => ({ value, look: "words", images: value })),
  },
  {
    title: "Alternatives",
    unit: "ms an image",
    variants: [0, 1, 2, 5, 10].map((value) => ({ value, look: WIDE, alternatives: value })),
  },
  {
    title: "Width by height of the image",
    unit: "ms an image",
    variants: [1, 1.5, 2, 3, 4].map((value) => ({ value, look: "words", proportions: value })),
  },
  {
    title: "Characters of the text",
    unit: "ms an image",
    variants: [
      ...[4, 6, 8].map((value) => ({ value, look: "digits-handwritten", length: value })),
      { value: 10, look: WIDE },
      { value: 16, look: "serial-sixteen" },
    ].map((variant) => ({ ...variant, proportions: 4 })),
  },
];

const site = await serve({ folders: SOURCES });
const browser = await launch({ webgpu: false });
const page = await browser.newPage();
page.setDefaultTimeout(0);
await page.goto(`${site.address}manifest.webmanifest`);
const milliseconds = await page.evaluate(measure, { series, rounds: ROUNDS, pixels: PIXELS });
await browser.close();
await site.close();

const results = series.map(({ variants, ...rest }, i) => ({
  ...rest,
  points: variants.map(({ value, images = 1 }, j) => {
    const time = median(milliseconds[i][j]);
    return { value, time: rest.unit === "ms an image" ? time / images : time };
  }),
}));
const table = results.map(({ title, unit, points }) => {
  const cells = points.map(({ value, time }) => `${value}: ${time.toFixed(1)}`);
  return `| ${title} | ${unit} | ${cells.join(", ")} |`;
});
const lines = ["| | | value: time |", "|---|---|---|", ...table];
console.log(lines.join("\n"));
const text = await readFile(DOCUMENT, "utf8");
const [before, after] = [text.split(START)[0], text.split(END)[1]];
if (!text.includes(START) || after === undefined)
  throw new Error(`${START} and ${END} are missing`);
await writeFile(DOCUMENT, `${before}${START}\n\n${lines.join("\n")}\n\n${END}${after}`);
await writeFile(PLOT, costPlot(results));

/** @param {number[]} values */
function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/**
 * Runs in the page: the milliseconds of each call, for each variant of each series.
 *
 * @param {{ series: { variants: Variant[] }[], rounds: number, pixels: number }} what
 */
async function measure({ series, rounds, pixels }) {
  const at = (/** @type {string} */ path) => new URL(path, location.href).href;
  /** @type {{ Recognizer: typeof import("../../web/src/lib/client.js").Recognizer }} */
  const { Recognizer } = await import(at("/src/lib/client.js"));
  /** @type {typeof import("../../web/pkg/captcha_synth_wasm.js")} */
  const { default: init, draw } = await import(at("/pkg/captcha_synth_wasm.js"));
  await init();
  const options = { weights: at("/models/general.safetensors"), concurrency: 1 };
  const lens = await Recognizer.load({ ...options, backend: "cpu" });
  /**
   * The image of a variant. Stretched images have the same number of pixels, so that decoding the
   * file takes the same time.
   *
   * @param {Variant} variant
   * @param {number} seed
   */
  const image = async ({ look, length, proportions }, seed) => {
    const { width, height, rgba } = draw({ seed, style: look, length });
    const bitmap = await createImageBitmap(new ImageData(rgba, width, height));
    const ratio = proportions ?? width / height;
    const rows = Math.sqrt(pixels / ratio);
    const canvas = new OffscreenCanvas(Math.round(ratio * rows), Math.round(rows));
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return canvas.convertToBlob();
  };
  const times = series.map(({ variants }) => variants.map(() => /** @type {number[]} */ ([])));
  for (const [i, { variants }] of series.entries()) {
    const sets = await Promise.all(
      variants.map((variant) =>
        Promise.all(Array.from({ length: variant.images ?? 1 }, (_, seed) => image(variant, seed))),
      ),
    );
    // The first round warms up.
    for (let round = -1; round < rounds; round++) {
      for (const [j, { alternatives = 0 }] of variants.entries()) {
        const started = performance.now();
        await lens.recognizeAll(sets[j], { alternatives });
        if (round >= 0) times[i][j].push(performance.now() - started);
      }
    }
  }
  lens.close();
  return times;
}
