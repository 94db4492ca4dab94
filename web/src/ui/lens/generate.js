// @ts-check
/** The generator's settings. Whatever is changed is drawn and read at once. */

import { MAX_NOISE, MAX_STROKES } from "../../lens/share-link.js";
import { cloneTemplate, createElement, getById, prefersReducedMotion, query } from "../dom.js";

/** @import { DrawOptions, Drawing, Face } from "../../../pkg/captcha_synth_wasm.js" */

export class GenerateView {
  #panel = getById("generator", HTMLElement);
  #open = getById("generate", HTMLButtonElement);
  #style = getById("generator-style", HTMLSelectElement);
  #text = getById("generator-text", HTMLInputElement);
  #length = getById("generator-length", HTMLSelectElement);
  #random = getById("generator-random", HTMLInputElement);
  #distort = getById("generator-distort", HTMLInputElement);
  #font = getById("generator-font", HTMLSelectElement);
  #seed = getById("generator-seed", HTMLInputElement);
  /** The face to choose once there are faces to choose from. @type {string | undefined} */
  #pendingFont;
  #error = getById("generator-error", HTMLElement);
  #strokes = new Slider("Strokes", { max: MAX_STROKES, step: 1, value: 16 }, String);
  #noise = new Slider(
    "Noise",
    { max: 100 * MAX_NOISE, step: 0.1, value: 0.8 },
    (value) => `${value.toFixed(1)}%`,
  );
  #onChange;

  /**
   * @param {(options: DrawOptions) => void} onChange what to draw now
   * @param {() => void} commit a setting is as it should be: a slider, say, was let go
   */
  constructor(onChange, commit) {
    this.#onChange = onChange;
    this.#open.addEventListener("click", () => {
      if (this.#panel.hidden) {
        this.open();
        // Below it, the picture that it draws.
        this.#panel.scrollIntoView({ behavior: prefersReducedMotion() ? "auto" : "smooth" });
        this.#emit();
      } else {
        this.close();
      }
    });
    this.#panel.addEventListener("input", () => {
      this.#updateEnabled();
      this.#emit();
    });
    this.#panel.addEventListener("change", commit);
    getById("generator-new-seed", HTMLButtonElement).addEventListener("click", () => {
      this.#seed.value = String(this.#seedValue() + 1);
      this.#emit();
    });
  }

  open() {
    this.#panel.hidden = false;
    this.#open.setAttribute("aria-expanded", "true");
  }

  close() {
    this.#panel.hidden = true;
    this.#open.setAttribute("aria-expanded", "false");
  }

  /** @param {Face[]} faces */
  setFonts(faces) {
    if (this.#font.length > 1) return;
    for (const heldOut of [false, true]) {
      const group = document.createElement("optgroup");
      group.label = heldOut ? "Not used in training" : "Used in training";
      for (const face of faces.filter((one) => one.heldOut === heldOut)) {
        const option = new Option(`${face.family} (${face.name})`, face.name);
        group.append(option);
      }
      this.#font.append(group);
    }
    if (this.#pendingFont) selectOption(this.#font, this.#pendingFont);
    this.#pendingFont = undefined;
  }

  /**
   * Shows settings that came from elsewhere.
   *
   * @param {DrawOptions} options
   */
  setOptions({ seed, style, text, length, random, face, bent, strokes, speckle }) {
    this.#seed.value = String(seed);
    selectOption(this.#style, style);
    this.#text.value = text ?? "";
    this.#updateEnabled();
    this.#length.value = String(length ?? "");
    this.#random.checked = random ?? false;
    if (this.#font.length > 1) selectOption(this.#font, face);
    else this.#pendingFont = face;
    this.#distort.checked = bent ?? false;
    this.#strokes.set(strokes);
    this.#noise.set(speckle === undefined ? undefined : 100 * speckle);
  }

  /**
   * Shows what was drawn where it was left to chance.
   *
   * @param {Omit<Drawing, "rgba">} drawing
   */
  setDrawing({ text, face, strokes }) {
    this.#text.placeholder = text;
    this.#strokes.setRandomValue(strokes);
    this.setError("");
    const drawn = createElement("b", text);
    drawn.translate = false;
    const name = [...this.#font.options].find((option) => option.value === face)?.text ?? face;
    getById("generator-info", HTMLElement).replaceChildren(
      "Text: ",
      drawn,
      `. Font: ${name}. Strokes: ${strokes}.`,
      this.#style.value ? " The model was not trained on this style." : "",
    );
  }

  /**
   * Says what is wrong with a setting.
   *
   * @param {string} problem empty where nothing is
   */
  setError(problem) {
    this.#error.textContent = problem;
  }

  /** What is shown is none of its drawings. */
  clearDrawing() {
    getById("generator-info", HTMLElement).replaceChildren();
  }

  /** What chooses a text is of no use where one is given. */
  #updateEnabled() {
    this.#length.disabled = this.#random.disabled = this.#text.value.trim() !== "";
  }

  #emit() {
    const text = this.#text.value.trim();
    const valid = text === "" || new RegExp(`^${this.#text.pattern}$`).test(text);
    this.#text.setAttribute("aria-invalid", String(!valid));
    this.setError(valid ? "" : "Enter 1 to 5 letters from a to z.");
    if (!valid) return; // what was drawn last stays
    const speckle = this.#noise.value;
    this.#onChange({
      seed: this.#seedValue(),
      style: this.#style.value || undefined,
      text: text.toLowerCase() || undefined,
      length: Number(this.#length.value) || undefined,
      random: this.#random.checked || undefined,
      face: this.#font.value || this.#pendingFont,
      bent: this.#distort.checked || undefined,
      strokes: this.#strokes.value,
      speckle: speckle === undefined ? undefined : speckle / 100,
    });
  }

  #seedValue() {
    const seed = Math.trunc(this.#seed.valueAsNumber); // not a number where the field is empty
    return Number.isSafeInteger(seed) && seed >= 0 ? seed : 1;
  }
}

/**
 * Chooses an option; the first where there is none of that value.
 *
 * @param {HTMLSelectElement} select
 * @param {string | undefined} value
 */
function selectOption(select, value = "") {
  select.value = value;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

/** A slider from 0 up that can also be left to chance, put where its template is. */
class Slider {
  #input;
  #random;
  #output;
  #words;

  /**
   * @param {string} name
   * @param {{ max: number, step: number, value: number }} range
   * @param {(value: number) => string} words
   */
  constructor(name, { max, step, value }, words) {
    const field = cloneTemplate("slider-template");
    this.#input = query(field, "[type=range]", HTMLInputElement);
    this.#random = query(field, "[type=checkbox]", HTMLInputElement);
    this.#output = query(field, "output", HTMLOutputElement);
    this.#words = words;
    query(field, ".name", HTMLElement).textContent = name;
    field.setAttribute("aria-label", name);
    this.#input.setAttribute("aria-label", name);
    // In this order: a slider holds its value to its range.
    Object.assign(this.#input, { max, step, value });
    getById("slider-template", HTMLTemplateElement).before(field);
    this.#input.addEventListener("input", () => {
      this.#random.checked = false;
      this.#show();
    });
    this.#random.addEventListener("input", () => this.#show());
    this.#show();
  }

  /** @returns {number | undefined} `undefined` where it is left to chance */
  get value() {
    return this.#random.checked ? undefined : Number(this.#input.value);
  }

  /** @param {number | undefined} value */
  set(value) {
    this.#random.checked = value === undefined;
    if (value !== undefined) this.#input.value = String(value);
    this.#show();
  }

  /** @param {number} value what chance made of it */
  setRandomValue(value) {
    if (this.#random.checked) this.#input.value = String(value);
  }

  #show() {
    const { value } = this;
    this.#output.textContent = value === undefined ? "random" : this.#words(value);
    this.#input.setAttribute("aria-valuetext", this.#output.textContent);
  }
}
