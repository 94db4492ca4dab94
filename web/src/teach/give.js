// @ts-check
/** The first step of the teach page: images in, labels on. */

import { findImages } from "../audit/files.js";
import { labelsFromLaterFiles } from "../audit/labels.js";
import { describeOmitted, describeUnmatchedLabels } from "../audit/notes.js";
import { imageCount } from "../common/format.js";
import { isRandomLook } from "../common/random-looks.js";
import { LensError } from "../lib/errors.js";
import { describeGiven } from "./checks.js";
import {
  MAX_IMAGES,
  addImages,
  changeImages,
  changesForNames,
  labelProblem,
  normalizeLabel,
  removeImages,
} from "./images.js";
import { idMaker, labelsOf, openImage } from "./intake.js";
import { currentOf, hold, jumpTo, move } from "./labelling.js";

/** @import { FoundFiles, InputFile } from "../audit/files.js" */
/** @import { LabelFile } from "../audit/types.js" */
/** @import { Guesser } from "./guesser.js" */
/** @import { Given } from "./checks.js" */
/** @import { GivenImage } from "./images.js" */
/** @import { Keeper } from "./keeper.js" */
/** @import { PageState } from "./page-state.js" */
/** @import { LabelSource, TeachImage } from "./types.js" */

/** Images that are added and kept at a time. */
const BATCH = 20;

/**
 * @typedef {object} Tools
 * @property {(file: Blob) => Promise<Blob>} convert makes a PNG file of an image of another format
 * @property {(options: { seed: number, style?: string, look?: number }) => Promise<{ file: Blob, text: string }>} draw
 */

export class GiveController {
  #page;
  #keeper;
  #guesser;
  #tools;
  #newId = idMaker();
  /** Files are taken one after the other. @type {Promise<void>} */
  #taking = Promise.resolve();
  /** Ends taking or drawing images. */
  #stop = new AbortController();
  /** The images that were given last, and what else is to be said of them. @type {{ given: Given, more: string[] } | null} */
  #last = null;

  /**
   * @param {PageState} page
   * @param {Keeper} keeper
   * @param {Guesser} guesser
   * @param {Tools} tools
   */
  constructor(page, keeper, guesser, tools) {
    this.#page = page;
    this.#keeper = keeper;
    this.#guesser = guesser;
    this.#tools = tools;
  }

