// @ts-check
/** Runs the audit page: files in, readings, report. */

import { LensError } from "../lib/errors.js";
import { describeBackend } from "../common/describe.js";
import { offerModel } from "../common/other-model.js";
import { toPageError } from "../common/page-error.js";
import { RecognizerLoader } from "../common/recognizer-loader.js";
import { TaskRunner } from "../common/task-runner.js";
import { findImages } from "./files.js";
import { auditOf, dataOf } from "./current.js";
import { labelsFromLaterFiles } from "./labels.js";
import {
  describeContradictions,
  describeOmitted,
  describeUnmatchedLabels,
  localDate,
} from "./notes.js";
import { readerOf } from "./reader.js";
import { AuditRun } from "./run.js";
import { parseLearningCurve, parseSavedAudit } from "./saved.js";

/** @import { AuditData, AuditItem, LabelFile } from "./types.js" */
/** @import { BackendPreference } from "../lib/types.js" */
/** @import { ModelChoice } from "../common/model-choice.js" */
/** @import { AuditView } from "../ui/audit/audit-view.js" */
/** @import { Audit } from "./current.js" */
/** @import { FoundFiles, InputFile } from "./files.js" */

/** What stays of an audit that is read again. @typedef {Pick<Audit, "labels" | "named" | "learningCurve">} Kept */

export class AuditController {
  #view;
  #loader;
  /** Looks for images among the files. Later files replace earlier ones. */
  #search = new TaskRunner();
  #audit = new TaskRunner();
  /** What the next audit runs on. @type {BackendPreference} */
  #backend;
  /** What the current audit runs on. @type {BackendPreference} */
  #usedBackend;
  #models;
  /** The model of the current audit. */
  #usedModel;
  /** Whether a text may differ from its label in case. */
  #ignoreCase = false;
  /** What of the files is not in the report. */
  #omitted = "";
  /** @type {Audit | undefined} */
  #current;
  /** The audit that the report is compared with. @type {AuditData | null} */
  #compared = null;
  /** The audit that the next report is compared with. @type {AuditData | null} */
  #comparedNext = null;
  /** URLs of the pictures in the report. Each report has its own array. @type {string[]} */
  #pictureUrls = [];

