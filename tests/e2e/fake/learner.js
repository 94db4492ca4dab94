// @ts-check
/**
 * Takes the place of the learner: it learns nothing, in 20 short steps, and then reads all images
 * kept back but each third one correctly.
 */

const STEPS = 20;
/** Milliseconds of a step; tests change it. */
const STEP_MILLISECONDS = () => /** @type {any} */ (globalThis).fakeStep ?? 20;
const GRID = { rows: 2, cols: 8 };

export class Learner {
  #options;
  #paused = false;
  #stopped = false;
  plan;

  /**
   * @param {any} options
   * @param {(progress: { stage: string, fraction: number }) => void} [onProgress]
   */
  static async open(options, onProgress) {
    onProgress?.({ stage: "Decoding the images", fraction: 1 });
    return new Learner(options);
  }

  /** @param {any} options */
  constructor(options) {
    this.#options = options;
    const all = [...options.images.keys()];
    const labels = options.images.map((/** @type {{ label: string }} */ { label }) => label);
    const isKept = (/** @type {number} */ i) => i % 6 === 5;
    this.plan = {
      alphabet: [...new Set(labels.join(""))].sort().join(""),
      maxLength: Math.max(...labels.map((/** @type {string} */ label) => [...label].length)),
      input: [60, 160],
      // As in the real one, some of the labels of a learning curve choose the network.
      training: all
        .filter((i) => !isKept(i))
        .slice(0, options.labels && options.labels - Math.floor(options.labels / 6)),
      validation: all.filter(isKept),
      available: all.filter((i) => !isKept(i)).length,
      notes: [],
    };
  }

  /** @param {any} events */
  async learn({ onStep, onValidation, onReadings, onSave, watch = [] }) {
    const { saved, minutes, images, weights } = this.#options;
    const { validation } = this.plan;
    const history = [];
    for (let step = 1 + (saved?.[0] ?? 0); step <= STEPS; step++) {
      do await new Promise((resolve) => setTimeout(resolve, STEP_MILLISECONDS()));
      while (this.#paused && !this.#stopped);
      if (this.#stopped) break;
      const seconds = (step / STEPS) * minutes * 60;
      const loss = 8 / step;
      onStep?.({
        step,
        done: step / STEPS,
        images: 8 * step,
        imagesPerSecond: 42,
        workers: 2,
        loss,
        seconds,
      });
      if (step % 4 === 0) {
        const exactMatches = Math.round(((step / STEPS) * 2 * validation.length) / 3);
        const report = { step, trainingLoss: loss, validationLoss: loss + 0.5, exactMatches };
        history.push({ ...report, seconds });
        onValidation?.({ ...report, seconds });
        onReadings?.(watch.map((/** @type {number} */ i) => reading(images[i].label)));
        onSave?.(Uint8Array.of(step));
      }
    }
    const readings = validation.map((index, i) => {
      const { label } = images[index];
      const text = i % 3 === 0 ? misread(label) : label;
      return { index, text, confidence: i % 3 === 0 ? 0.4 : 0.9 };
    });
    const exactMatches = readings.filter(({ index, text }) => text === images[index].label).length;
    return {
      weights,
      end: this.#stopped ? "interrupted" : "finished",
      exactMatches,
      validationImages: validation.length,
      temperature: null,
      readings,
      history,
    };
  }

  /** The real one. @param {any} curve */
  async learningCurve(curve) {
    const address = "../../pkg/captcha_learning_wasm.js";
    const module = await import(address);
    await module.default();
    return JSON.parse(module.learningCurve(JSON.stringify(curve)));
  }

  pause() {
    this.#paused = true;
  }

  resume() {
    this.#paused = false;
  }

  stop() {
    this.#stopped = true;
  }

  dispose() {
    this.#stopped = true;
  }
}

/**
 * The label with another first character: reversed, a palindrome would be read correctly.
 *
 * @param {string} label
 */
const misread = (label) => (label.startsWith("a") ? "b" : "a") + label.slice(1);

/** @param {string} text */
function reading(text) {
  const cells = GRID.rows * GRID.cols;
  const characters = [...text].map((character, place) => ({
    character,
    confidence: 0.9,
    attention: Float32Array.from({ length: cells }, (_, i) => (i % GRID.cols === place ? 0.5 : 0)),
    alternatives: [],
  }));
  return { text, confidence: 0.8, characters, grid: GRID, width: 160, height: 60 };
}
