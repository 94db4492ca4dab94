// @ts-check
/**
 * The engines of a recognizer, and which of them reads a call. With `auto`, the CPU reads first.
 * WebGPU is loaded in idle time after the first reading. Then both read the same images, and each
 * call goes where its kind took less time. Later comparisons revise this, and end WebGPU if it does
 * not read as the CPU does.
 */

import { REASONS, adapterProblem, missingApi } from "./adapter.js";
import { Choice, agree, kindOf, rememberTimes, rememberedTimes } from "./choice.js";
import { CRASHED, LensError, closedError, plainReason } from "./errors.js";
import { Pool } from "./pool.js";
import { NotStarted } from "./rpc.js";
import { Session } from "./session.js";

/** @import { EngineKind, Kind } from "./choice.js" */
/** @import { Backend, BackendPreference, BackendStatus, ImageSource, Loaded, Progress, Recognition } from "./types.js" */

/** A call that both engines can read. @typedef {{ images: ImageSource[], alternatives: number }} Call */
/** @typedef {(Recognition | LensError)[]} Outcomes */

/** Errors after which WebGPU is not used again, and the reasons to show. */
const GPU_FAILURES = /** @type {Record<string, string>} */ ({
  "device-lost": REASONS.deviceLost,
  [CRASHED]: REASONS.crashed,
});
/** Comparisons right after WebGPU was loaded. The first one compiles shaders and does not count. */
const FIRST_COMPARISONS = 4;
/** Images that the CPU reads to check a batch of WebGPU. */
const CHECKED_IMAGES = 8;
/** The longest wait for idle time, in milliseconds. */
const IDLE_TIMEOUT = 3000;

export class Engines {
  #weights;
  #assets;
  #preference;
  #onStatus;
  /** The engine that is loaded first: the CPU's, unless `backend` is "webgpu". */
  #first;
  /** The first engine, and others on the CPU for batches. */
  #pool;
  /** What the first engine has loaded. @type {Loaded["shared"] | undefined} */
  #shared;
  /** The WebGPU engine beside the CPU's, once it is loaded. @type {Session | undefined} */
  #gpu;
  #choice = new Choice();
  /** Whether both engines read the same call now. */
  #comparing = false;
  /** The kind of the last call. @type {Kind} */
  #kind = "one";
  /** The first call that was read, until WebGPU is compared with it. @type {Call | undefined} */
  #firstCall;
  #onFirstCall = () => {};
  /** @type {BackendStatus} */
  #status = { kind: "cpu", adapter: "", reason: null, webGpu: "off", milliseconds: null };
  /** The backends of the first engine and of WebGPU beside it. @type {Record<EngineKind, Backend>} */
  #backends = { cpu: this.#status, webgpu: this.#status };
  #end = new AbortController();

