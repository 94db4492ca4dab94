// @ts-check
/** Status, progress, backend, notes and errors. */

import {
  describeBackend,
  describeBytes,
  describeReason,
  describeStage,
} from "../../common/describe.js";
import { getById } from "../dom.js";

/** @import { Progress, BackendStatus } from "../../lib/types.js" */
/** @import { PageState } from "../../common/types.js" */

/** Milliseconds for which a note floats over the page. */
const FLOATING_MILLISECONDS = 10_000;

export class StatusView {
  #line = getById("status", HTMLElement);
  #text = getById("status-text", HTMLElement);
  #details = getById("status-details", HTMLElement);
  #progress = getById("progress", HTMLProgressElement);
  #bytes = getById("bytes", HTMLElement);
  #badge = getById("badge", HTMLElement);
  #reason = getById("reason", HTMLElement);
  #note = getById("note", HTMLElement);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #floatingTimer;
  #error = getById("error", HTMLElement);
  #message = getById("error-message", HTMLElement);
  #retry = getById("retry", HTMLButtonElement);

  /**
   * @param {PageState} state
   * @param {string} words
   * @param {string} [more] only for screen readers; visible elsewhere on the page
   */
  setState(state, words, more = "") {
    document.body.dataset.state = state;
    if (state !== "error") this.#clearError();
    this.#setText(words, more);
    this.#progress.hidden = state !== "loading";
    this.#bytes.textContent = "";
  }

  /**
   * Shows the progress of loading.
   *
   * @param {Progress} progress
   */
  setProgress(progress) {
    this.#setText(describeStage(progress.stage));
    this.#bytes.textContent = describeBytes(progress);
    this.#progress.hidden = false;
    if (progress.overall === null) this.#progress.removeAttribute("value");
    else this.#progress.value = progress.overall;
  }

  /** @param {BackendStatus} backend */
  setBackend(backend) {
    this.#badge.hidden = false;
    this.#badge.dataset.kind = backend.kind;
    this.#badge.textContent = describeBackend(backend);
    this.#reason.hidden = false;
    this.#reason.textContent = describeReason(backend);
  }

  /** @param {string | null} note */
  setNote(note) {
    clearTimeout(this.#floatingTimer);
    this.#note.classList.remove("floating");
    this.#note.textContent = note ?? "";
  }

  /**
   * Shows a note. If its place is outside the viewport, the note floats over the page for a while.
   *
   * @param {string} remark
   */
  setRemark(remark) {
    this.setNote(remark);
    const { top, bottom } = this.#note.getBoundingClientRect();
    if (top >= 0 && bottom <= innerHeight) return;
    this.#note.classList.add("floating");
    this.#floatingTimer = setTimeout(
      () => this.#note.classList.remove("floating"),
      FLOATING_MILLISECONDS,
    );
  }

  /**
   * Shows an error until the state changes.
   *
   * @param {{ code: string, message: string }} error
   * @param {object} options
   * @param {boolean} options.canRetry
   * @param {boolean} options.isLoading whether loading failed, not reading
   */
  setError({ code, message }, { canRetry, isLoading }) {
    this.setState("error", isLoading ? "Loading failed" : "Reading failed");
    this.#error.dataset.code = code;
    this.#message.textContent = message;
    this.#error.hidden = false;
    this.#retry.hidden = !canRetry;
  }

  #clearError() {
    // Keeps the focus near its place when the focused button disappears.
    if (document.activeElement === this.#retry) this.#line.focus();
    this.#error.hidden = true;
    delete this.#error.dataset.code;
    this.#message.textContent = "";
  }

  /**
   * Changes the text only if it is new, because screen readers announce every change.
   *
   * @param {string} words
   * @param {string} [more]
   */
  #setText(words, more = "") {
    if (this.#text.textContent !== words) this.#text.textContent = words;
    if (this.#details.textContent !== more) this.#details.textContent = more;
  }
}
