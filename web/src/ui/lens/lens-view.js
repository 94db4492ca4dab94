// @ts-check
/**
 * The lens page as the controller sees it. Only the folder `ui` uses the document. User actions are
 * passed to the handlers.
 */

import { canReadClipboard, listen } from "./input.js";
import { getById, prefersReducedMotion } from "../dom.js";
import { ExplainView } from "./explain.js";
import { ExportView } from "./export.js";
import { CharactersView } from "./characters.js";
import { PictureView } from "./picture.js";
import { ResultView } from "./result.js";
import { markSample, showSamples } from "./samples.js";
import { StatusView } from "./status.js";
import { showBackend } from "../backend-select.js";
import { OtherModelView } from "../other-model.js";

/** @import { InputImage } from "./input.js" */
/** @import { Offer } from "../../common/other-model.js" */
/** @import { Size } from "../../image/crop-geometry.js" */
/** @import { PlaybackState } from "../../lens/player.js" */
/** @import { Sample } from "../../lens/state.js" */
/** @import { PageState } from "../../common/types.js" */
/** @import { BackendPreference, Progress, Recognition, BackendStatus } from "../../lib/types.js" */

/**
 * How a reading is shown.
 *
 * @typedef {object} DisplayOptions
 * @property {boolean} first whether it is the first reading on this backend
 * @property {string | null} address of the image; `null` if the browser cannot show it
 * @property {boolean} dark whether the image is dark
 * @property {boolean} smooth whether attention is interpolated
 */

/**
 * A part of the page that shows a reading.
 *
 * @typedef {object} ReadingView
 * @property {() => void} clear
 * @property {(recognition: Recognition, options: DisplayOptions) => void} setRecognition
 * @property {(state: PlaybackState) => void} showCharacter
 */

/**
 * Handlers of user actions.
 *
 * @typedef {object} Handlers
 * @property {(input: InputImage) => void} image
 * @property {(files: FileList | null) => void} choose
 * @property {() => void} paste
 * @property {(sample: Sample) => void} sample
 * @property {(error: unknown) => void} inputError
 * @property {(backend: BackendPreference) => void} backend
 * @property {(id: string) => void} model
 * @property {() => void} retry
 * @property {() => void} togglePlay
 * @property {(by: number) => void} step
 * @property {(speed: number) => void} speed
 * @property {(index: number) => void} select
 * @property {(index: number | null) => void} hover
 */

export class LensView {
  #handlers;
  #status = new StatusView();
  #picture = new PictureView();
  #characters;
  #otherModel;
  /** @type {ReadingView[]} */
  #readingViews;
  #controls = getById("controls", HTMLElement);
  #play = getById("play", HTMLButtonElement);
  #scrub = getById("scrub", HTMLInputElement);
  #smooth = getById("smooth-toggle", HTMLInputElement);
  #opacity = getById("opacity", HTMLInputElement);
  #export = new ExportView(() => this.#exportData());
  /** @type {Recognition | undefined} */
  #recognition;
  /** The object URL of the image. @type {string | undefined} */
  #address;
  /** @type {Promise<Size | null>} */
  #pictureShown = Promise.resolve(null);
  /** Whether the first result may still scroll a new image into view. */
  #isNew = false;

  /** @param {Handlers} handlers */
  constructor(handlers) {
    this.#handlers = handlers;
    this.#characters = new CharactersView(handlers);
    this.#otherModel = new OtherModelView(handlers.model);
    const explain = new ExplainView(handlers.select);
    this.#readingViews = [this.#picture, new ResultView(), this.#characters, explain];
    this.#listenToInput();
    this.#listenToControls();
    document.body.classList.add("started");
  }

  /** Whether a reading is shown at once instead of one character at a time. */
  get reducedMotion() {
    return prefersReducedMotion();
  }

