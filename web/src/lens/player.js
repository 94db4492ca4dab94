// @ts-check
/**
 * Plays a reading character by character, and pauses at the character that the user points at. It does
 * not touch the page.
 */

/**
 * @typedef {object} PlaybackState
 * @property {number} shown the character whose attention is shown; -1 for none
 * @property {boolean} pinned `false` for a character under the pointer
 * @property {number} visibleCount the number of visible characters
 * @property {boolean} playing
 */

/** How long each character is shown at normal speed, in milliseconds. */
const CHARACTER_MILLISECONDS = 900;

export class Player {
  #count = 0;
  #selected = -1;
  #visibleCount = 0;
  /** The character under the pointer. @type {number | null} */
  #hovered = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #speed = 1;
  #onChange;

  /** @param {(state: PlaybackState) => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange;
  }

  /**
   * Plays a new reading, or shows all of it at once.
   *
   * @param {number} count characters
   * @param {{ instant: boolean }} options `instant`: without animation
   */
  start(count, { instant }) {
    this.#stop();
    this.#count = count;
    this.#hovered = null;
    this.#visibleCount = instant ? count : 0;
    this.#selected = count > 0 ? 0 : -1;
    if (instant) this.#notify();
    else this.play();
  }

  /** Shows nothing. */
  clear() {
    this.start(0, { instant: true });
  }

  /** Plays from the first character, or continues after a pause. */
  play() {
    if (this.#count === 0) return this.#notify();
    const done = this.#visibleCount === this.#count && this.#selected === this.#count - 1;
    if (done) this.#selected = 0;
    this.#schedule();
    this.#show(this.#selected);
  }

  pause() {
    this.#stop();
    this.#notify();
  }

  toggle() {
    if (this.#timer === undefined) this.play();
    else this.pause();
  }

  /**
   * @param {number} speed 1 is normal
   */
  setSpeed(speed) {
    this.#speed = speed;
  }

  /**
   * Pins a character.
   *
   * @param {number} index
   */
  select(index) {
    this.#stop();
    this.#visibleCount = this.#count;
    this.#show(Math.min(Math.max(index, 0), this.#count - 1));
  }

  /**
   * Pins the character `by` positions after the current one, if there is one.
   *
   * @param {number} by
   */
  step(by) {
    this.select(this.#selected + by);
  }

  /**
   * Shows the character under the pointer.
   *
   * @param {number | null} index
   */
  hover(index) {
    this.#hovered = index;
    this.#notify();
  }

  #schedule() {
    this.#timer = setTimeout(() => {
      if (this.#hovered !== null) return this.#schedule();
      if (this.#selected + 1 < this.#count) {
        this.#schedule();
        this.#show(this.#selected + 1);
      } else {
        this.pause();
      }
    }, CHARACTER_MILLISECONDS / this.#speed);
  }

  /** @param {number} index */
  #show(index) {
    this.#selected = index;
    this.#visibleCount = Math.max(this.#visibleCount, index + 1);
    this.#notify();
  }

  #stop() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #notify() {
    this.#onChange({
      shown: this.#hovered ?? this.#selected,
      pinned: this.#hovered === null,
      visibleCount: this.#visibleCount,
      playing: this.#timer !== undefined,
    });
  }
}
