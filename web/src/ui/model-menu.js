// @ts-check
/** The menu in the header that selects, opens and removes models. */

import { createElement, getById } from "./dom.js";
import { linkSettings } from "./backend-select.js";

/** @import { ListedModel } from "../common/model-choice.js" */

export class ModelMenu {
  #menu = getById("model-menu", HTMLDetailsElement);
  #select = getById("model", HTMLSelectElement);
  #remove = getById("model-remove", HTMLButtonElement);
  #status = getById("model-status", HTMLElement);
  #error = getById("model-error", HTMLElement);

  /**
   * @param {object} on
   * @param {(id: string) => void} on.choose `id` is empty for the built-in model
   * @param {(file: File) => void} on.open
   * @param {() => void} on.remove
   */
  constructor(on) {
    this.#select.addEventListener("change", () => on.choose(this.#select.value));
    const input = getById("model-file", HTMLInputElement);
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      input.value = ""; // so that the same file can be chosen again
      if (file) on.open(file);
    });
    this.#remove.addEventListener("click", () => on.remove());
    this.#menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#menu.open) return;
      this.#menu.open = false;
      this.#menu.querySelector("summary")?.focus();
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (target instanceof Node && !this.#menu.contains(target)) this.#menu.open = false;
    });
  }

  /**
   * @param {{ models: ListedModel[], builtInName: string, chosen: string }} choice `chosen`: an id; empty for
   *   the built-in model
   */
  setModels({ models, builtInName, chosen }) {
    this.#select.replaceChildren(
      option("", builtInName),
      ...models.map(({ id, name }) => option(id, name)),
    );
    this.#select.value = chosen;
    const model = models.find(({ id }) => id === chosen);
    getById("model-name", HTMLElement).textContent = model?.name ?? builtInName;
    const hidden = !model?.removable;
    // Keeps the focus near its place when the focused button disappears.
    if (hidden && document.activeElement === this.#remove) this.#select.focus();
    this.#remove.hidden = hidden;
    linkSettings({ model: chosen });
  }

  /** @param {string} words */
  setModelStatus(words) {
    this.#status.textContent = words;
  }

  /** @param {string} message empty if there is no error */
  setModelError(message) {
    this.#error.textContent = message;
    this.#error.hidden = message === "";
  }

  /** @param {string} name */
  confirmRemoval(name) {
    return confirm(
      `Remove the model “${name}” from this browser? If you have no file of it, it is lost.`,
    );
  }
}

/**
 * @param {string} value
 * @param {string} name
 */
function option(value, name) {
  const made = createElement("option", name);
  made.setAttribute("value", value);
  return made;
}
