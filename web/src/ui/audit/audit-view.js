// @ts-check
/** The document of the audit page: input, progress and report. */

import { describeNetwork } from "../../audit/alphabet.js";
import { evaluateItems, summarize } from "../../audit/statistics.js";
import { coversMinority } from "../../audit/verdict.js";
import { imageCount, percent } from "../../common/format.js";
import { describeBackend, describeDuration, describeReason } from "../../common/describe.js";
import { getById, isIos } from "../dom.js";
import { dropZone } from "../drop-zone.js";
import { renderReport } from "../report/report.js";
import { showBackend } from "../backend-select.js";
import { OtherModelView } from "../other-model.js";

/** @import { AuditNetwork, AuditReport } from "../../audit/types.js" */
/** @import { Offer } from "../../common/other-model.js" */
/** @import { BackendPreference, BackendStatus } from "../../lib/types.js" */
/** @import { PageError } from "../../common/types.js" */
/** @import { RunProgress } from "../../audit/run.js" */

/** The state of the page. The styles show the parts that belong to it. */
/** @typedef {"idle" | "loading" | "running" | "paused" | "done" | "error"} State */

export class AuditView {
  #body = getById("drop-zone", HTMLElement);
  #status = getById("status", HTMLElement);
  #bar = getById("progress", HTMLProgressElement);
  #pause = getById("pause", HTMLButtonElement);
  #error = getById("error", HTMLElement);
  #backend = getById("backend", HTMLSelectElement);
  #badge = getById("badge", HTMLElement);
  #useNames = getById("use-names", HTMLInputElement);
  #ignoreCase = getById("ignore-case", HTMLInputElement);
  #report = getById("report", HTMLElement);
  #otherModel;

  /**
   * @param {object} on
   * @param {(files: File[]) => void} on.choose
   * @param {(transfer: DataTransfer) => void} on.drop
   * @param {() => void} on.pause
   * @param {() => void} on.cancel
   * @param {(named: boolean) => void} on.labels
   * @param {(ignored: boolean) => void} on.ignoreCase
   * @param {(id: string) => void} on.otherModel
   * @param {(file: File) => void} on.compareSaved
   * @param {(file: File) => void} on.learningCurve
   * @param {() => void} on.compareNext
   * @param {() => void} on.compareEnd
   * @param {(backend: BackendPreference) => void} on.backend
   */
  constructor(on) {
    for (const id of ["files-input", "folder-input"]) {
      const input = getById(id, HTMLInputElement);
      input.addEventListener("change", () => {
        const files = [...(input.files ?? [])];
        input.value = ""; // so that the same files can be chosen again
        if (files.length > 0) on.choose(files);
      });
    }
    this.#otherModel = new OtherModelView(on.otherModel);
    onFile("compare-input", on.compareSaved);
    onFile("curve-input", on.learningCurve);
    getById("compare-next", HTMLButtonElement).addEventListener("click", () => on.compareNext());
    getById("compare-end", HTMLButtonElement).addEventListener("click", () => on.compareEnd());
    // The browsers on iOS cannot open a folder.
    if (isIos()) getById("folder-choice", HTMLElement).hidden = true;
    this.#pause.addEventListener("click", () => on.pause());
    getById("cancel", HTMLButtonElement).addEventListener("click", () => on.cancel());
    this.#useNames.addEventListener("change", () => on.labels(this.#useNames.checked));
    this.#ignoreCase.addEventListener("change", () => on.ignoreCase(this.#ignoreCase.checked));
    this.#backend.addEventListener("change", () =>
      on.backend(/** @type {BackendPreference} */ (this.#backend.value)),
    );
    dropZone(this.#body, {
      over: (isOver) => this.#body.classList.toggle("dropping", isOver),
      drop: on.drop,
    });
    this.#body.classList.add("started");
  }

  /** @param {BackendPreference} backend */
  setBackendPreference(backend) {
    showBackend(backend);
  }

  /** @param {BackendStatus} backend */
  setBackend(backend) {
    this.#badge.textContent = describeBackend(backend);
    this.#badge.dataset.kind = backend.kind;
    this.#badge.hidden = false;
    const reason = getById("reason", HTMLElement);
    reason.textContent = describeReason(backend);
    reason.hidden = false;
  }

