// @ts-check
/**
 * Which character is shown when: plays a reading character by character, and holds still where someone
 * looks. Knows nothing of the page.
 */

/**
 * @typedef {object} PlaybackState
 * @property {number} shown the character whose attention is shown; -1 for none
 * @property {boolean} pinned whether it is the one held, not one that the pointer passes
 * @property {number} visibleCount how many characters are there to see
 * @property {boolean} playing
 */

/** Milliseconds for which each character is shown, at normal speed. */
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
   * Takes a new reading: plays it, or shows it as a whole where nothing may move.
   *
   * @param {number} count characters
   * @param {{ still: boolean }} options
   */
  start(count, { still }) {
    this.#stop();
    this.#count = count;
    this.#hovered = null;
    this.#visibleCount = still ? count : 0;
    this.#selected = count > 0 ? 0 : -1;
    if (still) this.#notify();
    else this.play();
  }

  /** Shows nothing. */
  clear() {
    this.start(0, { still: true });
  }

  /** Plays from the first character, or goes on from where it was paused. */
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
   * Holds a character.
   *
   * @param {number} index
   */
  select(index) {
    this.#stop();
    this.#visibleCount = this.#count;
    this.#show(Math.min(Math.max(index, 0), this.#count - 1));
  }

  /**
   * Holds the character `by` places further on, as far as there are characters.
   *
   * @param {number} by
   */
  step(by) {
    this.select(this.#selected + by);
  }

  /**
   * Shows a character for as long as the pointer is on it.
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
