/** Where the network should run. `auto` takes WebGPU where it works, else the CPU. */
export type BackendWish = "auto" | "webgpu" | "cpu";

/** Where the network does run. */
export interface Backend {
  kind: "webgpu" | "cpu";
  /** The graphics adapter's name, or what computes on the CPU. */
  adapter: string;
  /** Why not WebGPU, where `auto` had to take the CPU; else `null`. */
  reason: string | null;
}

/** How far loading is. */
export interface LoadProgress {
  /** `network`, then for WebGPU `device` and `check`. */
  stage: "network" | "device" | "check";
  /** 0 to 1. */
  fraction: number;
}

/** Options of `Recognizer.load`. */
export interface LoadOptions {
  /** A safetensors file made by captcha-lens. */
  weights: Uint8Array | ArrayBuffer;
  /** `auto` unless said. */
  backend?: BackendWish;
  onProgress?: (progress: LoadProgress) => void;
}

/** What can be read: an encoded image (PNG, JPEG, WebP, GIF, BMP), a file, or pixels. */
export type ImageSource = Uint8Array | ArrayBuffer | Blob | ImageData;

/** Options of `Recognizer.recognize`. */
export interface RecognizeOptions {
  /** How many of the most probable texts to give, 0 to 100; 0 unless said. */
  alternatives?: number;
}

/** Rows and columns of the positions that attention looks over. */
export interface Grid {
  rows: number;
  cols: number;
}

/** One character as it was read. */
export interface Character {
  character: string;
  /** Probability of this character, 0 to 1. */
  confidence: number;
  /** One weight for each grid position, row by row; the weights sum to 1. */
  attention: Float32Array;
  /** What could stand here, five at most: the character itself, then the most probable others. */
  alternatives: CharacterAlternative[];
}

/** What could stand in a character's place. */
export interface CharacterAlternative {
  /** `null` where the text could end here instead. */
  character: string | null;
  /** Its probability, 0 to 1. */
  confidence: number;
}

/** A text that the image could hold. */
export interface Alternative {
  text: string;
  /** Probability of the whole text, 0 to 1. */
  confidence: number;
}

/** How long a reading took, in milliseconds; of several images read at once, each its share. */
export interface Milliseconds {
  /** From bytes to pixels. */
  decode: number;
  /** To the network's input: resizing and scaling. */
  preprocess: number;
  /** The encoder; on WebGPU only until the work is handed over. */
  encode: number;
  /** The decoder and the way back from the device. */
  read: number;
  /** All together. */
  total: number;
}

/**
 * What was read in one image. Where no characters were recognised, `text` is "", and `blank` says
 * whether that is because the image holds nothing.
 */
export interface Recognition {
  text: string;
  /** Probability of the whole text, 0 to 1. */
  confidence: number;
  characters: Character[];
  grid: Grid;
  /** Whether the image holds nothing: its pixels hardly differ. */
  blank: boolean;
  /**
   * The most probable texts, the most probable first: `text` and `confidence` are those of the first.
   * Asking for alternatives searches wider, so where the network is unsure, `text` can be another one
   * than without.
   */
  alternatives: Alternative[];
  milliseconds: Milliseconds;
  backend: Backend;
  /** Size of the image in pixels, upright. */
  width: number;
  height: number;
}

/** What a network reads. */
export interface NetworkConfig {
  /** The characters that can be read. */
  alphabet: string;
  /** The longest text that is read. */
  maxLength: number;
  grid: Grid;
}

/** What tells one failure from another. */
export type ErrorCode =
  | "unreadable-image"
  | "image-too-large"
  | "bad-weights"
  | "invalid-config"
  | "no-webgpu"
  | "device-lost"
  | "bad-argument";

/** What every method of `Recognizer` rejects with; the message is a sentence to act on. */
export interface LensError extends Error {
  name: "LensError";
  code: ErrorCode;
}
