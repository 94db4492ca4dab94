// @ts-check
/** Runs the main page: input leads to tasks, tasks to events, events to another state, which it shows. */

import { isWhole } from "../image/crop-geometry.js";
import { cropToBlob } from "../image/crop-image.js";
import { runImageTask } from "../image/image-worker-client.js";
import { prepare } from "../image/prepare.js";
import { isRefusal, reencode } from "../image/reencode.js";
import { LensError } from "../lib/errors.js";
import { describeResult } from "../common/describe.js";
import { offerModel } from "../common/other-model.js";
import { toPageError } from "../common/page-error.js";
import { RecognizerLoader } from "../common/recognizer-loader.js";
import { DelayedRegistration } from "../common/service-worker.js";
import { TaskRunner } from "../common/task-runner.js";
import { toFragment } from "./share-link.js";
import { initialState, pageState, reduce } from "./state.js";
import { setFragment } from "./url-hash.js";

/** @import { DrawOptions } from "../../pkg/captcha_synth_wasm.js" */
/** @import { Part, Size } from "../image/crop-geometry.js" */
/** @import { ModelChoice } from "../common/model-choice.js" */
/** @import { Recognizer } from "../lib/client.js" */
/** @import { BackendPreference, Recognition } from "../lib/types.js" */
/** @import { CropView } from "../ui/lens/crop.js" */
/** @import { GenerateView } from "../ui/lens/generate.js" */
/** @import { LensView } from "../ui/lens/lens-view.js" */
/** @import { Player } from "./player.js" */
/** @import { LensEvent, Phase, Retry, Sample, Source, State } from "./state.js" */

/** How many of the most probable texts are asked for. The first one is the reading itself. */
const ALTERNATIVES = 5;

/** What the page says about a crop. */
const DETECTED = "Reading the part that looks like a CAPTCHA.";
const SELECTED = "Reading the selected part of the image.";

export class LensController {
  #ui;
  #loader;
  #tasks = new TaskRunner();
  #models;
  #serviceWorker = new DelayedRegistration();
  /** @type {State} */
  #state;
  /** The size of the source, `null` where the browser cannot show it. @type {Promise<Size | null>} */
  #sourceSize = Promise.resolve(null);
  /** The recognizers that have read. @type {WeakSet<Recognizer>} */
  #used = new WeakSet();
  /** Settles when the generator has finished the last drawing. @type {Promise<unknown>} */
  #drawing = Promise.resolve();
  /** For debugging and tests. @type {Recognition | null} */
  lastResult = null;

