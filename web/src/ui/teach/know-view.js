// @ts-check
/** The third step of the teach page: the audit report and the learning curve. */

import { curveProblem } from "../../teach/curve-run.js";
import { describeCurveRun } from "../../teach/describe.js";
import { getById } from "../dom.js";
import { saveFile } from "../save-file.js";
import { loadResults } from "./load-results.js";

/** @import { Settings, Step, TeachState } from "../../teach/types.js" */
/** @import { ImageUrls } from "./image-urls.js" */

export class KnowView {
  #urls;
  #reject;
  #report = getById("report", HTMLElement);
  #curve = getById("learning-curve", HTMLElement);
  #minutes = getById("curve-minutes", HTMLInputElement);
  #start = getById("curve-start", HTMLButtonElement);
  #stop = getById("curve-stop", HTMLButtonElement);
  #blocker = getById("curve-blocker", HTMLElement);
  #save = getById("curve-save", HTMLButtonElement);
  /** @type {TeachState | null} */
  #before = null;

  /**
   * @param {ImageUrls} urls
   * @param {object} on
   * @param {(change: Partial<Settings>) => void} on.settings
   * @param {() => void} on.measure
   * @param {() => void} on.stopMeasuring
   * @param {(step: Step, error: unknown) => void} on.reject
   */
  constructor(urls, on) {
    this.#urls = urls;
    this.#reject = (/** @type {unknown} */ error) => on.reject("know", error);
    this.#minutes.addEventListener("change", () =>
      on.settings({ curveMinutes: this.#minutes.valueAsNumber }),
    );
    getById("curve-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      on.measure();
    });
    this.#stop.addEventListener("click", () => on.stopMeasuring());
    this.#save.addEventListener("click", () => {
      const curve = this.#before?.curve;
      if (!curve) return;
      loadResults().then(
        ({ curveFile }) => saveFile(curveFile(curve), "learning-curve.json"),
        this.#reject,
      );
    });
  }

  /** Whether no learning curve can be measured; the page says why. */
  get blocked() {
    return this.#blocker.textContent !== "";
  }

  /** @param {TeachState} state */
  show(state) {
    const before = this.#before;
    this.#before = state;
    if (state.learned !== before?.learned) this.#showReport(state).catch(this.#reject);
    if (state.curve !== before?.curve) this.#showCurve(state).catch(this.#reject);
    if (
      state.images !== before?.images ||
      state.settings !== before.settings ||
      state.models !== before.models ||
      state.curve !== before.curve
    ) {
      this.#blocker.textContent = curveProblem(state);
      this.#start.setAttribute("aria-disabled", String(this.blocked));
    }
    this.#blocker.hidden = !this.blocked || state.curveRun !== null;
    this.#showMeasuring(state, before);
  }

  /** @param {TeachState} state */
  async #showReport({ learned, images }) {
    getById("know-empty", HTMLElement).hidden = learned !== null;
    this.#report.hidden = learned === null;
    if (!learned) return this.#report.replaceChildren();
    const { showReport } = await loadResults();
    // Another one may have replaced it.
    if (this.#before?.learned === learned) showReport(this.#report, learned, images, this.#urls);
  }

  /** @param {TeachState} state */
  async #showCurve({ curve }) {
    const isMeasured = curve !== null && curve.points.length > 0;
    this.#curve.hidden = !isMeasured;
    this.#save.hidden = !isMeasured;
    if (!isMeasured) return this.#curve.replaceChildren();
    const { showCurve } = await loadResults();
    if (this.#before?.curve === curve) showCurve(this.#curve, curve);
  }

  /**
   * @param {TeachState} state
   * @param {TeachState | null} before
   */
  #showMeasuring({ settings, run, curveRun, said }, before) {
    if (settings.curveMinutes !== before?.settings.curveMinutes) {
      this.#minutes.valueAsNumber = settings.curveMinutes;
    }
    this.#start.disabled = this.#minutes.disabled = run !== null || curveRun !== null;
    // Keeps the focus near its place when the focused button disappears.
    if (!curveRun && document.activeElement === this.#stop) this.#start.focus();
    this.#stop.hidden = curveRun === null;
    getById("curve-run", HTMLElement).hidden = curveRun === null;
    if (curveRun) {
      const words = getById("curve-words", HTMLElement);
      const text = describeCurveRun(curveRun);
      if (words.textContent !== text) words.textContent = text;
      const { index, count, done } = curveRun;
      getById("curve-bar", HTMLProgressElement).value = (index + done) / count;
    }
    const words = getById("know-said", HTMLElement);
    if (words.textContent !== (said.know ?? "")) words.textContent = said.know ?? "";
  }
}
