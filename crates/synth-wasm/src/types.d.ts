/** Options of an image. Options that are left out follow from the seed. */
export interface DrawOptions {
  /** 0 to 2^53 - 1. The same seed and options give the same image. */
  seed: number;
  /** `words` (default), the style of the paper's set, or `waves`. */
  style?: string;
  /** The text, 1 to 5 letters a to z; by default a common word. */
  text?: string;
  /** Number of characters, 3 to 5, if there is no `text`. */
  length?: number;
  /** Random characters instead of a word, if there is no `text`. */
  random?: boolean;
  /** Name of a font, see `fonts`. */
  font?: string;
  /** Distorts the font. */
  distorted?: boolean;
  /** Number of lines, arcs and dashes, 0 to 100. */
  strokes?: number;
  /** Share of the pixels that are noise, 0 to 0.2. */
  noise?: number;
}

/** A generated image and its ground truth. */
export interface Drawing {
  width: number;
  height: number;
  /** Pixels for `ImageData`. */
  rgba: Uint8ClampedArray<ArrayBuffer>;
  text: string;
  /** Name of the font. */
  font: string;
  strokes: number;
  /** Bounding box of each character, in pixels. */
  characters: { character: string; x: number; y: number; width: number; height: number }[];
}

/** A font of the generator. */
export interface Font {
  name: string;
  /** The family that its outlines come from. */
  family: string;
  /** Whether it is kept for tests; else networks are trained on it. */
  heldOut: boolean;
}
