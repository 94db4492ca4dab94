/**
 * The types of the package, and the messages between `client.js` and `engine.js`. The types of
 * readings are generated from the wasm crate.
 */

// The generated types use `Symbol.dispose`, which the libraries of a project may not have.
/// <reference lib="esnext.disposable" />

import type {
  Backend,
  ErrorCode as EngineErrorCode,
  ImageSource,
  NetworkConfig,
  Recognition,
} from "../../pkg/captcha_wasm.js";

export type {
  Alternative,
  Backend,
  Grid,
  ImageSource,
  Character,
  Milliseconds,
  NetworkConfig,
  Recognition,
} from "../../pkg/captcha_wasm.js";

/** Where the network should run. */
export type BackendPreference = "auto" | "webgpu" | "cpu";

/**
 * An image to read: an encoded image (PNG, JPEG, WebP, GIF, BMP) as bytes or a file, pixels, an image
 * or canvas of the page, or a URL that contains the image itself (`data:`, `blob:`). Nothing is
 * loaded from a site.
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

/** The code of an error. */
export type ErrorCode =
  | EngineErrorCode
  /** Code or weights could not be downloaded. */
  | "missing-code"
  | "missing-weights"
  /** The engine crashed. It restarts with the next image. */
  | "engine-crashed"
  /** The recognizer was closed. */
  | "closed"
  /** The code does not run in a browser, but for example in Node.js. */
  | "no-browser";

/** Error codes of the page, which the package does not use. */
export type PageErrorCode =
  | "bad-archive"
  | "bad-audit"
  | "missing-sample"
  | "no-clipboard"
  | "no-images"
  | "not-a-file"
  | "page-error"
  | "unreadable-file";

/** The used part of a generated module. The module without WebGPU has the same. */
export type EngineModule = Pick<typeof import("../../pkg/captcha_wasm.js"), "Recognizer"> & {
  default: (options: { module_or_path: globalThis.Response }) => Promise<unknown>;
};
/** The engine, which a worker owns. */
export type Engine = import("../../pkg/captcha_wasm.js").Recognizer;

export interface RecognizeOptions {
  /** The number of most probable texts to return, 0 to 100. The default is 0. */
  alternatives?: number;
  /** Rejects the promise with the signal's reason. A reading that has started still runs to its end. */
  signal?: AbortSignal;
}

/** Where the network runs. */
export interface BackendStatus extends Backend {
  /** Whether WebGPU is being loaded and checked in the background. */
  loadingWebGpu: boolean;
}

/** The stages of loading. */
export type Stage = "code" | "weights" | "network" | "device" | "check";

/** The progress of loading: `code` and `weights` in parallel, then `network`, `device`, `check`. */
export interface Progress {
  // Later versions may have other stages.
  stage: Stage | (string & {});
  /** 0 to 1, or `null` if the size is unknown. */
  fraction: number | null;
  /** The progress of all stages together, 0 to 1, or `null` if the size of a download is unknown. */
  overall: number | null;
  /** Downloaded bytes, for stages that download. */
  loaded?: number;
  /** Total bytes, if known. */
  total?: number | null;
}

export interface LoadOptions {
  /** URL or content of the weights. The default is `models/compact.safetensors`. */
  weights?: string | URL | Uint8Array | ArrayBuffer;
  /**
   * With `auto`, the default, the CPU reads first, and WebGPU takes over after it is loaded and has
   * passed a check. A software adapter is used only with `webgpu`.
   */
  backend?: BackendPreference;
  /**
   * URL of the folder with `src`, `pkg` and `models`, if the files are not at their default place,
   * for example on a CDN.
   */
  assetsUrl?: string | URL;
  onProgress?: (progress: Progress) => void;
  /** Called when the network is loaded, and when the backend changes. */
  onBackend?: (backend: BackendStatus) => void;
  /** Aborts loading. */
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

/** The progress of one stage. Several stages can run at a time. */
export type StageProgress = Omit<Progress, "overall">;

/** What a loaded engine reports. */
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
    params: { weights: string | Uint8Array | ArrayBuffer; backend: BackendPreference },
    context: RpcContext,
  ): Promise<Loaded>;
  recognize(
    params: { images: ImageSource[]; alternatives: number },
    context: RpcContext,
  ): Promise<Outcome[]>;
};

/** The result of one image. */
export type Outcome =
  { recognition: Recognition; error?: undefined } | { recognition?: undefined; error: PlainError };

/** An error that can be sent between threads. */
export interface PlainError {
  code: ErrorCode | PageErrorCode;
  message: string;
  /** Technical detail for developers: the error's `cause`. */
  detail?: string;
}
