// @ts-check
/** The document of the teach page. Changes are shown in the next frame. */

import { describeSteps } from "../../teach/describe.js";
import { linkSettings } from "../backend-select.js";
import { getById, isIos } from "../dom.js";
import { dropZone } from "../drop-zone.js";
import { GiveView } from "./give-view.js";
import { ImageUrls } from "./image-urls.js";
import { KnowView } from "./know-view.js";
import { LearnView } from "./learn-view.js";
import { TakeView } from "./take-view.js";

/** @import { Look } from "../../../pkg/captcha_synth_wasm.js" */
/** @import { BackendPreference } from "../../lib/types.js" */
/** @import { Step, TeachState } from "../../teach/types.js" */
/** @import { GiveEvents } from "./give-view.js" */
/** @import { LearnEvents } from "./learn-view.js" */

/**
 * @typedef {GiveEvents & LearnEvents & ConstructorParameters<typeof KnowView>[1] &
 *   ConstructorParameters<typeof TakeView>[0] & { drop: (transfer: DataTransfer) => void }} TeachEvents
 */

const STEPS = /** @type {Step[]} */ (["give", "learn", "know", "take"]);

export class TeachView {
  #body = getById("drop-zone", HTMLElement);
  #urls = new ImageUrls();
  #give;
  #learn;
  #know;
  #take;
  /** @type {TeachState | undefined} */
  #state;
  #isScheduled = false;

  /**
   * @param {BackendPreference} backend for the links to the other pages
   * @param {TeachEvents} on
   */
  constructor(backend, on) {
    linkSettings({ backend, weights: new URLSearchParams(location.search).get("weights") ?? "" });
    // Shown at once, so that the next key is for the image that is on the page.
    const now = {
      label: (/** @type {string} */ text) => this.#flush(() => on.label(text)),
      move: (/** @type {1 | -1} */ by) => this.#flush(() => on.move(by)),
      jump: (/** @type {string} */ id) => this.#flush(() => on.jump(id)),
    };
    this.#give = new GiveView(this.#urls, { ...on, ...now });
    // A button that cannot start anything says why.
    const learn = () => this.#flush(() => !this.#learn.blocked && on.learn());
    const measure = () => this.#flush(() => !this.#know.blocked && on.measure());
    this.#learn = new LearnView(this.#urls, { ...on, learn });
    this.#know = new KnowView(this.#urls, { ...on, measure });
    this.#take = new TakeView(on);
    // The browsers on iOS cannot open a folder.
    if (isIos()) getById("folder-choice", HTMLElement).hidden = true;
    dropZone(this.#body, {
      over: (isOver) => this.#body.classList.toggle("dropping", isOver),
      drop: on.drop,
    });
    this.#body.classList.add("started");
  }

  /** @param {Look[]} looks */
  setLooks(looks) {
    this.#give.setLooks(looks);
  }

  /** @param {TeachState} state */
  show(state) {
    this.#state = state;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      if (this.#state) this.#render(this.#state);
    });
  }

  /**
   * Shows the latest state and the effect of an action without waiting for a frame.
   *
   * @param {() => void} act
   */
  #flush(act) {
    if (this.#state) this.#render(this.#state);
    act();
    if (this.#state) this.#render(this.#state);
  }

  /** @param {TeachState} state */
  #render(state) {
    this.#give.show(state);
    this.#learn.show(state);
    this.#know.show(state);
    this.#take.show(state);
    this.#urls.keep(state.images);
    const words = describeSteps(state);
    for (const step of STEPS) {
      const error = getById(`${step}-error`, HTMLElement);
      const shown = state.error?.step === step ? state.error.error : null;
      error.hidden = shown === null;
      if (shown && error.textContent !== shown.message) error.textContent = shown.message;
      error.dataset.code = shown?.code ?? "";
      getById(`${step}-state`, HTMLElement).textContent = words[step];
    }
    const keeping = getById("keeping", HTMLElement);
    keeping.hidden = state.keeping === "";
    if (keeping.textContent !== state.keeping) keeping.textContent = state.keeping;
    this.#body.dataset.state = stateOf(state);
  }
}

/** @param {TeachState} state */
function stateOf({ run, curveRun, work }) {
  if (run) return "learning";
  if (curveRun) return "measuring";
  return work ? "working" : "ready";
}