  /**
   * Adds the images among the files. Label files alone are for the images that are there.
   *
   * @param {Promise<InputFile[]>} files
   * @param {{ named?: boolean }} [options] whether file names may be labels
   */
  receive(files, { named = true } = {}) {
    return this.#take(async (signal) => {
      this.#work("Looking for images", 0);
      const found = await findImages(await files);
      if (found.images.length > 0) await this.#addFiles(found, named, signal);
      else this.#relabel(found.labelFiles);
    });
  }

  /**
   * Draws images in a look of the generator.
   *
   * @param {{ style: string, count: number }} options `style`: the name of a look, that of random looks,
   *   or empty for the first one
   */
  draw({ style, count }) {
    return this.#take(async (signal) => {
      const first = Math.floor(Math.random() * 2 ** 40);
      const options = { style: style || undefined, look: isRandomLook(style) ? first : undefined };
      const given = nothingGiven(false);
      await this.#inBatches(count, signal, "Drawing images", given, async (i) => {
        const seed = first + i;
        const { file, text } = await this.#tools.draw({ seed, ...options });
        const bytes = new Uint8Array(await file.arrayBuffer());
        const path = `${style || "words"}/${seed}.png`;
        const source = /** @type {LabelSource} */ ("drawn");
        return { id: this.#newId(), path, bytes, label: normalizeLabel(text), source, error: null };
      });
      this.#tell(given);
    });
  }

  /** Ends taking or drawing images. Those that were added stay. */
  cancel() {
    this.#stop.abort();
    this.#guesser.cancel();
    this.#page.set({ work: null });
  }

  /** Keeps the image in the labeller in its place, because the user has started to type. */
  hold() {
    const { images, labelling } = this.#page.current;
    this.#page.set({ labelling: hold(images, labelling) });
  }

  /** @param {1 | -1} by */
  move(by) {
    const { images, labelling } = this.#page.current;
    this.#page.set({ labelling: move(images, labelling, by), labelProblem: "" });
  }

  /** @param {string} id of the image to show in the labeller */
  jumpTo(id) {
    const { images, labelling } = this.#page.current;
    this.#page.set({ labelling: jumpTo(images, labelling, id), labelProblem: "" });
  }

  /**
   * Labels the image in the labeller, and goes on to the next one.
   *
   * @param {string} text
   */
  label(text) {
    const { images, labelling } = this.#page.current;
    const { image } = currentOf(images, labelling);
    if (!image) return;
    const label = normalizeLabel(text);
    const problem = labelProblem(label);
    if (problem) return this.#page.set({ labelProblem: problem });
    // Its place is taken before the label changes the order.
    this.#page.set({ labelling: hold(images, labelling) });
    this.#change(new Map([[image.id, { label, source: /** @type {LabelSource} */ ("typed") }]]));
    this.move(1);
  }

  /** Removes the label of the image in the labeller. */
  unlabel() {
    const { images, labelling } = this.#page.current;
    const { image } = currentOf(images, labelling);
    if (!image) return;
    this.#page.set({ labelling: hold(images, labelling) });
    this.#change(new Map([[image.id, { label: null, source: null }]]));
  }

  /** @param {boolean} named whether the labels of unlabelled images come from their file names */
  useNames(named) {
    this.#change(changesForNames(this.#page.current.images, named));
  }

  /** @param {string[]} ids of the images to remove */
  remove(ids) {
    const removed = new Set(ids);
    const before = this.#page.current.images;
    const images = removeImages(before, removed);
    this.#page.set({ images, labelProblem: "" });
    const known = new Set(before);
    void this.#keeper.putImages(images.filter((image) => !known.has(image)));
    void this.#keeper.removeImages(ids);
  }

  /**
   * Reads images without a guess, those without a label first. Where the model has changed, earlier
   * guesses of unlabelled images are replaced.
   *
   * @param {{ anew?: boolean }} [options]
   */
  async guess({ anew = false } = {}) {
    if (this.#page.busy) return;
    if (anew) {
      await this.#guesser.dispose();
      const old = this.#page.current.images.filter(({ label, guess }) => label === null && guess);
      this.#change(new Map(old.map(({ id }) => [id, { guess: null }])));
    }
    const unread = this.#page.current.images.filter(
      ({ error, guess, source }) => error === null && guess === null && source !== "drawn",
    );
    if (unread.length === 0) return;
    const labelLast = (/** @type {TeachImage} */ { label }) => (label === null ? 0 : 1);
    unread.sort((a, b) => labelLast(a) - labelLast(b));
    try {
      await this.#guesser.read(unread, (guesses, fraction) => {
        this.#change(guesses);
        this.#tellBroken(guesses);
        this.#work("Reading the images", fraction);
      });
    } catch (error) {
      this.#page.fail("give", error);
    }
    this.#page.set({ work: null });
  }

  /**
   * @param {(signal: AbortSignal) => Promise<void>} task
   * @returns {Promise<void>}
   */
  #take(task) {
    this.#taking = this.#taking.then(async () => {
      this.#stop = new AbortController();
      this.#guesser.cancel();
      this.#page.clearError("give");
      this.#page.set({ note: "" });
      this.#last = null;
      try {
        await task(this.#stop.signal);
      } catch (error) {
        this.#page.fail("give", error);
      }
      this.#page.set({ work: null });
      void this.guess();
    });
    return this.#taking;
  }

  /**
   * @param {FoundFiles} found
   * @param {boolean} mayName
   * @param {AbortSignal} signal
   */
  async #addFiles(found, mayName, signal) {
    const { labels, source } = labelsOf(found, mayName);
    const { images, labelFiles } = found;
    const given = nothingGiven(source === "name");
    await this.#inBatches(images.length, signal, "Opening images", given, (i) => {
      const about = { id: this.#newId(), label: labels[i], source };
      return openImage(images[i], about, this.#tools.convert);
    });
    const unmatched =
      source !== "file" && labelFiles.length > 0 ? describeUnmatchedLabels(labelFiles) : "";
    this.#tell(given, [describeOmitted(found), unmatched]);
  }

  /**
   * Says what happened to the images that were given.
   *
   * @param {Given} given
   * @param {string[]} [more]
   */
  #tell(given, more = []) {
    this.#last = { given, more };
    this.#page.set({ note: [describeGiven(given), ...more].filter(Boolean).join(" ") });
  }

  /**
   * Says so if images that were given last cannot be read.
   *
   * @param {ReadonlyMap<string, Partial<TeachImage>>} guesses
   */
  #tellBroken(guesses) {
    if (!this.#last) return;
    const { given, more } = this.#last;
    const images = given.images.map((image) => ({ ...image, ...guesses.get(image.id) }));
    const isNew = images.some(({ error }, i) => error !== given.images[i].error);
    if (isNew) this.#tell({ ...given, images }, more);
  }

  /**
   * Makes images and adds them in batches, up to the page's limit.
   *
   * @param {number} count
   * @param {AbortSignal} signal
   * @param {string} words
   * @param {Given} given is filled
   * @param {(i: number) => Promise<GivenImage>} make
   */
  async #inBatches(count, signal, words, given, make) {
    for (let from = 0; from < count && !signal.aborted; from += BATCH) {
      this.#work(words, from / count);
      if (this.#page.current.images.length >= MAX_IMAGES) {
        given.tooMany += count - from;
        return;
      }
      const batch = [];
      for (let i = from; i < Math.min(from + BATCH, count); i++) batch.push(await make(i));
      this.#add(batch, given);
    }
  }

  /**
   * @param {GivenImage[]} batch
   * @param {Given} given
   */
  #add(batch, given) {
    const before = new Set(this.#page.current.images);
    const { images, added, known, tooMany } = addImages(this.#page.current.images, batch);
    this.#page.set({ images });
    void this.#keeper.putImages(images.filter((image) => !before.has(image)));
    given.images.push(...added);
    given.known += known;
    given.tooMany += tooMany;
  }

  /**
   * Takes labels for the images that are there.
   *
   * @param {LabelFile[]} files
   */
  #relabel(files) {
    const { images } = this.#page.current;
    if (images.length === 0) {
      throw new LensError("no-images", "There are labels but no images. Choose the images first.");
    }
    const paths = images.map(({ path }) => path);
    const labels = labelsFromLaterFiles(paths, files).map((label) => normalizeLabel(label ?? ""));
    const source = /** @type {LabelSource} */ ("file");
    const changes = new Map(
      images.flatMap(({ id }, i) => (labels[i] ? [[id, { label: labels[i], source }]] : [])),
    );
    if (changes.size === 0) throw new LensError("no-images", describeUnmatchedLabels(files));
    this.#change(/** @type {Map<string, Partial<TeachImage>>} */ (changes));
    this.#page.set({ note: `Labels added to ${imageCount(changes.size)}.` });
  }

  /** @param {Map<string, Partial<TeachImage>>} changes by image */
  #change(changes) {
    if (changes.size === 0) return;
    const images = changeImages(this.#page.current.images, changes);
    this.#page.set({ images, labelProblem: "" });
    void this.#keeper.putImages(images.filter(({ id }) => changes.has(id)));
  }

  /**
   * @param {string} words
   * @param {number} fraction
   */
  #work(words, fraction) {
    this.#page.set({ work: { words, fraction } });
  }
}

/**
 * Before the first image of those that are given.
 *
 * @param {boolean} named whether the labels come from the file names
 * @returns {Given}
 */
function nothingGiven(named) {
  return { images: [], named, known: 0, tooMany: 0 };
}
