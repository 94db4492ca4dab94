/** The preferred backend. `auto` is WebGPU if it works, else the CPU. */
export type BackendPreference = "auto" | "webgpu" | "cpu";

/** The backend on which the network runs. */
export interface Backend {
  kind: "webgpu" | "cpu";
  /** The name of the graphics adapter, or the CPU's instruction set. */
  adapter: string;
  /** The reason why `auto` chose the CPU; otherwise `null`. */
  reason: string | null;
}

/** The progress of loading. */
export interface LoadProgress {
  /** First `network`, then `device` and `check` for WebGPU. */
  stage: "network" | "device" | "check";
  /** 0 to 1. */
  fraction: number;
}

/** Options of `Recognizer.load`. */
export interface LoadOptions {
  /** A safetensors file written by captcha-lens. */
  weights: Uint8Array | ArrayBuffer;
  /** Default: `auto`. */
  backend?: BackendPreference;
  onProgress?: (progress: LoadProgress) => void;
}

/** An image: an encoded image (PNG, JPEG, WebP, GIF, BMP), a file, or pixels. */
export type ImageSource = Uint8Array | ArrayBuffer | Blob | ImageData;

/** Options of `Recognizer.recognize`. */
export interface RecognizeOptions {
  /** Number of the most probable texts to return, 0 to 100. Default: 0. */
  alternatives?: number;
}

/** The grid of positions that attention weighs. */
export interface Grid {
  rows: number;
  cols: number;
}

/** One character of the text. */
export interface Character {
  character: string;
  /** Probability of this character, 0 to 1. */
  confidence: number;
  /** One weight for each grid position, row by row; the weights sum to 1. */
  attention: Float32Array;
  /** At most five candidates for this position: the character itself, then the most probable others. */
  alternatives: CharacterAlternative[];
}

/** A candidate for the position of a character. */
export interface CharacterAlternative {
  /** `null` stands for the end of the text. */
  character: string | null;
  /** Its probability, 0 to 1. */
  confidence: number;
}

/** A possible text. */
export interface Alternative {
  text: string;
  /** Probability of the whole text, 0 to 1. */
  confidence: number;
}

/** Time of the stages in milliseconds. For a batch, each image has its share. */
export interface Milliseconds {
  /** From bytes to pixels. */
  decode: number;
  /** From pixels to the network's input: resizing and scaling. */
  preprocess: number;
  /** The encoder; on WebGPU only until the work is submitted. */
  encode: number;
  /** The decoder, and copying the result from the device. */
  read: number;
  /** All stages. */
  total: number;
}

/** The result for one image. `text` is "" if no characters were recognized. */
export interface Recognition {
  text: string;
  /** Probability of the whole text, 0 to 1. */
  confidence: number;
  characters: Character[];
  /** The grid over this image. */
  grid: Grid;
  /** Whether the image is blank: its pixels hardly differ. */
  blank: boolean;
  /**
   * The most probable texts, the most probable first, which is `text`. Alternatives are found by beam
   * search. If the network is unsure, its first text can differ from the one without alternatives.
   */
  alternatives: Alternative[];
  milliseconds: Milliseconds;
  backend: Backend;
  /** Size of the image in pixels, after rotation by its EXIF orientation. */
  width: number;
  height: number;
}

/** The properties of a network. */
export interface NetworkConfig {
  /** The characters that the network can answer. */
  alphabet: string;
  /** The length of the longest text. */
  maxLength: number;
  /** The grid of an input of the configured size. A network whose input has the proportions of each
   * image has another grid for each: see `Recognition`. */
  grid: Grid;
}

/** The codes of errors. */
export type ErrorCode =
  | "unreadable-image"
  | "image-too-large"
  | "bad-weights"
  | "invalid-config"
  | "no-webgpu"
  | "device-lost"
  | "bad-argument";

/** The error with which the methods of `Recognizer` reject. The message says what to do. */
export interface LensError extends Error {
  name: "LensError";
  code: ErrorCode;
}
