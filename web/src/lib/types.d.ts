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

/** The used part of a generated module. The module without WebGPU has the same. */
export type EngineModule = Pick<typeof import("../../pkg/captcha_wasm.js"), "Recognizer"> & {
  default: (options: {
    module_or_path: WebAssembly.Module;
  }) => Promise<{ memory: WebAssembly.Memory }>;
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
  /**
   * WebGPU beside the CPU, with `auto`: `waiting` for the first reading, `loading` (with a check), or
   * `ready`. Then each call goes where its kind was measured to be faster. Else `off`.
   */
  webGpu: "off" | "waiting" | "loading" | "ready";
  /**
   * Time per image on both, for the kind of the last call (one image or a batch, with or without
   * alternatives);
   * `null` until both are measured.
   */
  milliseconds: { cpu: number; webgpu: number } | null;
}

/** The stages of loading. */
type Stage = "code" | "weights" | "network" | "device" | "check";

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
   * With `auto`, the default, the CPU reads first. After the first reading, WebGPU is loaded, checked
   * and measured, and each call goes where its kind takes less time. A software adapter is used only
   * with `webgpu`.
   */
  backend?: BackendPreference;
  /**
   * The most CPU workers that divide batches among them, 1 to 64; without effect with the backend
   * `webgpu`. The default is one for each core, at most eight, and fewer on devices with little memory.
   * The others start when four images wait, and end after half a minute without work.
   */
  concurrency?: number;
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

/* ---- between client and worker ---- */

/** The progress of one stage. Several stages can run at a time. */
export type StageProgress = Omit<Progress, "overall">;

/** What a loaded engine reports. */
export interface Loaded {
  backend: Backend;
  config: NetworkConfig;
  /** What this worker has compiled and downloaded, for others. */
  code?: WebAssembly.Module;
  weights?: Uint8Array;
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
  | { type: "failed"; id: number; error: PlainError<string> }
  /** The worker is useless: all open requests have failed. */
  | { type: "crashed"; error: PlainError<string> };

/** The methods of the engine's worker. */
export type EngineMethods = {
  load(
    params: {
      weights: string | Uint8Array | ArrayBuffer;
      backend: BackendPreference;
      /** Compiled code, instead of a download. */
      code?: WebAssembly.Module;
    },
    context: RpcContext,
  ): Promise<Loaded>;
  recognize(
    params: { images: ImageSource[]; alternatives: number },
    context: RpcContext,
  ): Promise<{
    outcomes: Outcome[];
    /** The memory of the worker's module, in bytes. It never shrinks. */
    memory: number;
  }>;
};

/** The result of one image. */
type Outcome =
  { recognition: Recognition; error?: undefined } | { recognition?: undefined; error: PlainError };

/** An error that can be sent between threads. */
export interface PlainError<Code extends string = ErrorCode> {
  code: Code;
  message: string;
  /** Technical detail for developers: the error's `cause`. */
  detail?: string;
}
