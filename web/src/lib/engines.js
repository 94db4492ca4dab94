// @ts-check
/**
 * The engines of a recognizer, and which of them reads a call. With `auto`, the CPU reads first.
 * WebGPU is loaded in idle time after the first reading. Then both read the same images, and each
 * call goes where its kind took less time. Later comparisons revise this, and end WebGPU if it does
 * not read as the CPU does.
 */

import { REASONS, adapterProblem, missingApi, savesData } from "./adapter.js";
import { Choice, agree, copyOf, kindOf, rememberTimes, rememberedTimes } from "./choice.js";
import { GPU_FAILURES, LensError, closedError, gpuReasonOf, plainReason } from "./errors.js";
import { idle } from "./lazy.js";
import { Pool } from "./pool.js";
import { isCrash, isReading, readOn } from "./reading.js";
import { NotLoaded, Session } from "./session.js";

/** @import { Call, EngineKind, Kind } from "./choice.js" */
/** @import { Backend, BackendPreference, BackendStatus, ImageSource, Progress, Recognition } from "./types.js" */

/** @typedef {(Recognition | LensError)[]} Outcomes */

/** Comparisons right after WebGPU was loaded. The first one compiles shaders and does not count. */
const FIRST_COMPARISONS = 4;
/** Most pixels of an image that both engines read: a photo would stay in the memory of WebGPU's worker. */
const MOST_COMPARED_PIXELS = 4e6;

