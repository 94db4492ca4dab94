// @ts-check
/** The fourth step of the teach page: weights, report and model to take along. */

import { modelName } from "../../teach/describe.js";
import { getById } from "../dom.js";
import { saveFile } from "../save-file.js";
import { loadResults } from "./load-results.js";

/** @import { Step, TeachState } from "../../teach/types.js" */

export class TakeView {
  #name = getById("model-name", HTMLInputElement);
  /** @type {TeachState | null} */
  #state = null;

  /** @param {{ keepModel: (name: string) => void, reject: (step: Step, error: unknown) => void }} on */
  constructor(on) {
    getById("weights-save", HTMLButtonElement).addEventListener("click", () => {
      const learned = this.#state?.learned;
      if (!learned) return;
      const weights = new Uint8Array(learned.result.weights);
      saveFile(new Blob([weights]), `${modelName(learned).replace(" ", "-")}.safetensors`);
    });
    getById("report-save", HTMLButtonElement).addEventListener("click", () => {
      this.#saveReport().catch((error) => on.reject("take", error));
    });
    getById("keep-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      on.keepModel(this.#name.value);
    });
  }

  /** @param {TeachState} state */
  show(state) {
    const { learned, said } = state;
    if (learned && learned !== this.#state?.learned) this.#name.value = modelName(learned);
    this.#state = state;
    getById("take-empty", HTMLElement).hidden = learned !== null;
    getById("takeaway", HTMLElement).hidden = learned === null;
    const words = getById("take-said", HTMLElement);
    if (words.textContent !== (said.take ?? "")) words.textContent = said.take ?? "";
  }

  async #saveReport() {
    if (!this.#state?.learned) return;
    const { learned } = this.#state;
    const { auditFile } = await loadResults();
    const model = this.#name.value.trim() || modelName(learned);
    const file = await auditFile(learned, this.#state, model);
    saveFile(file, `${modelName(learned).replace(" ", "-")}.html`);
  }
}