  /**
   * @param {AuditView} view
   * @param {object} options
   * @param {BackendPreference} options.backend
   * @param {() => URL | undefined} options.weights the weights to load, where they are not the default
   * @param {ModelChoice} options.models for the next audit
   */
  constructor(view, { backend, weights, models }) {
    this.#view = view;
    this.#backend = this.#usedBackend = backend;
    this.#models = models;
    this.#usedModel = models.id;
    this.#loader = new RecognizerLoader(
      () => ({
        weights: weights(),
        backend: this.#usedBackend,
        onBackend: (running) => view.setBackend(running),
      }),
      models,
    );
    view.setBackendPreference(backend);
    view.setState("idle", "");
  }

  /**
   * Audits the images among the files. A label file alone is for the current images. Where there is
   * neither, the current audit and its report stay.
   *
   * @param {Promise<InputFile[]>} files
   */
  receive(files) {
    if (!this.#audit.busy) this.#view.setState("loading", "Looking for images");
    return this.#search.run(
      async (signal) => {
        const found = await findImages(await files);
        signal.throwIfAborted();
        if (found.images.length > 0) void this.#start(found);
        else this.#relabel(found.labelFiles);
      },
      (error) => {
        const plain = toPageError(error);
        const { busy } = this.#audit;
        this.#setOmitted(busy ? plain.message : "");
        if (busy) return;
        this.#view.setError(plain, "No images opened. The report below is the previous one.");
      },
    );
  }

  togglePause() {
    const run = this.#current?.run;
    if (!run) return;
    if (run.paused) run.resume();
    else run.pause();
    this.#view.setState(run.paused ? "paused" : "running", run.paused ? "Paused" : "Reading");
  }

  /** Ends the current audit, or the search for images, or loading. */
  cancel() {
    if (this.#audit.busy && this.#current) {
      this.#current.run.cancel();
      return;
    }
    this.#search.abort();
    this.#audit.abort();
    void this.#loader.dispose();
    // The report stays.
    if (this.#current) this.#view.setState("done", "Cancelled");
    else this.#view.setState("idle", "");
  }

  /** @param {boolean} named whether the labels come from the file names */
  useNames(named) {
    if (!this.#current) return;
    this.#current.named = named;
    this.#showReport(this.#current);
  }

  /** @param {boolean} ignored whether texts may differ from their labels in case */
  ignoreCase(ignored) {
    this.#ignoreCase = ignored;
    if (this.#current) this.#showReport(this.#current);
  }

  /**
   * Compares the report with a saved audit.
   *
   * @param {File} file
   */
  async compareWith(file) {
    try {
      this.#compared = parseSavedAudit(await file.text(), file.name);
      if (!this.#current || this.#audit.busy) return;
      this.#view.setState("done", "Comparison added");
      this.#showReport(this.#current);
    } catch (error) {
      const words = "No comparison. The report below is the previous one.";
      this.#view.setError(toPageError(error), words);
    }
  }

  /**
   * Adds a learning curve to the report.
   *
   * @param {File} file
   */
  async addLearningCurve(file) {
    try {
      const learningCurve = parseLearningCurve(await file.text(), file.name);
      if (!this.#current) return;
      Object.assign(this.#current, { learningCurve });
      if (this.#audit.busy) return; // the report at the end has it
      this.#view.setState("done", "Learning curve added");
      this.#showReport(this.#current);
    } catch (error) {
      const words = "No learning curve added. The report below is the previous one.";
      this.#view.setError(toPageError(error), words);
    }
  }

  /** Compares the next report with the current one. */
  compareNext() {
    if (!this.#current) return;
    this.#comparedNext = dataOf(this.#current);
    this.#view.setStatus("The next audit will be compared with this one. Choose its images.");
  }

  endComparison() {
    this.#compared = this.#comparedNext = null;
    if (this.#current) this.#showReport(this.#current);
  }

  /** @param {BackendPreference} backend for the next audit */
  changeBackend(backend) {
    this.#backend = backend;
    this.#view.setBackendPreference(backend);
    this.#showNote();
  }

  /**
   * Takes the chosen model for the next audit.
   *
   * @param {"user" | "error"} by `error` if the current audit reads with it, too
   */
  changeModel(by) {
    if (by === "error") this.#usedModel = this.#models.id;
    this.#showNote();
  }

  /** Reads the current images again with the chosen model. */
  readAgain() {
    if (!this.#current) return;
    const { found, labels, named, learningCurve } = this.#current;
    void this.#start(found, { labels, named, learningCurve });
  }

  /**
   * Takes labels for the current images.
   *
   * @param {LabelFile[]} files
   */
  #relabel(files) {
    const current = this.#current;
    if (!current) {
      throw new LensError("no-images", "There are labels but no images. Choose the images first.");
    }
    const paths = current.found.images.map(({ path }) => path);
    const labels = labelsFromLaterFiles(paths, files);
    if (labels.every((label) => label === null)) {
      throw new LensError("no-images", describeUnmatchedLabels(files));
    }
    Object.assign(current, { labels, named: false });
    if (this.#audit.busy) return; // the report at the end has them
    this.#setOmitted(describeContradictions(files));
    this.#view.setState("done", "Labels added");
    this.#showReport(current);
  }

  /**
   * Cancels the current audit and starts another one.
   *
   * @param {FoundFiles} found
   * @param {Kept} [kept]
   */
  #start(found, kept) {
    this.#current?.run.cancel();
    this.#current = undefined;
    const isChanged = this.#usedBackend !== this.#backend || this.#usedModel !== this.#models.id;
    if (isChanged) void this.#loader.dispose();
    this.#usedBackend = this.#backend;
    this.#usedModel = this.#models.id;
    this.#setOmitted(describeOmitted(found));
    this.#revokePictures();
    this.#view.clearReport();
    if (this.#comparedNext) [this.#compared, this.#comparedNext] = [this.#comparedNext, null];
    this.#view.setState("loading", "Loading");
    return this.#audit.run(
      (signal) => this.#read(found, signal, kept),
      (error) => {
        const words = "Stopped. The report covers the images read so far.";
        this.#view.setError(toPageError(error), words);
      },
    );
  }

  /**
   * Reads the images and shows the report.
   *
   * @param {FoundFiles} found
   * @param {AbortSignal} signal
   * @param {Kept} [kept]
   */
  async #read(found, signal, kept) {
    const { images, labelFiles, problems } = found;
    const view = this.#view;
    const recognizer = await this.#loader.load();
    signal.throwIfAborted();
    const { modelName } = this.#loader;
    view.setState("running", "Reading");
    /** Several, where WebGPU takes over during the audit. @type {Set<string>} */
    const backends = new Set();
    const run = new AuditRun(images, readerOf(recognizer, backends), (progress) => {
      if (!signal.aborted) view.setProgress(progress);
    });
    const { alphabet, maxLength } = recognizer.config;
    view.setNetwork({ alphabet, maxLength });
    const audit = { ...auditOf(found, run, { alphabet, maxLength }), ...kept };
    this.#current = audit;
    if (labelFiles.length > 0 && audit.labels.every((label) => label === null)) {
      this.#setOmitted(`${this.#omitted} ${describeUnmatchedLabels(labelFiles)}`.trim());
    }
    /** @type {{ error: unknown } | undefined} */
    let failure;
    const complete = await run.finish().catch((error) => void (failure = { error }));
    signal.throwIfAborted();
    const read = run.items.filter(Boolean).length;
    audit.about = [
      ["Weights", modelName],
      ["Device", [...backends].join(", then ") || describeBackend(recognizer.backend)],
      ["Date", localDate(new Date())],
    ];
    if (!complete) audit.about.push(["Stopped after", `${read} of ${images.length} images`]);
    if (problems.length > 0) {
      audit.about.push(["Not opened", problems.map(({ path }) => path).join(", ")]);
    }
    const cancelled =
      read > 0 ? "Cancelled. The report covers the images read so far." : "Cancelled";
    view.setState("done", complete ? "Done" : cancelled);
    if (read > 0) this.#showReport(audit);
    if (failure) throw failure.error;
  }

  /** @param {string} words what of the files is not in the report */
  #setOmitted(words) {
    this.#omitted = words;
    this.#showNote();
  }

  #showNote() {
    const later = [
      this.#usedBackend === this.#backend
        ? ""
        : "The new “Run on” setting applies to the next audit.",
      this.#usedModel === this.#models.id ? "" : "The new model applies to the next audit.",
    ];
    this.#view.setNote([this.#omitted, ...later].filter(Boolean).join(" "));
  }

  /** @param {Audit} audit */
  #showReport(audit) {
    const images = new Map(audit.found.images.map((image) => [image.path, image]));
    this.#revokePictures();
    const urls = this.#pictureUrls;
    const picture = async (/** @type {AuditItem} */ { path }) => {
      try {
        const file = await images.get(path)?.open();
        if (!file || urls !== this.#pictureUrls) return null; // another report replaced this one
        const url = URL.createObjectURL(file);
        urls.push(url);
        return url;
      } catch {
        return null;
      }
    };
    const choice = audit.labels.every((label) => label === null);
    const ignoreCase = this.#ignoreCase;
    const report = { ...dataOf(audit), ignoreCase, picture, compared: this.#compared };
    const labels = report.items.flatMap(({ label, error }) => (error ? [] : (label ?? [])));
    const offer = offerModel(labels, audit.network, this.#models.offered);
    this.#view.setReport(report, { named: audit.named, choice }, offer);
  }

  #revokePictures() {
    for (const url of this.#pictureUrls) URL.revokeObjectURL(url);
    this.#pictureUrls = [];
  }
}
