/** What an image is to be like; what is left out is left to chance. */
export interface DrawOptions {
  /** Same seed and wishes, same image: 0 to 2^53 - 1. */
  seed: number;
  /** `words`, the look of the paper's set, which it is unless said, or `waves`, another one. */
  style?: string;
  /** What it says: 1 to 5 letters a to z; unless said, a common word. */
  text?: string;
  /** How many characters, 3 to 5, where no text is given. */
  length?: number;
  /** Random characters instead of a word, where no text is given. */
  random?: boolean;
  /** Name of the face, as `faces` gives it. */
  face?: string;
  /** Bends the face out of its shape, into a hand of its own. */
  bent?: boolean;
  /** How many lines, arcs and dashes, 0 to 100. */
  strokes?: number;
  /** Share of the pixels that are speckled, 0 to 0.2. */
  speckle?: number;
}

/** A generated image with what is known about it. */
export interface Drawing {
  width: number;
  height: number;
  /** As `ImageData` takes them. */
  rgba: Uint8ClampedArray<ArrayBuffer>;
  text: string;
  /** Name of the face. */
  face: string;
  strokes: number;
  /** Where each character stands, in pixels. */
  characters: { character: string; x: number; y: number; width: number; height: number }[];
}

/** A face to draw with. */
export interface Face {
  name: string;
  /** The family its outlines come from. */
  family: string;
  /** Whether networks are trained on it, or it is kept for tests. */
  heldOut: boolean;
}