  /** @param {AuditNetwork} network what the model of the page reads */
  setNetwork(network) {
    getById("model-reads", HTMLElement).textContent =
      `The model of this page reads ${describeNetwork(network)}.`;
  }

  /**
   * @param {State} state
   * @param {string} words
   */
  setState(state, words) {
    this.#body.dataset.state = state;
    this.#status.textContent = words;
    this.#error.hidden = true;
    this.#bar.hidden = !["loading", "running", "paused"].includes(state);
    if (state === "loading") this.#bar.removeAttribute("value");
    this.#pause.textContent = state === "paused" ? "Resume" : "Pause";
    this.#pause.hidden = state === "loading";
    const controls = getById("run-controls", HTMLElement);
    const hidden = this.#bar.hidden;
    // Keeps the focus near its place when the focused button disappears.
    if (hidden && controls.contains(document.activeElement)) this.#status.focus();
    controls.hidden = hidden;
  }

  /** @param {string} words */
  setStatus(words) {
    this.#status.textContent = words;
  }

  /** @param {RunProgress} progress */
  setProgress({ done, total, perSecond, secondsLeft }) {
    this.#bar.value = total === 0 ? 0 : done / total;
    const ended = this.#bar.hidden;
    const speed = perSecond > 0 ? `, ${perSecond.toFixed(perSecond < 10 ? 1 : 0)} images/s` : "";
    const left =
      secondsLeft === null || done === total || ended
        ? ""
        : `, ${describeDuration(secondsLeft)} left`;
    getById("counts", HTMLElement).textContent =
      `${done.toLocaleString("en")} of ${total.toLocaleString("en")}${speed}${left}`;
    // Announced at every 10%, not after every batch.
    const tenths = Math.floor((10 * done) / total);
    if (tenths > 0 && tenths < 10) this.#announce(`${tenths * 10}% read`);
  }

  /** @param {string} words about files that are not in the report */
  setNote(words) {
    getById("note", HTMLElement).textContent = words;
  }

  /**
   * @param {PageError} error
   * @param {string} words the status if there is a report
   */
  setError({ code, message }, words) {
    this.setState("error", this.#report.hidden ? "Audit failed" : words);
    this.#error.dataset.code = code;
    this.#error.textContent = message;
    this.#error.hidden = false;
  }

  /**
   * @param {AuditReport} report
   * @param {{ named: boolean, choice: boolean }} labels whether file names are the labels, and
   *   whether the user can choose that
   * @param {Offer | null} offer of a model that can write more of the labels
   */
  setReport(report, { named, choice }, offer) {
    this.#otherModel.show(offer);
    this.#useNames.checked = named;
    getById("labels-choice", HTMLElement).hidden = !choice;
    renderReport(this.#report, report);
    this.#report.hidden = false;
    getById("compare", HTMLElement).hidden = false;
    getById("compare-end", HTMLButtonElement).hidden = !report.compared;
    const { items, network, ignoreCase } = report;
    const summary = summarize(evaluateItems(items, network, ignoreCase), ignoreCase);
    this.#ignoreCase.checked = ignoreCase === true;
    getById("case-choice", HTMLElement).hidden = summary.labelled === 0;
    const { supported, exactMatches, exactMatchRate, labelled, read } = summary;
    this.#announce(
      exactMatchRate !== null
        ? `${coversMinority(summary) ? exactMatches : percent(exactMatchRate)} of ${imageCount(supported)} solved.`
        : labelled > 0
          ? `No result: this model cannot write the labels of ${imageCount(labelled)}.`
          : `${imageCount(read)} read.`,
    );
  }

  clearReport() {
    this.#otherModel.show(null);
    this.#report.hidden = true;
    this.#report.replaceChildren();
    getById("compare", HTMLElement).hidden = true;
    getById("counts", HTMLElement).textContent = "";
    getById("labels-choice", HTMLElement).hidden = true;
    getById("case-choice", HTMLElement).hidden = true;
    this.#announce("");
  }

  /** @param {string} words announced once, even if they are set again */
  #announce(words) {
    const announcement = getById("announcement", HTMLElement);
    if (announcement.textContent !== words) announcement.textContent = words;
  }
}

/**
 * @param {string} id of an input
 * @param {(file: File) => void} receive
 */
function onFile(id, receive) {
  const input = getById(id, HTMLInputElement);
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    input.value = ""; // so that the same file can be chosen again
    if (file) receive(file);
  });
}