  /**
   * @param {{ view: LensView, player: Player, generator: GenerateView, cropper: CropView }} ui
   * @param {BackendPreference} backend
   * @param {() => URL | undefined} weights the weights to load, where they are not the default
   * @param {ModelChoice} models
   */
  constructor(ui, backend, weights, models) {
    this.#ui = ui;
    this.#state = initialState(backend);
    this.#models = models;
    this.#loader = new RecognizerLoader(
      () => ({
        weights: weights(),
        backend: this.#state.backend,
        onProgress: (progress) => {
          const { name } = this.#state.phase;
          const isBusy = name !== "idle" && name !== "done" && name !== "failed";
          if (isBusy) ui.view.setProgress(progress);
        },
        onBackend: (running) => ui.view.setBackend(running),
      }),
      models,
    );
    ui.view.setBackendPreference(backend);
  }

  /** Reads the picture, or loads the recognizer where there is none. */
  recognize() {
    return this.#tasks.run((signal) => this.#recognize(signal), this.#fail);
  }

  /**
   * Reads a file from outside: the part of it that looks like a CAPTCHA, if there is one.
   *
   * @param {{ file: Blob, note: string | null }} input
   */
  receive(input) {
    return this.#tasks.run(async (signal) => {
      this.#dispatch({ type: "acquire", status: "Opening the image" });
      const prepared = await prepare(input.file);
      signal.throwIfAborted();
      this.#accept({ file: prepared.file, note: prepared.note ?? input.note });
      this.#dispatch({ type: "acquire", status: "Looking for the CAPTCHA" });
      const { file } = prepared;
      const size = await this.#sourceSize;
      // Without this help, all of the image is read.
      const found = await runImageTask("findCaptchaPart", { file, size }).catch(() => null);
      signal.throwIfAborted();
      if (found) this.#crop(found.file, found.part, DETECTED);
      await this.#recognize(signal);
    }, this.reject);
  }

  /**
   * Says why an input is not an image.
   *
   * @param {unknown} error
   * @param {Retry} [retry]
   */
  reject = (error, retry) => {
    this.#dispatch({ type: "reject", error: toPageError(error), retry });
    if (this.#state.phase.name === "failed") this.#tasks.abort();
  };

  /**
   * Reads a part of the source.
   *
   * @param {Part | null} part `null` for all of it
   */
  async readPart(part) {
    const size = await this.#sourceSize;
    const { source } = this.#state;
    if (!source || !size) return;
    await this.#tasks.run(async (signal) => {
      if (part === null || isWhole(part)) {
        this.#dispatch({ type: "uncrop" });
        void this.#offerCrop();
      } else {
        this.#dispatch({ type: "acquire", status: "Cropping" });
        const file = await cropToBlob(source.file, part);
        signal.throwIfAborted();
        this.#crop(file, part, SELECTED);
      }
      await this.#recognize(signal);
    }, this.#fail);
  }

  /** @param {Sample} sample */
  readSample(sample) {
    return this.#tasks.run(
      async (signal) => {
        this.#dispatch({ type: "acquire", status: "Loading the sample" });
        const response = await fetch(sample.address, { signal });
        if (!response.ok) throw new Error(`the server answers ${response.status}`);
        const file = await response.blob();
        signal.throwIfAborted();
        this.#accept({ file, sample: sample.file, text: sample.text });
        await this.#recognize(signal);
      },
      (error) => {
        const message = `The sample could not be loaded (${error}).`;
        this.reject(new LensError("missing-sample", message), { type: "sample", sample });
      },
    );
  }

  /**
   * Draws an image and reads it.
   *
   * @param {DrawOptions} options
   */
  draw(options) {
    const { generator } = this.#ui;
    return this.#tasks.run(
      async (signal) => {
        this.#dispatch({ type: "acquire", status: "Generating" });
        const { fonts, looks } = await runImageTask("catalogue", undefined);
        generator.setFonts(fonts);
        generator.setLooks(looks);
        // One drawing at a time. Of many changes in a row, only the last one is drawn.
        await this.#drawing;
        signal.throwIfAborted();
        const request = runImageTask("generate", options);
        this.#drawing = request.catch(() => {});
        const { file, drawing } = await request;
        signal.throwIfAborted();
        this.#accept({ file, fragment: toFragment(options), drawing, text: drawing.text });
        await this.#recognize(signal);
      },
      (error) => {
        const isInvalid = error instanceof LensError && error.code === "bad-argument";
        if (isInvalid) generator.setError(error.message);
        // The last drawing stays.
        if (isInvalid && this.#state.input) void this.recognize();
        else this.reject(error, { type: "draw", options });
      },
    );
  }

  retry() {
    const { phase } = this.#state;
    const retry = phase.name === "failed" ? phase.retry : null;
    if (retry?.type === "sample") return this.readSample(retry.sample);
    if (retry?.type === "draw") return this.draw(retry.options);
    return this.recognize();
  }

  /** Reads again with the model that was chosen. */
  changeModel() {
    this.changeBackend(this.#state.backend);
  }

  /** @param {BackendPreference} backend */
  changeBackend(backend) {
    this.#ui.player.step(0); // shows all characters
    this.#dispatch({ type: "prefer", backend });
    void this.#loader.dispose();
    // An image on its way is read with the new backend, or the new model.
    if (this.#state.phase.name !== "acquiring") void this.recognize();
  }

  /**
   * Loads what is missing, then reads the input, if there is one. Does not throw.
   *
   * @param {AbortSignal} signal
   */
  async #recognize(signal) {
    try {
      this.#dispatch({ type: "recognize" });
      const recognizer = await this.#loader.load();
      signal.throwIfAborted();
      this.#dispatch({ type: "loaded" });
      if (!this.#state.input) return;
      const recognition = await this.#read(recognizer, this.#state.input, signal);
      await this.#ui.view.pictureShown;
      signal.throwIfAborted();
      // For the first reading of an engine, the browser still compiles code.
      const isFirst = !this.#used.has(recognizer);
      this.#used.add(recognizer);
      this.#dispatch({ type: "recognized", recognition, isFirst });
      const { text } = this.#state.picture ?? {};
      const others = text ? offerModel([text], recognizer.config, this.#models.offered) : null;
      this.#ui.view.setOtherModel(others);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  /**
   * @param {Recognizer} recognizer
   * @param {Blob} file
   * @param {AbortSignal} signal
   */
  async #read(recognizer, file, signal) {
    const options = { alternatives: ALTERNATIVES, signal };
    try {
      return await recognizer.recognize(file, options);
    } catch (error) {
      const isSource = file === this.#state.source?.file;
      if (!isSource || !isRefusal(error) || !(await this.#sourceSize)) throw error;
      const other = await reencode(file).catch(() => null);
      if (!other || signal.aborted) throw error;
      this.#dispatch({ type: "reencode", file: other });
      return recognizer.recognize(other, options);
    }
  }

  /** @param {Source} source */
  #accept(source) {
    this.#ui.cropper.disable();
    this.#dispatch({ type: "accept", source });
    this.#sourceSize = this.#ui.view.pictureShown;
  }

  /**
   * @param {Blob} file
   * @param {Part} part what the file shows of the source
   * @param {string} words
   */
  #crop(file, part, words) {
    this.#dispatch({ type: "crop", file, part, words });
    void this.#offerCrop();
  }

  /** Lets the user crop the source, if the browser can show it. */
  async #offerCrop() {
    const { source } = this.#state;
    const size = await this.#sourceSize;
    const { crop } = this.#state;
    if (!source || !size || source.file !== this.#state.source?.file) return;
    const { part, words } = crop ?? { part: null, words: "" };
    this.#ui.cropper.enable({ file: source.file, size, part, words });
  }

  #fail = (/** @type {unknown} */ error) => {
    const before = this.#state;
    this.#dispatch({ type: "fail", error: toPageError(error) });
    // An error while a result is shown is a bug.
    if (this.#state === before) reportError(error);
  };

  /** @param {LensEvent} event */
  #dispatch(event) {
    const before = this.#state;
    this.#state = reduce(before, event);
    this.#show(before, this.#state);
  }

  /**
   * Shows what has changed.
   *
   * @param {State} before
   * @param {State} now
   */
  #show(before, now) {
    const { view, player } = this.#ui;
    if (now.backend !== before.backend) view.setBackendPreference(now.backend);
    if (now.picture !== before.picture) this.#showPicture(now);
    if (now.remark && now.remark !== before.remark) view.setRemark(now.remark.text);
    if (now.phase !== before.phase) this.#showPhase(now, before.phase);
    if (now.reading === before.reading || !now.reading) return;
    if (now.reading.stale) return view.markStale();
    const { recognition, isFirst } = now.reading;
    this.lastResult = recognition;
    view.setRecognition(recognition, { first: isFirst });
    void this.#offerCrop();
    const instant = view.reducedMotion || now.picture?.isRedraw === true;
    player.start(recognition.characters.length, { instant });
  }

  /** @param {State} state */
  #showPicture({ picture }) {
    const { view, player, generator, cropper } = this.#ui;
    if (picture?.drawing) generator.setDrawing(picture.drawing);
    else generator.clearDrawing();
    if (!picture) {
      cropper.disable();
      view.setPicture(null, { note: null, sample: null, drawn: false, redrawn: false });
      return;
    }
    const { file, note = null, sample = null, fragment = "", isRedraw } = picture;
    setFragment(fragment);
    if (isRedraw) player.pause();
    else player.clear();
    view.setPicture(file, { note, sample, drawn: fragment !== "", redrawn: isRedraw });
  }

  /**
   * @param {State} state
   * @param {Phase} before
   */
  #showPhase({ phase, reading }, before) {
    const { view, player } = this.#ui;
    const page = pageState(phase);
    this.#serviceWorker.update(page);
    switch (phase.name) {
      case "starting":
        return view.setState(page, "Loading");
      case "idle":
        return view.setState(page, "Ready");
      case "acquiring":
        return view.setState(page, phase.status);
      case "recognizing":
        return view.setState(page, phase.loading ? "Loading" : "Reading");
      case "done": {
        if (!reading) return;
        const { recognition, isFirst } = reading;
        const { words, more } = describeResult(recognition, { first: isFirst });
        return view.setState(page, words, more);
      }
      case "failed": {
        player.clear();
        const canRetry = phase.retry !== null;
        // Errors that allow a retry come from a download, unless the network was reading.
        const wasReading = before.name === "recognizing" && !before.loading;
        return view.setError(phase.error, { canRetry, isLoading: canRetry && !wasReading });
      }
    }
  }
}
