// @ts-check
/** The result as text and numbers. */

import { milliseconds, percent, visibleCharacter } from "../../common/format.js";
import { certaintyOf, describeCertainty } from "../../common/describe.js";
import { createElement, getById } from "../dom.js";

/** @import { Alternative, Character, Recognition } from "../../lib/types.js" */
/** @import { PlaybackState } from "../../lens/player.js" */
/** @import { DisplayOptions } from "./lens-view.js" */

export class ResultView {
  #guide = getById("guide", HTMLElement);
  #reading = getById("reading", HTMLElement);
  #details = getById("details", HTMLElement);
  #verdict = getById("verdict", HTMLElement);
  #title = getById("reading-title", HTMLElement);
  #word = getById("word", HTMLElement);
  #confidence = getById("confidence", HTMLElement);
  #advice = getById("advice", HTMLElement);
  #alternatives = getById("alternatives", HTMLElement);
  #alternativeList = getById("alternative-list", HTMLElement);
  #candidates = getById("candidates", HTMLElement);
  #candidatesTitle = getById("candidates-title", HTMLElement);
  #timing = getById("timing", HTMLElement);
  /** @type {Character[]} */
  #characters = [];

  clear() {
    this.#characters = [];
    this.#guide.hidden = true;
    this.#reading.hidden = true;
    this.#details.hidden = true;
    this.#word.replaceChildren();
  }

  /**
   * @param {Recognition} recognition
   * @param {DisplayOptions} options
   */
  setRecognition(recognition, { first }) {
    const { text, characters, alternatives, milliseconds: times } = recognition;
    this.#reading.dataset.certainty = certaintyOf(recognition);
    const { verdict, title, share, advice } = describeCertainty(recognition);
    for (const [line, words] of /** @type {const} */ ([
      [this.#verdict, verdict],
      [this.#title, title],
      [this.#confidence, share],
      [this.#advice, advice],
    ])) {
      line.textContent = words;
      line.hidden = words === "";
    }
    this.#word.replaceChildren(
      ...characters.map(({ character }) => createElement("span", character)),
    );
    // Without a text there are no other readings.
    const others = text === "" ? [] : alternatives.filter((other) => other.text !== text);
    this.#alternatives.hidden = others.length === 0;
    this.#alternativeList.replaceChildren(...others.map(row));
    this.#characters = characters;
    getById("candidate-section", HTMLElement).hidden = characters.length === 0;
    getById("timing-title", HTMLElement).textContent = first ? "Time (first reading)" : "Time";
    this.#timing.replaceChildren(
      // On WebGPU the encoder still runs when the decoder starts, so both have one time.
      pair("Decode", times.decode),
      pair("Resize", times.preprocess),
      pair("Inference", times.encode + times.read),
      pair("Total", times.total),
    );
    this.#reading.hidden = false;
    this.#details.hidden = false;
  }

  /** @param {PlaybackState} state */
  showCharacter({ shown, visibleCount }) {
    [...this.#word.children].forEach((character, i) => {
      character.classList.toggle("pending", i >= visibleCount);
      character.classList.toggle("current", i === shown);
    });
    // The other readings must not reveal pending characters.
    this.#alternativeList.classList.toggle("pending", visibleCount < this.#characters.length);
    const candidates = this.#characters[shown]?.alternatives ?? [];
    this.#candidatesTitle.textContent = `Character ${shown + 1}: candidates`;
    this.#candidates.replaceChildren(
      ...candidates.map(({ character, confidence }) =>
        row({
          text: character === null ? "end of text" : visibleCharacter(character),
          confidence,
        }),
      ),
    );
  }
}

/**
 * @param {string} stage
 * @param {number} time
 */
function pair(stage, time) {
  const made = createElement("div", "");
  made.append(createElement("dt", stage), createElement("dd", milliseconds(time)));
  return made;
}

/** @param {Alternative} alternative */
function row({ text, confidence }) {
  const item = createElement("li", "");
  item.append(
    createElement("span", text || "no text", "text"),
    createElement("span", percent(confidence), "share"),
  );
  return item;
}
