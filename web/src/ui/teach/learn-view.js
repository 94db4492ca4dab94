// @ts-check
/** The second step of the teach page: settings and progress of a run. */

import { percent } from "../../common/format.js";
import { checkTraining } from "../../teach/checks.js";
import { describeSolved, describeSpeed } from "../../teach/describe.js";
import { learnProblem } from "../../teach/learn.js";
import { GENERAL } from "../../common/shipped-models.js";
import { getById } from "../dom.js";
import { make } from "../report/elements.js";
import { lossCurve } from "./loss-curve.js";
import { Watched } from "./watched.js";

/** @import { Settings, TeachState } from "../../teach/types.js" */
/** @import { ImageUrls } from "./image-urls.js" */

/**
 * @typedef {object} LearnEvents
 * @property {(change: Partial<Settings>) => void} settings
 * @property {() => void} learn
 * @property {() => void} goOn
 * @property {() => void} forget
 * @property {() => void} pause
 * @property {() => void} stop
 */

const PHASES = { opening: "", learning: "Learning", paused: "Paused", stopping: "Stopping" };

export class LearnView {
  #watched;
  #minutes = getById("minutes", HTMLInputElement);
  #start = getById("start", HTMLSelectElement);
  #ignoreCase = getById("ignore-case", HTMLInputElement);
  #form = getById("learn-form", HTMLFormElement);
  #status = getById("learn-status", HTMLElement);
  #pause = getById("learn-pause", HTMLButtonElement);
  #live = getById("live", HTMLElement);
  #blocker = getById("learn-blocker", HTMLElement);
  /** @type {TeachState | null} */
  #before = null;

  /**
   * @param {ImageUrls} urls
   * @param {LearnEvents} on
   */
  constructor(urls, on) {
    this.#watched = new Watched(urls);
    this.#minutes.addEventListener("change", () =>
      on.settings({ minutes: this.#minutes.valueAsNumber }),
    );
    this.#start.addEventListener("change", () => on.settings({ start: this.#start.value }));
    this.#ignoreCase.addEventListener("change", () =>
      on.settings({ ignoreCase: this.#ignoreCase.checked }),
    );
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      on.learn();
    });
    getById("learn-go-on", HTMLButtonElement).addEventListener("click", () => on.goOn());
    getById("learn-forget", HTMLButtonElement).addEventListener("click", () => on.forget());
    this.#pause.addEventListener("click", () => on.pause());
    getById("learn-stop", HTMLButtonElement).addEventListener("click", () => on.stop());
  }

  /** Whether no run can start; the page says why. */
  get blocked() {
    return this.#blocker.textContent !== "";
  }

  /** @param {TeachState} state */
  show(state) {
    const before = this.#before;
    this.#before = state;
    this.#showSettings(state, before);
    if (
      state.images !== before?.images ||
      state.settings !== before.settings ||
      state.models !== before.models ||
      planOf(state) !== planOf(before)
    ) {
      this.#showCheck(state);
    }
    this.#blocker.hidden = !this.blocked;
    this.#showRun(state, before);
    this.#showLearned(state, before);
    const said = getById("learn-said", HTMLElement);
    if (said.textContent !== (state.said.learn ?? "")) {
      said.textContent = state.said.learn ?? "";
    }
  }

  /**
   * @param {TeachState} state
   * @param {TeachState | null} before
   */
  #showSettings({ settings, models, run, curveRun, unfinished }, before) {
    if (settings.minutes !== before?.settings.minutes) {
      this.#minutes.valueAsNumber = settings.minutes;
    }
    if (models !== before?.models) {
      const own = models.map(({ id, name }) => new Option(name, id));
      this.#start.replaceChildren(new Option(GENERAL.name, ""), ...own);
    }
    this.#start.value = settings.start;
    this.#ignoreCase.checked = settings.ignoreCase;
    const isBusy = run !== null || curveRun !== null;
    for (const control of this.#form.elements) {
      /** @type {HTMLInputElement} */ (control).disabled = isBusy;
    }
    const goOn = getById("learn-go-on", HTMLButtonElement);
    goOn.hidden = getById("learn-forget", HTMLButtonElement).hidden = unfinished === null;
    if (unfinished) {
      goOn.textContent = `Go on where it stopped (${percent(unfinished.done)} of ${unfinished.minutes} min)`;
    }
  }

  /**
   * Shows the losses of the last run, until another one starts.
   *
   * @param {TeachState} state
   * @param {TeachState | null} before
   */
  #showLearned({ learned, run }, before) {
    const curve = getById("learned-curve", HTMLElement);
    const isShown = learned !== null && learned.losses.validations.length > 0;
    curve.hidden = !isShown || run !== null;
    if (learned === before?.learned) return;
    curve.replaceChildren(...(isShown ? lossCurve(learned.losses, learned.options.minutes) : []));
  }

  /** @param {TeachState} state */
  #showCheck(state) {
    this.#blocker.textContent = learnProblem(state);
    const start = getById("learn-start", HTMLButtonElement);
    start.setAttribute("aria-disabled", String(this.blocked));
    const { notes } = checkTraining(state.images, state.settings.ignoreCase);
    const all = [...notes, ...(planOf(state)?.notes ?? [])];
    getById("learn-notes", HTMLElement).replaceChildren(
      ...all.map((note) => make("li", {}, [note])),
    );
  }

  /**
   * @param {TeachState} state
   * @param {TeachState | null} before
   */
  #showRun({ run, images }, before) {
    const isShown = !this.#live.hidden;
    // Keeps the focus near its place when the focused button disappears.
    if (isShown && !run && this.#live.contains(document.activeElement)) {
      getById("learn-start", HTMLButtonElement).focus();
    }
    this.#live.hidden = run === null;
    if (!run || run === before?.run) return;
    if (!isShown) this.#watched.clear();
    const words = run.phase === "opening" ? run.words : PHASES[run.phase];
    if (this.#status.textContent !== words) this.#status.textContent = words;
    getById("learn-counts", HTMLElement).textContent = describeSpeed(run);
    getById("learn-solved", HTMLElement).textContent = describeSolved(run);
    this.#pause.textContent = run.phase === "paused" ? "Go on" : "Pause";
    this.#pause.disabled = run.phase === "opening" || run.phase === "stopping";
    getById("learn-stop", HTMLButtonElement).disabled = run.phase === "stopping";
    const bar = getById("learn-bar", HTMLProgressElement);
    if (run.step) bar.value = run.step.done;
    else bar.removeAttribute("value");
    const { losses } = run;
    const curve = getById("learn-curve", HTMLElement);
    curve.hidden = losses.training.length === 0 && losses.validations.length === 0;
    if (
      losses.training !== before?.run?.losses.training ||
      losses.validations !== before.run.losses.validations
    ) {
      curve.replaceChildren(...lossCurve(losses, run.options.minutes));
    }
    this.#watched.show(run, images);
  }
}

/**
 * The plan of the current run, or of the last one.
 *
 * @param {TeachState} state
 */
function planOf({ run, learned }) {
  return run ? run.plan : learned?.plan;
}