  /** @param {Sample[]} samples */
  showSamples(samples) {
    showSamples(samples, this.#handlers.sample);
  }

  /** @param {BackendPreference} backend */
  setBackendPreference(backend) {
    showBackend(backend);
  }

  /**
   * @param {PageState} state
   * @param {string} words
   * @param {string} [more] only for screen readers; visible elsewhere on the page
   */
  setState(state, words, more) {
    this.#status.setState(state, words, more);
  }

  /** @param {string | null} note about the image or about rejected input */
  setNote(note) {
    this.#status.setNote(note);
  }

  /** @param {string} remark a note that must be visible at any scroll position */
  setRemark(remark) {
    this.#status.setRemark(remark);
  }

  /** @param {Offer | null} offer of a model that can write the expected text */
  setOtherModel(offer) {
    this.#otherModel.show(offer);
  }

  /** @param {Progress} progress */
  setProgress(progress) {
    this.#status.setProgress(progress);
  }

  /** @param {BackendStatus} backend */
  setBackend(backend) {
    this.#status.setBackend(backend);
  }

  /** Resolves with the size of the image when it is shown; `null` if the browser cannot show it. */
  get pictureShown() {
    return this.#pictureShown;
  }

  /**
   * Shows the image to read and clears the previous reading. When the generator replaces its own
   * image, the previous reading stays until the next one arrives, so that the layout does not jump.
   *
   * @param {Blob | null} file `null` if there is no image
   * @param {{ note: string | null, sample: string | null, drawn: boolean, redrawn: boolean }} about
   */
  setPicture(file, { note, sample, drawn, redrawn }) {
    if (redrawn) this.markStale();
    else this.#clear();
    this.#status.setNote(note);
    markSample(sample);
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = file ? URL.createObjectURL(file) : undefined;
    if (this.#address) {
      this.#pictureShown = this.#picture.show(this.#address);
      // A generated image does not scroll the settings out of view.
      this.#isNew = !drawn;
      void this.#pictureShown.then(() => this.#reveal());
    } else {
      this.#picture.hide("No image");
      this.#pictureShown = Promise.resolve(null);
    }
  }

  /**
   * Removes the attention from the image and makes the reading inert until the next one arrives.
   */
  markStale() {
    if (!this.#recognition) return;
    this.#recognition = undefined;
    this.#picture.clear();
    this.#setInert(true);
  }

  /**
   * @param {Recognition} recognition
   * @param {{ first: boolean }} about whether it is the first reading on this backend
   */
  setRecognition(recognition, about) {
    this.#clear();
    this.#recognition = recognition;
    const { address, dark } = this.#picture;
    const options = { ...about, address, dark, smooth: this.#smooth.checked };
    for (const view of this.#readingViews) view.setRecognition(recognition, options);
    this.#controls.hidden = recognition.characters.length === 0;
    this.#scrub.max = String(recognition.characters.length);
    this.#export.update();
    // The characters above the image may have moved it.
    this.#reveal();
    this.#isNew = false;
  }

  /**
   * Shows an error.
   *
   * @param {{ code: string, message: string }} error
   * @param {object} options
   * @param {boolean} options.canRetry whether to offer a retry
   * @param {boolean} options.isLoading whether loading failed, not reading
   */
  setError(error, options) {
    this.#clear();
    if (error.code === "image-too-large") this.#picture.hide("This image is too large to show");
    this.#status.setError(error, options);
  }

  #reveal() {
    if (this.#isNew && this.#picture.reveal()) this.#isNew = false;
  }

  /** @param {PlaybackState} state */
  render(state) {
    const { shown, playing } = state;
    for (const view of this.#readingViews) view.showCharacter(state);
    this.#play.textContent = playing ? "Pause" : "Play";
    this.#play.dataset.playing = String(playing);
    this.#scrub.value = String(shown + 1);
    this.#scrub.setAttribute(
      "aria-valuetext",
      `${this.#recognition?.characters[shown]?.character ?? "none"}, ${shown + 1} of ${this.#scrub.max}`,
    );
  }

  #exportData() {
    return (
      this.#recognition && {
        recognition: this.#recognition,
        picture: this.#picture.image,
        style: {
          dark: this.#picture.dark,
          smooth: this.#smooth.checked,
          opacity: Number(this.#opacity.value),
        },
      }
    );
  }

  /** @param {boolean} inert */
  #setInert(inert) {
    // Not the note and the error, which may be new.
    for (const part of document.querySelectorAll("#reading, #characters, #details, #explain")) {
      part.toggleAttribute("inert", inert);
    }
  }

  #clear() {
    this.#setInert(false);
    this.#recognition = undefined;
    this.#export.update();
    this.#otherModel.show(null);
    for (const view of this.#readingViews) view.clear();
    this.#controls.hidden = true;
  }

  #listenToInput() {
    const handlers = this.#handlers;
    listen(document, {
      image: handlers.image,
      error: handlers.inputError,
      over: (over) => document.body.classList.toggle("dropping", over),
    });
    const chooser = getById("file-input", HTMLInputElement);
    chooser.addEventListener("change", () => {
      handlers.choose(chooser.files);
      chooser.value = ""; // so that the same file can be chosen again
    });
    const paste = getById("paste", HTMLButtonElement);
    paste.hidden = !canReadClipboard;
    paste.addEventListener("click", handlers.paste);
  }

  #listenToControls() {
    const handlers = this.#handlers;
    const backend = getById("backend", HTMLSelectElement);
    backend.addEventListener("change", () => {
      handlers.backend(/** @type {BackendPreference} */ (backend.value));
    });
    getById("retry", HTMLElement).addEventListener("click", handlers.retry);
    this.#play.addEventListener("click", handlers.togglePlay);
    this.#scrub.addEventListener("input", () => handlers.select(Number(this.#scrub.value) - 1));
    const speed = getById("speed", HTMLSelectElement);
    speed.addEventListener("change", () => handlers.speed(Number(speed.value)));
    this.#smooth.addEventListener("change", () => {
      this.#picture.setSmooth(this.#smooth.checked);
      this.#characters.setSmooth(this.#smooth.checked);
    });
    this.#opacity.addEventListener("input", () => {
      document.body.style.setProperty("--overlay-opacity", this.#opacity.value);
    });
    document.addEventListener("keydown", (event) => {
      const elsewhere =
        event.target instanceof Element &&
        event.target.matches("select, input:not([type=checkbox])");
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.defaultPrevented || scrollsSideways(event.target)) return;
      if (by === undefined || elsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
      // With Shift or a range selected, arrow keys change the selection.
      if (event.shiftKey || !isOfReading(event.target) || getSelection()?.type === "Range") return;
      if (this.#controls.hidden) return;
      event.preventDefault();
      handlers.step(by);
    });
  }
}

/**
 * Whether arrow keys step through the characters here: in the reading, in the image input, and when
 * nothing is focused.
 *
 * @param {EventTarget | null} target
 */
function isOfReading(target) {
  return (
    target === document.body ||
    (target instanceof Element && target.closest(".reader, .explain, .image-input") !== null)
  );
}

/**
 * Whether arrow keys scroll the focused element.
 *
 * @param {EventTarget | null} target
 */
function scrollsSideways(target) {
  return (
    target instanceof Element &&
    target.scrollWidth > target.clientWidth &&
    getComputedStyle(target).overflowX === "auto"
  );
}
