// @ts-check
/** The settings of the generator. Each change generates and reads a new image. */

import { RANDOM_LOOK, isRandomLook, randomLookOptions } from "../../common/random-looks.js";
import { MAX_NOISE, MAX_STROKES } from "../../lens/share-link.js";
import { cloneTemplate, createElement, getById, prefersReducedMotion, query } from "../dom.js";

/** @import { DrawOptions, Drawing, Font, Look } from "../../../pkg/captcha_synth_wasm.js" */

/** The most characters of a text that is not a word. */
const LONGEST = 16;
/** The look of old links and of the first drawing, before the generator has listed the others. @type {Look} */
const WORDS = {
  name: "words",
  title: "",
  alphabet: "abcdefghijklmnopqrstuvwxyz",
  shortest: 3,
  longest: 5,
  hasWords: true,
  hasStrokes: true,
  hasNoise: true,
};

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
  /** The font to select when the list of fonts has arrived. @type {string | undefined} */
  #pendingFont;
  /** The style to select when the list of looks has arrived. @type {string | undefined} */
  #pendingStyle;
  /** The number of the random look. @type {number | undefined} */
  #lookNumber;
  /** The look of the settings. */
  #look = WORDS;
  /** The listed looks by name. @type {Map<string, Look>} */
  #looks = new Map();
  #error = getById("generator-error", HTMLElement);
  #strokes = new Slider("Strokes", { max: MAX_STROKES, step: 1, value: 16 }, String);
  #noise = new Slider(
    "Noise",
    { max: 100 * MAX_NOISE, step: 0.1, value: 0.8 },
    (value) => `${value.toFixed(1)}%`,
  );
  #onChange;

  /**
   * @param {(options: DrawOptions) => void} onChange called with the new settings
   * @param {() => void} commit called when a change is complete, for example when a slider is
   *   released
   */
  constructor(onChange, commit) {
    this.#onChange = onChange;
    this.#open.addEventListener("click", () => {
      if (this.#panel.hidden) {
        this.open();
        // Scrolls so that the image below the panel is visible.
        this.#panel.scrollIntoView({ behavior: prefersReducedMotion() ? "auto" : "smooth" });
        this.#emit();
      } else {
        this.close();
      }
    });
    this.#style.addEventListener("input", () => {
      this.#chooseStyle(this.#style.value);
    });
    getById("generator-surprise", HTMLButtonElement).addEventListener("click", () => {
      this.#lookNumber = Math.floor(Math.random() * 2 ** 32);
      this.#style.value = RANDOM_LOOK;
      this.#chooseStyle(RANDOM_LOOK);
      this.#emit();
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

  /** @param {Font[]} fonts */
  setFonts(fonts) {
    if (this.#font.length > 1) return;
    for (const heldOut of [false, true]) {
      const group = document.createElement("optgroup");
      group.label = heldOut ? "Not used in training" : "Used in training";
      for (const font of fonts.filter((one) => one.heldOut === heldOut)) {
        const option = new Option(`${font.family} (${font.name})`, font.name);
        group.append(option);
      }
      this.#font.append(group);
    }
    if (this.#pendingFont) selectOption(this.#font, this.#pendingFont);
    this.#pendingFont = undefined;
  }

  /** @param {Look[]} looks */
  setLooks(looks) {
    if (this.#looks.size > 0 || looks.length === 0) return;
    this.#looks = new Map(looks.map((look) => [look.name, look]));
    const names = looks.map(({ name }) => name).filter((name) => name !== WORDS.name);
    this.#style.append(...names.map((name) => new Option(name)), ...randomLookOptions());
    if (this.#pendingStyle) selectOption(this.#style, this.#pendingStyle);
    this.#pendingStyle = undefined;
    this.#setLook(this.#looks.get(this.#style.value || WORDS.name) ?? this.#look);
  }

  /**
   * Shows the settings of a link.
   *
   * @param {DrawOptions} options
   */
  setOptions({ seed, style, look, text, length, random, font, distorted, strokes, noise }) {
    this.#seed.value = String(seed);
    this.#lookNumber = look;
    if (this.#looks.size > 0) selectOption(this.#style, style);
    else this.#pendingStyle = style;
    const known = this.#looks.get(style ?? WORDS.name);
    this.#setLook(
      known ?? (style ? { ...WORDS, alphabet: "", shortest: 1, longest: LONGEST } : WORDS),
    );
    this.#text.value = text ?? "";
    this.#updateEnabled();
    this.#length.value = String(length ?? "");
    this.#random.checked = random ?? false;
    if (this.#font.length > 1) selectOption(this.#font, font);
    else this.#pendingFont = font;
    this.#distort.checked = distorted ?? false;
    this.#strokes.set(strokes);
    this.#noise.set(noise === undefined ? undefined : 100 * noise);
  }

  /**
   * Shows the values that the generator chose at random.
   *
   * @param {Omit<Drawing, "rgba">} drawing
   */
  setDrawing({ text, font, strokes, look }) {
    this.#setLook(look);
    this.#text.placeholder = text;
    this.#strokes.setRandomValue(strokes);
    this.setError("");
    const drawn = createElement("b", text);
    drawn.translate = false;
    const name = [...this.#font.options].find((option) => option.value === font)?.text ?? font;
    getById("generator-info", HTMLElement).replaceChildren(
      "Text: ",
      drawn,
      `. Font: ${name}. Strokes: ${strokes}.`,
      this.#style.value
        ? ` Style: ${look.title}. The built-in model was not trained on this style.`
        : "",
    );
  }

  /**
   * Shows an error in the settings.
   *
   * @param {string} problem empty for none
   */
  setError(problem) {
    this.#error.textContent = problem;
  }

  /** Clears the description when the image on the page was not generated. */
  clearDrawing() {
    getById("generator-info", HTMLElement).replaceChildren();
  }

  /** Disables the settings that have no effect on a given text. */
  #updateEnabled() {
    this.#length.disabled = this.#random.disabled = this.#text.value.trim() !== "";
  }

  /**
   * Shows the settings of another look, without the values that it cannot have.
   *
   * @param {string} style
   */
  #chooseStyle(style) {
    this.#pendingStyle = undefined;
    if (isRandomLook(style)) this.#lookNumber ??= this.#seedValue();
    else this.#lookNumber = undefined;
    const look = this.#looks.get(style || WORDS.name);
    // A random look is known when it was drawn, so nothing is kept for it.
    this.#setLook(look ?? { ...WORDS, alphabet: "", shortest: 1, longest: LONGEST });
    if (!look || this.#written(this.#text.value.trim()) === null) this.#text.value = "";
    if (!look || /[^a-z]/.test(look.alphabet)) this.#font.value = "";
    if (!look) this.#length.value = "";
    if (!look?.hasStrokes) this.#strokes.set(undefined);
    if (!look?.hasNoise) this.#noise.set(undefined);
    if (!look?.hasWords) this.#random.checked = false;
    this.#updateEnabled();
  }

  /**
   * Shows the settings that a look has.
   *
   * @param {Look} look
   */
  #setLook(look) {
    const isOther = look.shortest !== this.#look.shortest || look.longest !== this.#look.longest;
    this.#look = look;
    getById("generator-random-field", HTMLElement).hidden = !look.hasWords;
    this.#strokes.hidden = !look.hasStrokes;
    this.#noise.hidden = !look.hasNoise;
    if (!isOther) return;
    const { value } = this.#length;
    const lengths = [];
    for (let length = look.shortest; length <= look.longest; length += 1)
      lengths.push(new Option(String(length)));
    this.#length.replaceChildren(new Option("Random", ""), ...lengths);
    selectOption(this.#length, value);
  }

  /**
   * The text in the look's case; `null` if the look cannot have it.
   *
   * @param {string} text
   */
  #written(text) {
    const { alphabet, hasWords, longest } = this.#look;
    const most = hasWords ? longest : LONGEST;
    // The look of a link is known when it was drawn.
    if (alphabet === "") return text;
    const characters = [...text].map((one) =>
      [one, one.toLowerCase(), one.toUpperCase()].find((other) => alphabet.includes(other)),
    );
    return characters.includes(undefined) || characters.length > most ? null : characters.join("");
  }

  #emit() {
    const text = this.#text.value.trim();
    const written = this.#written(text);
    this.#text.setAttribute("aria-invalid", String(written === null));
    const { alphabet, hasWords } = this.#look;
    const kind = hasWords
      ? "1 to 5 letters from a to z"
      : `1 to ${LONGEST} of the characters ${alphabet}`;
    this.setError(written === null ? `Enter ${kind}.` : "");
    if (written === null) return; // keeps the last image
    const noise = this.#noise.value;
    this.#onChange({
      seed: this.#seedValue(),
      style: this.#style.value || this.#pendingStyle,
      look: this.#lookNumber,
      text: written || undefined,
      length: Number(this.#length.value) || undefined,
      random: this.#random.checked || undefined,
      font: this.#font.value || this.#pendingFont,
      distorted: this.#distort.checked || undefined,
      strokes: this.#strokes.value,
      noise: noise === undefined ? undefined : noise / 100,
    });
  }

  #seedValue() {
    const seed = Math.trunc(this.#seed.valueAsNumber); // NaN if the field is empty
    return Number.isSafeInteger(seed) && seed >= 0 ? seed : 1;
  }
}

/**
 * Selects the option with a value, or the first one if there is none.
 *
 * @param {HTMLSelectElement} select
 * @param {string | undefined} value
 */
function selectOption(select, value = "") {
  select.value = value;
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

/** A slider with a checkbox for a random value. It is inserted before its template. */
class Slider {
  #field;
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
    this.#field = field;
    this.#input = query(field, "[type=range]", HTMLInputElement);
    this.#random = query(field, "[type=checkbox]", HTMLInputElement);
    this.#output = query(field, "output", HTMLOutputElement);
    this.#words = words;
    query(field, ".name", HTMLElement).textContent = name;
    field.setAttribute("aria-label", name);
    this.#input.setAttribute("aria-label", name);
    // The range comes first, because a slider clamps its value.
    Object.assign(this.#input, { max, step, value });
    getById("slider-template", HTMLTemplateElement).before(field);
    this.#input.addEventListener("input", () => {
      this.#random.checked = false;
      this.#show();
    });
    this.#random.addEventListener("input", () => this.#show());
    this.#show();
  }

  /** @returns {number | undefined} `undefined` for a random value */
  get value() {
    return this.#random.checked ? undefined : Number(this.#input.value);
  }

  /** @param {boolean} hidden */
  set hidden(hidden) {
    this.#field.hidden = hidden;
  }

  /** @param {number | undefined} value */
  set(value) {
    this.#random.checked = value === undefined;
    if (value !== undefined) this.#input.value = String(value);
    this.#show();
  }

  /** @param {number} value the value that was chosen at random */
  setRandomValue(value) {
    if (this.#random.checked) this.#input.value = String(value);
  }

  #show() {
    const { value } = this;
    this.#output.textContent = value === undefined ? "random" : this.#words(value);
    this.#input.setAttribute("aria-valuetext", this.#output.textContent);
  }
}
