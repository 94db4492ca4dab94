/**
 * The types of the page's engine: what `client.js` offers, and what it and `engine.js` say to each
 * other. What comes from the network is typed by the package that the wasm crate generates.
 */

// For `Symbol.dispose`, which the generated types name, where a project's libraries lack it.
/// <reference lib="esnext.disposable" />

import type {
  Backend,
  BackendWish,
  ErrorCode as EngineErrorCode,
  ImageSource,
  NetworkConfig,
  Recognition,
} from "../../pkg/captcha_wasm.js";

export type {
  Alternative,
  Backend,
  BackendWish,
  Grid,
  ImageSource,
  Character,
  Milliseconds,
  NetworkConfig,
  Recognition,
} from "../../pkg/captcha_wasm.js";

/**
 * What can be read: an encoded image (PNG, JPEG, WebP, GIF, BMP) as bytes or a file, pixels, what a
 * page shows, or an address that holds the image itself (`data:`, `blob:`). Nothing is loaded from
 * a site.
 */
export type ImageInput =
  | ImageSource
  | Uint8ClampedArray
  | HTMLImageElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | ImageBitmap
  | URL
  | string;

/** What tells one failure from another. */
export type ErrorCode =
  | EngineErrorCode
  /** Code or weights could not be downloaded. */
  | "missing-code"
  | "missing-weights"
  /** The engine broke down; it starts again with the next image. */
  | "engine-crashed"
  /** The reader was closed. */
  | "closed"
  /** There is no browser around it, as in Node.js. */
  | "no-browser";

/** Failures of the page's own, which the package does not have. */
export type PageErrorCode =
  | "bad-archive"
  | "bad-audit"
  | "missing-sample"
  | "no-clipboard"
  | "no-images"
  | "not-a-file"
  | "page-error"
  | "unreadable-file";

/** What is used of a generated module; the one without WebGPU has the same. */
export type EngineModule = Pick<typeof import("../../pkg/captcha_wasm.js"), "Recognizer"> & {
  default: (options: { module_or_path: globalThis.Response }) => Promise<unknown>;
};
/** Its class, which the worker holds. */
export type Engine = import("../../pkg/captcha_wasm.js").Recognizer;

