// @ts-check
/**
 * Replaces the generated engine, to cause errors that the real one cannot be made to show. It reads
 * every image as the same word. The width of the image selects the error.
 */

// The worker looks for an adapter before it loads the module for WebGPU.
if (typeof WorkerGlobalScope !== "undefined") {
  const adapter = { features: new Set(["timestamp-query"]) };
  const value = { requestAdapter: async () => adapter };
  Object.defineProperty(navigator, "gpu", { value, configurable: true });
}

export const FAULTS = {
  /** A panic: the instance is unusable and the promise never settles. */
  panic: 13,
  /** The GPU is lost. On the CPU there is no error. */
  lost: 17,
  /** A reading that first requests `held`, so that a test decides when it ends. */
  held: 19,
  /** Weights that cannot be used: nothing can be read. */
  badWeights: 23,
  /** A reading with very low confidence. */
  lowConfidence: 29,
  /** A reading with medium confidence. */
  mediumConfidence: 41,
  /** A reading that takes much memory, as that of a large photo. */
  large: 43,
  /** A blank image. */
  blank: 31,
  /** An image that is not blank and in which no text is found. */
  noText: 37,
};

/** Pages of 64 KB that a large photo takes. */
const LARGE_PAGES = 2000;

/** Confidence of the text, by the width of the image. @type {Record<number, number>} */
const CONFIDENCES = { [FAULTS.lowConfidence]: 1e-4, [FAULTS.mediumConfidence]: 0.461 };

/** Words and the columns of their characters in a 6 x 12 grid. */
const CHARACTERS = [
  { character: "t", confidence: 0.9991, row: 3.1, col: 5.1 },
  { character: "h", confidence: 0.982, row: 2.9, col: 6.9 },
  { character: "u", confidence: 0.871, row: 3.6, col: 8.3 },
  { character: "s", confidence: 0.99996, row: 3.5, col: 10.2 },
];
const TEXTS = [
  { text: "thus", confidence: 0.853 },
  { text: "thos", confidence: 0.0781 },
  { text: "this", confidence: 0.0312 },
  { text: "thns", confidence: 0.00991 },
  { text: "tus", confidence: 0.0003 },
];
const GRID = { rows: 6, cols: 12 };
const MILLISECONDS = /** @type {Record<string, object>} */ ({
  cpu: { decode: 2.31, preprocess: 0.42, encode: 6.02, read: 4.4, total: 13.15 },
  webgpu: { decode: 2.31, preprocess: 0.42, encode: 1.27, read: 1.0, total: 5.0 },
});

/**
 * The reading of an image of this width: as long as a text can be, with characters that need care.
 * `glyphs` is each of them on its own.
 */
export const LONG = {
  width: 640,
  text: "aZ7 \"<&'x\u0301,=\u05d0\u05d1\u5b57\u6f22",
  glyphs: [..."aZ7\u2423\"<&'x", "\u25cc\u0301", ...",=\u05d0\u05d1\u5b57\u6f22"],
};
const LONG_GRID = { rows: 4, cols: 64 };
/** @param {number} ms */
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

const memory = new WebAssembly.Memory({ initial: 1 });

export default async function init() {
  return { memory };
}

export class Recognizer {
  backend = { kind: "webgpu", adapter: "fake adapter", reason: /** @type {string|null} */ (null) };
  config = { alphabet: "abcdefghijklmnopqrstuvwxyz", maxLength: 5, grid: GRID };

  /** @param {any} options */
  static async load({ backend, onProgress }) {
    for (const stage of ["device", "check"]) {
      for (const fraction of [0, 0.5, 1]) {
        onProgress({ stage, fraction });
        await wait(20);
      }
    }
    const made = new Recognizer();
    if (backend === "cpu")
      made.backend = { kind: "cpu", adapter: "WebAssembly SIMD", reason: null };
    return made;
  }

  /**
   * @param {Blob} image
   * @param {{ alternatives?: number }} options
   */
  async recognize(image, { alternatives = 0 } = {}) {
    const bitmap = await createImageBitmap(image).catch(() => {
      throw Object.assign(new Error("This is not an image that can be read."), {
        code: "unreadable-image",
      });
    });
    const { width, height } = bitmap;
    if (width === FAULTS.held) await fetch("held");
    if (width === FAULTS.large) memory.grow(LARGE_PAGES);
    if (width === FAULTS.panic) {
      self.reportError(new Error("panicked at fake.rs"));
      await new Promise(() => {});
    }
    if (width === FAULTS.lost && this.backend.kind === "webgpu") {
      throw Object.assign(new Error("The device stopped answering."), { code: "device-lost" });
    }
    if (width === FAULTS.badWeights) {
      throw Object.assign(new Error("These are no weights."), { code: "bad-weights" });
    }
    if (width === LONG.width) return this.#readLong(width, height, alternatives);
    const blank = width === FAULTS.blank;
    const empty = blank || width === FAULTS.noText;
    const characters = (empty ? [] : CHARACTERS).map(({ character, confidence, row, col }) => ({
      character,
      confidence,
      attention: spot(row, col),
      alternatives: [
        { character, confidence },
        { character: "o", confidence: (1 - confidence) * 0.6 },
        { character: null, confidence: (1 - confidence) * 0.3 },
      ],
    }));
    return {
      text: characters.map(({ character }) => character).join(""),
      confidence: CONFIDENCES[width] ?? (empty ? 0.998 : 0.853),
      blank,
      characters,
      grid: GRID,
      alternatives: (empty ? [{ text: "", confidence: 0.998 }] : TEXTS).slice(0, alternatives),
      milliseconds: MILLISECONDS[this.backend.kind],
      backend: this.backend,
      width,
      height,
    };
  }

  /**
   * @param {number} width
   * @param {number} height
   * @param {number} alternatives
   */
  #readLong(width, height, alternatives) {
    const all = [...LONG.text];
    const texts = [LONG.text, `${LONG.text}!`, all.slice(1).join("")];
    return {
      text: LONG.text,
      confidence: 0.9,
      blank: false,
      characters: all.map((character, i) => ({
        character,
        confidence: 0.99,
        attention: spot(2, ((i + 0.5) / all.length) * LONG_GRID.cols, LONG_GRID),
        alternatives: [
          { character, confidence: 0.99 },
          { character: " ", confidence: 0.001 },
        ],
      })),
      grid: LONG_GRID,
      alternatives: texts
        .map((text, i) => ({ text, confidence: 0.9 / 10 ** i }))
        .slice(0, alternatives),
      milliseconds: MILLISECONDS[this.backend.kind],
      backend: this.backend,
      width,
      height,
    };
  }

  /**
   * @param {Blob[]} images
   * @param {{ alternatives?: number }} options
   */
  async recognizeAll(images, options) {
    const answers = [];
    for (const image of images) {
      answers.push(
        await this.recognize(image, options).catch((error) => {
          if (error.code !== "unreadable-image") throw error;
          return error;
        }),
      );
    }
    return answers;
  }

  free() {}
}

/**
 * @param {number} row
 * @param {number} col
 */
function spot(row, col, { rows, cols } = GRID) {
  const weights = Float32Array.from({ length: rows * cols }, (_, i) => {
    const [dy, dx] = [Math.floor(i / cols) + 0.5 - row, (i % cols) + 0.5 - col];
    return Math.exp(-(dx * dx) / 0.5 - (dy * dy) / 1.2) + 0.004;
  });
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