export class Engines {
  /** URL or content, as given. */
  #weights;
  #assets;
  #preference;
  #concurrency;
  #onStatus;
  /** The engine that is loaded first: the CPU's, unless `backend` is "webgpu". */
  #first;
  /** The first engine, and others on the CPU for batches. */
  #pool;
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
  /** The backends of the first engine and of WebGPU beside it. @type {Record<"first" | "gpu", Backend>} */
  #backends = { first: this.#status, gpu: this.#status };
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
    this.#concurrency = concurrency;
    this.#onStatus = onStatus;
    const webgpu = preference === "webgpu";
    const first = new Session(webgpu ? "webgpu" : "cpu", weights, assets, onProgress);
    this.#first = first;
    this.#pool = new Pool(
      first,
      webgpu ? 1 : concurrency,
      () => new Session("cpu", first.weights, assets, undefined, first.code),
    );
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
    const { backend, config } = await this.#first.load(signal);
    this.#backends.first = backend;
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
    const call = { images, alternatives };
    this.#kind = kindOf(images.length, alternatives);
    const outcomes = await (this.#gpu
      ? this.#choose(this.#gpu, call, signal)
      : this.#readFirst(call, signal));
    this.#setStatus(this.#status);
    return outcomes;
  }

  /**
   * Reads on the engine that takes less time, and at times on both.
   *
   * @param {Session} gpu
   * @param {Call} call
   * @param {AbortSignal} [signal]
   */
  async #choose(gpu, call, signal) {
    const kind = kindOf(call.images.length, call.alternatives);
    const due = this.#choice.due(kind, call.images.length) && !this.#comparing;
    // The caller may change an image after it was read.
    const copy = due ? copyOf(call) : undefined;
    if (this.#choice.engine(kind) === "cpu") {
      const outcomes = await this.#readOnPool(call, signal);
      if (copy) void this.#compareWithGpu(gpu, kind, copy, outcomes);
      return outcomes;
    }
    const outcomes = await this.#readOnGpu(gpu, kind, call, signal);
    if (!copy) return outcomes;
    const confirmed = await this.#isConfirmed(gpu, kind, copy, outcomes, signal);
    signal?.throwIfAborted();
    if (confirmed) return outcomes;
    return this.#readOnPool(call, signal);
  }

  /**
   * Reads while there is no WebGPU beside the first engine.
   *
   * @param {Call} call
   * @param {AbortSignal} [signal]
   */
  async #readFirst(call, signal) {
    const isWanted = () => !this.#firstCall && ["waiting", "loading"].includes(this.#status.webGpu);
    const copy = isWanted() ? copyOf(call) : undefined;
    const outcomes = await this.#readOnPool(call, signal);
    const images = copy?.images.filter((_, i) => isComparable(outcomes[i])) ?? [];
    if (isWanted() && images.length > 0) {
      this.#firstCall = { images, alternatives: call.alternatives };
      this.#onFirstCall();
    }
    return outcomes;
  }

  /**
   * Ends the workers.
   *
   * @param {unknown} reason the error of all open and later calls
   */
  close(reason) {
    this.#end.abort(reason);
    this.#firstCall = undefined;
    this.#first.end(reason);
    this.#pool.close(reason);
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
    const gpu = new Session("auto", this.#first.weights, this.#assets);
    /** @type {string | null} */
    let why;
    try {
      const { backend } = await gpu.load(signal);
      this.#backends.gpu = backend;
      why = backend.kind === "webgpu" ? null : plainReason(backend.reason);
    } catch (error) {
      why = gpuReasonOf(error);
    }
    if (signal.aborted || why !== null) gpu.end(closedError());
    if (signal.aborted) return; // nobody is told after `close`
    if (why !== null) return this.#giveUpGpu(why);
    this.#gpu = gpu;
    this.#choice.restore(rememberedTimes(this.#subject));
    this.#setStatus({ ...this.#status, webGpu: "ready" });
    await this.#compareFirst(gpu);
  }

  /**
   * Compares both engines with the first call that was read, several times.
   *
   * @param {Session} gpu
   */
  async #compareFirst(gpu) {
    const call = this.#firstCall;
    this.#firstCall = undefined;
    if (!call) return;
    const kind = kindOf(call.images.length, call.alternatives);
    for (let i = 0; i < FIRST_COMPARISONS && this.#gpu === gpu; i++) {
      if (this.#end.signal.aborted) return;
      try {
        await this.#compareWithGpu(gpu, kind, call, await this.#readOnPool(call));
      } catch {
        return; // closed, or the call cannot be read any more
      }
    }
  }

  /**
   * Reads on WebGPU what the CPU has read. If the answers differ, WebGPU is not used any more. CPU
   * workers may be busy meanwhile: WebGPU must be faster even so.
   *
   * @param {Session} gpu
   * @param {Kind} kind
   * @param {Call} call
   * @param {Outcomes} expected
   */
  async #compareWithGpu(gpu, kind, call, expected) {
    const isEqual = (
      /** @type {Recognition} */ cpu,
      /** @type {Recognition | LensError} */ other,
    ) => isReading(other) && agree(cpu, other);
    await this.#compare(gpu, kind, call, expected, isEqual, (images) =>
      this.#readOnGpu(gpu, kind, images),
    );
  }

  /**
   * Whether the CPU reads as WebGPU has read. A driver can be right at first and wrong later.
   *
   * @param {Session} gpu
   * @param {Kind} kind
   * @param {Call} call
   * @param {Outcomes} given
   * @param {AbortSignal} [signal]
   */
  async #isConfirmed(gpu, kind, call, given, signal) {
    const isEqual = (/** @type {Recognition} */ one, /** @type {Recognition | LensError} */ cpu) =>
      !isReading(cpu) || agree(one, cpu);
    return this.#compare(gpu, kind, call, given, isEqual, async ({ images, alternatives }) => {
      // On one engine, so that a check does not start the others.
      const outcomes = await readOn(this.#first, images, alternatives, signal);
      if (given.length === 1) this.#addTime(kind, "cpu", outcomes, 1);
      return outcomes;
    });
  }

  /**
   * @param {Session} gpu
   * @param {Kind} kind
   * @param {Call} call
   * @param {Outcomes} given
   * @param {(given: Recognition, other: Recognition | LensError) => boolean} isEqual
   * @param {(call: Call) => Promise<Outcomes>} readAgain
   * @returns {Promise<boolean>} `false` if answers differ; then WebGPU has ended
   */
  async #compare(gpu, kind, { images, alternatives }, given, isEqual, readAgain) {
    // Photos, and what one engine cannot read or crashes on, are not given to the other.
    const good = images.flatMap((image, i) => (isComparable(given[i]) ? [{ image, i }] : []));
    if (good.length === 0 || this.#comparing || this.#gpu !== gpu) return true;
    this.#comparing = true;
    try {
      const others = await readAgain({ images: good.map(({ image }) => image), alternatives });
      const equal = good.every(({ i }, at) =>
        isEqual(/** @type {Recognition} */ (given[i]), others[at]),
      );
      if (!equal) this.#dropGpu(gpu, REASONS.wrong);
      else if (this.#subject) rememberTimes(this.#subject, this.#choice);
      return equal;
    } catch {
      return true; // aborted, closed, or an engine failed, which its own calls report
    } finally {
      this.#comparing = false;
      this.#choice.compared(kind);
      if (!this.#end.signal.aborted) this.#setStatus(this.#status);
    }
  }

  /**
   * @param {Call} call
   * @param {AbortSignal} [signal]
   * @returns {Promise<Outcomes>}
   */
  async #readOnPool({ images, alternatives }, signal) {
    const engines = this.#pool.enginesFor(images.length);
    const outcomes = await this.#pool.read(
      images,
      (session, part) => readOn(session, part, alternatives, signal),
      signal,
    );
    // Not a batch for which more engines were started.
    if (engines === this.#pool.enginesFor(images.length)) {
      this.#addTime(kindOf(images.length, alternatives), "cpu", outcomes, engines);
    }
    return outcomes;
  }

  /**
   * Reads a call on WebGPU, and on the CPU if WebGPU fails.
   *
   * @param {Session} gpu
   * @param {Kind} kind
   * @param {Call} call
   * @param {AbortSignal} [signal]
   * @returns {Promise<Outcomes>}
   */
  async #readOnGpu(gpu, kind, { images, alternatives }, signal) {
    try {
      const outcomes = await gpu.read(images, alternatives, signal);
      if (kindOf(images.length, alternatives) === kind) {
        this.#addTime(kind, "webgpu", outcomes, 1);
      }
      return outcomes;
    } catch (error) {
      const why =
        error instanceof NotLoaded
          ? gpuReasonOf(error)
          : error instanceof LensError && GPU_FAILURES[error.code];
      if (!why) throw error;
      this.#dropGpu(gpu, why);
      // An image that crashed one engine is not given to the other.
      if (isCrash(error) && images.length === 1) return [error];
    }
    return this.#readOnPool({ images, alternatives }, signal);
  }

  /**
   * @param {Kind} kind
   * @param {EngineKind} engine
   * @param {Outcomes} outcomes
   * @param {number} engines that divided the images
   */
  #addTime(kind, engine, outcomes, engines) {
    const readings = outcomes.filter(isReading);
    // Decoding a photo takes longer than the network, and only one engine reads it.
    if (readings.length === 0 || !readings.every(isComparable)) return;
    const times = readings.map(({ milliseconds }) => milliseconds.total);
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    this.#choice.add(kind, engine, mean / engines);
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

  /** What measured times depend on; empty if it has no name. */
  get #subject() {
    const weights = this.#weights;
    if (typeof weights !== "string") return "";
    return `${this.#backends.gpu.adapter}, ${this.#concurrency} CPU workers, ${weights}`;
  }

  /** @param {BackendStatus} status */
  #setStatus(status) {
    const engine = this.#gpu ? this.#choice.engine(this.#kind) : "cpu";
    const [cpu, webgpu] = /** @type {const} */ (["cpu", "webgpu"]).map((each) =>
      this.#choice.milliseconds(this.#kind, each),
    );
    const { kind, adapter } = this.#backends[engine === "webgpu" ? "gpu" : "first"];
    const known = this.#gpu && cpu !== null && webgpu !== null;
    const milliseconds = known ? { cpu: rounded(cpu), webgpu: rounded(webgpu) } : null;
    const next = { ...status, kind, adapter, milliseconds };
    if (JSON.stringify(next) === JSON.stringify(this.#status)) return;
    this.#status = next;
    this.#onStatus(next);
  }
}

/** To two digits, so that a status does not change with every reading. @param {number} milliseconds */
const rounded = (milliseconds) => Number(milliseconds.toPrecision(2));

/**
 * Whether both engines may read the image of an outcome.
 *
 * @param {Recognition | LensError} outcome
 * @returns {outcome is Recognition}
 */
const isComparable = (outcome) =>
  isReading(outcome) && outcome.width * outcome.height <= MOST_COMPARED_PIXELS;