  /**
   * @param {object} options
   * @param {BackendPreference} options.preference
   * @param {string | Uint8Array | ArrayBuffer} options.weights URL or content
   * @param {number} options.concurrency most workers on the CPU
   * @param {string} [options.assets] URL of the package's folder, if it is not the default
   * @param {(progress: Progress) => void} [options.onProgress]
   * @param {(status: BackendStatus) => void} options.onStatus
   */
  constructor({ preference, weights, concurrency, assets, onProgress, onStatus }) {
    this.#preference = preference;
    this.#weights = weights;
    this.#assets = assets;
    this.#onStatus = onStatus;
    const webgpu = preference === "webgpu";
    this.#first = new Session(webgpu ? "webgpu" : "cpu", weights, assets, onProgress);
    this.#pool = new Pool(this.#first, webgpu ? 1 : concurrency, () => {
      const { weights, code } = this.#shared ?? { weights: this.#weights };
      return new Session("cpu", weights, assets, undefined, code);
    });
  }

  get status() {
    return this.#status;
  }

  /**
   * Loads the first engine, and with `auto` prepares WebGPU in the background.
   *
   * @param {AbortSignal} [signal]
   */
  async load(signal) {
    const { backend, config, shared } = await this.#first.load(signal);
    this.#shared = shared;
    this.#backends.cpu = backend;
    const auto = this.#preference === "auto";
    const reason = auto ? (savesData() ? REASONS.saveData : missingApi()) : null;
    const prepares = auto && reason === null;
    this.#setStatus({ ...this.#status, ...backend, reason, webGpu: prepares ? "waiting" : "off" });
    if (prepares) void this.#prepareGpu();
    return config;
  }

  /**
   * @param {ImageSource[]} images
   * @param {number} alternatives
   * @param {AbortSignal} [signal]
   * @returns {Promise<Outcomes>}
   */
  async read(images, alternatives, signal) {
    const kind = kindOf(images.length, alternatives);
    const call = { images, alternatives };
    if (!this.#gpu) {
      const outcomes = await this.#readOnCpu(call, signal);
      if (this.#status.webGpu !== "off" && recognized(outcomes) > 0) {
        this.#firstCall ??= call;
        this.#onFirstCall();
      }
      return outcomes;
    }
    this.#kind = kind;
    const due = !this.#comparing && this.#choice.due(kind, images.length);
    if (this.#choice.engine(kind) === "cpu") {
      const outcomes = await this.#readOnCpu(call, signal);
      if (due) void this.#compare(call, { cpu: outcomes });
      return outcomes;
    }
    const outcomes = await this.#readOnGpu(this.#gpu, call, signal);
    // A driver can be right at first and wrong later: then the CPU's answers count.
    return due ? this.#compare(call, { webgpu: outcomes }) : outcomes;
  }

  /**
   * Ends the workers.
   *
   * @param {unknown} reason the error of all open and later calls
   */
  close(reason) {
    this.#end.abort(reason);
    this.#first.end(reason);
    this.#pool.end(reason);
    this.#gpu?.end(reason);
  }

  /** Loads WebGPU when an adapter and idle time are there, and compares it with the CPU. */
  async #prepareGpu() {
    const { signal } = this.#end;
    const reason = await adapterProblem({ allowSoftware: false });
    if (signal.aborted) return;
    if (reason) return this.#giveUpGpu(reason);
    await new Promise((resolve) => {
      this.#onFirstCall = () => resolve(undefined);
      if (this.#firstCall) resolve(undefined);
      signal.addEventListener("abort", resolve);
    });
    await idle();
    if (signal.aborted) return;
    this.#setStatus({ ...this.#status, webGpu: "loading" });
    // `auto`: if the check fails, the engine runs on the CPU and gives the reason.
    const gpu = new Session("auto", this.#weights, this.#assets);
    /** @type {string | null} */
    let why;
    try {
      const { backend } = await gpu.load(signal);
      this.#backends.webgpu = backend;
      why = backend.kind === "webgpu" ? null : plainReason(backend.reason);
    } catch (error) {
      why = reasonOf(error);
    }
    if (signal.aborted || why !== null) gpu.end(closedError());
    if (signal.aborted) return; // nobody is told after `close`
    if (why !== null) return this.#giveUpGpu(why);
    this.#gpu = gpu;
    this.#choice.restore(rememberedTimes(this.#subject));
    this.#setStatus({ ...this.#status, webGpu: "ready" });
    await this.#compareFirst();
  }

  /** Compares both engines with the first call that was read, several times. */
  async #compareFirst() {
    const call = this.#firstCall;
    this.#firstCall = undefined;
    if (!call) return;
    this.#kind = kindOf(call.images.length, call.alternatives);
    for (let i = 0; i < FIRST_COMPARISONS && this.#gpu && !this.#end.signal.aborted; i++) {
      try {
        await this.#compare(call, { cpu: await this.#readOnCpu(call) });
      } catch {
        return; // closed, or the call cannot be read any more
      }
    }
  }

  /**
   * Reads a call on the engine that has not read it, and ends WebGPU if the answers differ.
   *
   * @param {Call} call
   * @param {{ cpu: Outcomes, webgpu?: undefined } | { cpu?: undefined, webgpu: Outcomes }} read
   * @returns {Promise<Outcomes>} the answers of the engine that has read it, or the CPU's if they
   *   differ
   */
  async #compare({ images, alternatives }, read) {
    const gpu = this.#gpu;
    const given = read.cpu ?? read.webgpu;
    // What one engine cannot read, or crashes on, is not given to the other.
    const good = images.filter((_, i) => !(given[i] instanceof LensError));
    const answers = /** @type {Recognition[]} */ (
      given.filter((one) => !(one instanceof LensError))
    );
    if (!gpu || good.length === 0 || this.#comparing) return given;
    this.#comparing = true;
    try {
      const count = read.cpu ? good.length : Math.min(good.length, CHECKED_IMAGES);
      const call = { images: good.slice(0, count), alternatives };
      const others = read.cpu ? await this.#readOnGpu(gpu, call) : await this.#readOnCpu(call);
      const equal = others.every(
        (other, i) => other instanceof LensError || agree(answers[i], other),
      );
      if (equal || this.#gpu !== gpu) {
        rememberTimes(this.#subject, this.#choice);
        this.#setStatus(this.#status);
        return given;
      }
      this.#dropGpu(gpu, REASONS.wrong);
      return read.cpu ? given : await this.#readOnCpu({ images, alternatives });
    } catch {
      return given; // closed, or the other engine failed, which its own calls report
    } finally {
      this.#comparing = false;
    }
  }

  /**
   * @param {Call} call
   * @param {AbortSignal} [signal]
   * @returns {Promise<Outcomes>}
   */
  async #readOnCpu({ images, alternatives }, signal) {
    const outcomes = await this.#pool.read(
      images,
      (session, part) => this.#readOn(session, part, alternatives, signal),
      signal,
    );
    const engines = images.length > 1 ? this.#pool.loaded : 1;
    this.#addTime(kindOf(images.length, alternatives), "cpu", outcomes, engines);
    return outcomes;
  }

  /**
   * Reads a call on WebGPU, and on the CPU if WebGPU fails.
   *
   * @param {Session} gpu
   * @param {Call} call
   * @param {AbortSignal} [signal]
   * @returns {Promise<Outcomes>}
   */
  async #readOnGpu(gpu, { images, alternatives }, signal) {
    try {
      const outcomes = await gpu.read(images, alternatives, signal);
      this.#addTime(kindOf(images.length, alternatives), "webgpu", outcomes, 1);
      return outcomes;
    } catch (error) {
      const why = error instanceof LensError && GPU_FAILURES[error.code];
      if (!why) throw error;
      this.#dropGpu(gpu, why);
      // An image that crashed one engine is not given to the other.
      if (isCrash(error) && images.length === 1) return [error];
    }
    return this.#readOnCpu({ images, alternatives }, signal);
  }

  /**
   * @param {Kind} kind
   * @param {EngineKind} engine
   * @param {Outcomes} outcomes
   * @param {number} engines that divided the images
   */
  #addTime(kind, engine, outcomes, engines) {
    const one = outcomes.find((outcome) => !(outcome instanceof LensError));
    if (one && !(one instanceof LensError)) {
      this.#choice.add(kind, engine, one.milliseconds.total / engines);
    }
  }

  /**
   * Reads images on one engine. If one of them crashes it, the others are read again.
   *
   * @param {Session} session
   * @param {ImageSource[]} images
   * @param {number} alternatives
   * @param {AbortSignal} [signal]
   * @returns {Promise<Outcomes>}
   */
  async #readOn(session, images, alternatives, signal) {
    for (let retries = 1; ;) {
      this.#end.signal.throwIfAborted();
      try {
        return await session.read(images, alternatives, signal);
      } catch (error) {
        if (error instanceof NotStarted) {
          // Another image crashed the engine. If there was none, one more engine is started.
          if (!error.blamed && retries-- === 0) throw error;
        } else if (!isCrash(error)) {
          throw error;
        } else if (images.length === 1) {
          return [error];
        } else {
          break;
        }
      }
    }
    // One by one, so that only the image that crashes the engine fails.
    const outcomes = [];
    for (const image of images) {
      outcomes.push(...(await this.#readOn(session, [image], alternatives, signal)));
    }
    return outcomes;
  }

  /**
   * @param {Session} gpu
   * @param {string} reason
   */
  #dropGpu(gpu, reason) {
    if (this.#gpu !== gpu) return;
    this.#gpu = undefined;
    gpu.end(new LensError("device-lost", `WebGPU is not used any more: ${reason}.`));
    this.#giveUpGpu(reason);
  }

  /** @param {string} reason */
  #giveUpGpu(reason) {
    this.#firstCall = undefined;
    this.#setStatus({ ...this.#status, reason, webGpu: "off" });
  }

  /** Adapter and weights, to which measured times belong. */
  get #subject() {
    const weights = this.#weights;
    const name = typeof weights === "string" ? weights : `${weights.byteLength} bytes`;
    return `${this.#backends.webgpu.adapter} ${name}`;
  }

  /** @param {BackendStatus} status */
  #setStatus(status) {
    const engine = this.#gpu ? this.#choice.engine(this.#kind) : "cpu";
    const [cpu, webgpu] = /** @type {const} */ (["cpu", "webgpu"]).map((each) =>
      this.#choice.milliseconds(this.#kind, each),
    );
    const { kind, adapter } = this.#backends[engine];
    const milliseconds = this.#gpu && cpu !== null && webgpu !== null ? { cpu, webgpu } : null;
    const next = { ...status, kind, adapter, milliseconds };
    if (JSON.stringify(next) === JSON.stringify(this.#status)) return;
    this.#status = next;
    this.#onStatus(next);
  }
}

/** @param {Outcomes} outcomes */
function recognized(outcomes) {
  return outcomes.filter((outcome) => !(outcome instanceof LensError)).length;
}

/** Resolves when the page has nothing to do, or after a time limit. */
function idle() {
  return new Promise((resolve) => {
    if (typeof requestIdleCallback === "function") {
      requestIdleCallback(() => resolve(undefined), { timeout: IDLE_TIMEOUT });
    } else {
      setTimeout(resolve, 0);
    }
  });
}

/**
 * Whether an engine crashed while it read.
 *
 * @param {unknown} error
 * @returns {error is LensError}
 */
function isCrash(error) {
  return error instanceof LensError && error.code === CRASHED && !(error instanceof NotStarted);
}

function savesData() {
  const { connection } = /** @type {{ connection?: { saveData?: boolean } }} */ (navigator);
  return connection?.saveData === true;
}

/**
 * The reason why WebGPU could not be loaded.
 *
 * @param {unknown} error
 */
function reasonOf(error) {
  if (!(error instanceof LensError)) return plainReason(String(error));
  if (error.code === "no-webgpu" && typeof error.cause === "string") return error.cause;
  return GPU_FAILURES[error.code] ?? error.message;
}