export interface RecognizeOptions {
  /** How many of the most probable texts to give, 0 to 100; 0 unless said. */
  alternatives?: number;
  /** Gives the reading up, also one under way, whose work then goes to waste; the promise then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Where the network runs now. */
export interface RunsOn extends Backend {
  /** Whether WebGPU is being loaded and checked, to take over. */
  warming: boolean;
}

/** The stages of loading. */
export type Stage = "code" | "weights" | "network" | "device" | "check";

/** A step of loading: `code` and `weights` side by side, then `network`, `device` and `check`. */
export interface Progress {
  // A later engine may have other stages.
  stage: Stage | (string & {});
  /** 0 to 1, or `null` where the size is not known beforehand. */
  fraction: number | null;
  /** How far all of loading is, 0 to 1; `null` while a download does not say its size. */
  overall: number | null;
  /** Bytes so far, for stages that download. */
  loaded?: number;
  /** Bytes in all, where known. */
  total?: number | null;
}

export interface LoadOptions {
  /** Address of the weights, or the weights themselves; `models/compact.safetensors` unless said. */
  weights?: string | URL | Uint8Array | ArrayBuffer;
  /**
   * `auto` unless said: the CPU reads first, and WebGPU takes over as soon as it is loaded and has
   * proved itself. An adapter that is only software is left alone, unless `webgpu` asks for it.
   */
  backend?: BackendWish;
  /**
   * Address of the package's folder with `src`, `pkg` and `models`, where the files are not found
   * by themselves, such as a copy on a CDN.
   */
  assetsUrl?: string | URL;
  onProgress?: (progress: Progress) => void;
  /** Told where the network runs, first when it is loaded and whenever that changes. */
  onBackend?: (backend: RunsOn) => void;
  /** Gives loading up. */
  signal?: AbortSignal;
}

/* ---- audit ---- */

/** An image of an audit, not yet opened. */
export interface AuditImage {
  /** Its path inside what was given. */
  path: string;
  open: () => Promise<Blob>;
}

/** A file that tells what images say. */
export interface LabelFile {
  path: string;
  text: string;
}

/** What became of one image: a text, or an error. */
export interface AuditItem {
  path: string;
  /** What it says, as it was given, where that is known. */
  label?: string | null;
  text?: string;
  /** 0 to 1 */
  confidence?: number;
  /** Why it could not be read. */
  error?: string;
}

/** What a network can write. */
export type AuditNetwork = Pick<NetworkConfig, "alphabet" | "maxLength">;

/** An audit, as it is saved. */
export interface AuditData {
  /** Of what was read. */
  name: string;
  items: AuditItem[];
  /** How it was made: names and values to show. */
  about: [name: string, value: string][];
  network: AuditNetwork;
}

export interface AuditReport extends AuditData {
  /** The address of an item's picture, or `null` where there is none to show. */
  picture: (item: AuditItem) => Promise<string | null>;
  /** Another audit to compare with. */
  compared?: AuditData | null;
}

/** An item beside its label. */
export interface EvaluatedItem {
  item: AuditItem;
  /** The label in the network's characters; `null` where there is none. */
  label: string | null;
  /** Why the network cannot write the label. */
  problems: string[];
  /** Whether the text is the label; `null` where they cannot be compared. */
  correct: boolean | null;
  /** Whether the label's case was ignored. */
  caseIgnored: boolean;
  /** Whether the label is doubted: the network is sure of another text, and its sure ones are correct. */
  labelDoubtful: boolean;
}

export interface Tally {
  images: number;
  /** Of these, solved. */
  exactMatches: number;
}

/** Of the images with a result, those that are answered where unsure ones are skipped. */
export interface Threshold {
  /** Confidence from which an image is answered, 0 to 1. */
  threshold: number;
  answered: number;
  correct: number;
}

/** Shares and means are `null` where there is nothing to take them of. */
export interface AuditSummary {
  images: number;
  /** Of these, read at all. */
  read: number;
  failed: number;
  /** Read, and with a label. */
  labelled: number;
  /** Of these, with a label that the network can write. All that follows is of them. */
  supported: number;
  /** Of those with a label, the others. */
  unsupported: number;
  /** Why the network cannot write those labels, and how many; a label can have several reasons. */
  problems: { words: string; count: number }[];
  /** Labels whose case was ignored. */
  caseIgnored: number;
  /** Solved: the whole text is the label. */
  exactMatches: number;
  /** `exactMatches / supported` */
  exactMatchRate: number | null;
  /** Where the rate on all such images lies, with a certainty of 95 %. */
  interval: [low: number, high: number] | null;
  /** Share of label characters read correct, by the fewest edits from label to text. */
  characterAccuracy: number | null;
  /** Mean confidence; without any labels, of all that was read. */
  meanConfidence: number | null;
  byLength: (Tally & { length: number })[];
  /** Most frequent first; `text` is empty where a character was left out, `label` where one was added. */
  confusions: { label: string; text: string; count: number }[];
  /** By threshold, from 0 to 1. */
  thresholds: Threshold[];
}

/** A share with its interval of 95 %. */
export interface Share {
  part: number;
  whole: number;
  interval: [low: number, high: number];
}

export interface AuditComparison {
  /** Whether the same images were compared, one by one. */
  paired: boolean;
  first: Share;
  second: Share;
  /** The first share less the second. */
  difference: number;
  /** Where the difference on all such images lies, with a certainty of 95 %. */
  interval: [low: number, high: number];
}

/* ---- between client and worker ---- */

/** How far one stage is; several can be under way at a time. */
export type StageProgress = Omit<Progress, "overall">;

/** What a loaded engine tells of itself. */
export interface Loaded {
  backend: Backend;
  config: NetworkConfig;
}

/** What a worker's method gets besides its parameters. */
export interface RpcContext {
  /** Reports progress to the caller. */
  onProgress: (progress: any) => void;
  /** Objects to transfer with the result, which the method adds. */
  transfer: Transferable[];
}

/** The methods of a worker, by request type. */
export type RpcMethods = Record<string, (params: any, context: RpcContext) => unknown>;

/** A worker's message (`rpc.js`). */
export type RpcResponse =
  | { type: "started"; id: number }
  | { type: "progress"; id: number; progress: unknown }
  | { type: "done"; id: number; value: unknown }
  | { type: "failed"; id: number; error: PlainError }
  /** The worker is useless: all open requests have failed. */
  | { type: "crashed"; error: PlainError };

/** The methods of the engine's worker. */
export type EngineMethods = {
  load(
    params: { weights: string | Uint8Array | ArrayBuffer; backend: BackendWish },
    context: RpcContext,
  ): Promise<Loaded>;
  recognize(
    params: { images: ImageSource[]; alternatives: number },
    context: RpcContext,
  ): Promise<Outcome[]>;
};

/** What became of one image. */
export type Outcome =
  { recognition: Recognition; error?: undefined } | { recognition?: undefined; error: PlainError };

/** An error as it crosses between threads. */
export interface PlainError {
  code: ErrorCode | PageErrorCode;
  message: string;
  /** Technical, for developers: the error's `cause`. */
  detail?: string;
}
