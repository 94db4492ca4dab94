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
  /** Whether a key press is changing the value of the closed list. */
  #isStepping = false;
  /** Whether the value has changed in this way since the list was focused. */
  #hasStepped = false;

  /**
   * @param {object} on
   * @param {(id: string) => void} on.choose `id` is empty for the built-in model
   * @param {(file: File) => void} on.open
   * @param {() => void} on.remove
   */
  constructor(on) {
    this.#listenToSelect(on.choose);
    const input = getById("model-file", HTMLInputElement);
    input.addEventListener("change", () => {
      const [file] = input.files ?? [];
      input.value = ""; // so that the same file can be chosen again
      if (!file) return;
      this.#close();
      on.open(file);
    });
    this.#remove.addEventListener("click", () => on.remove());
    this.#menu.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#menu.open) this.#close();
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (target instanceof Node && !this.#menu.contains(target)) this.#menu.open = false;
    });
  }

  /**
   * Closes the menu after a choice from the open list, and after Enter. The keys that change the value
   * of the closed list leave the menu open.
   *
   * @param {(id: string) => void} choose
   */
  #listenToSelect(choose) {
    this.#select.addEventListener("change", () => {
      const isStep = this.#isStepping;
      this.#hasStepped ||= isStep;
      choose(this.#select.value);
      if (!isStep) this.#close();
    });
    for (const type of ["keydown", "keypress"]) {
      this.#select.addEventListener(type, () => {
        this.#isStepping = true;
        // The change follows within the same task, unless the key opens the list.
        setTimeout(() => (this.#isStepping = false));
      });
    }
    this.#select.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !this.#hasStepped) return;
      event.preventDefault(); // else the key opens the menu again
      this.#close();
    });
    this.#select.addEventListener("focus", () => (this.#hasStepped = false));
  }

  /** Closes the menu. The focus returns to its button. */
  #close() {
    this.#menu.open = false;
    this.#menu.querySelector("summary")?.focus();
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
