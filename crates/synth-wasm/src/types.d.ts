/** Options of an image. Options that are left out follow from the seed. */
export interface DrawOptions {
  /** 0 to 2^53 - 1. The same seed and options give the same image. */
  seed: number;
  /** Name of a look, see `looks`; by default `words`, the look of the paper's set. Or `random`, `random-hard`. */
  style?: string;
  /** Number of a random look, 0 to 2^53 - 1; by default the seed. */
  look?: number;
  /** The text: characters of the look, and no more than it can have. */
  text?: string;
  /** Number of characters, within the look's lengths, if there is no `text`. */
  length?: number;
  /** Random characters instead of a word, if there is no `text` and the look has words. */
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
  /** The look that it was drawn in. */
  look: Look;
}

/** A look of the generator. */
export interface Look {
  name: string;
  /** One line that describes it. */
  title: string;
  /** The characters of its texts. */
  alphabet: string;
  /** Fewest and most characters of its texts. */
  shortest: number;
  longest: number;
  /** Whether its texts are words. */
  hasWords: boolean;
  /** Whether it has lines, arcs or circles, which `strokes` counts. */
  hasStrokes: boolean;
  /** Whether it has specks, of which `noise` is the share. */
  hasNoise: boolean;
}

/** A font of the generator. */
export interface Font {
  name: string;
  /** The family that its outlines come from. */
  family: string;
  /** Whether it is kept for tests; else networks are trained on it. */
  heldOut: boolean;
}
