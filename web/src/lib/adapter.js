// @ts-check
/** Checks whether WebGPU can be used, before anything is downloaded for it. */

/** Time limit for the browser's answer, in milliseconds. */
const TIMEOUT = 20_000;

/** Reasons why WebGPU is not used. The page shows them after "No WebGPU:". */
export const REASONS = {
  unsupported: "this browser does not support it",
  insecure: "it requires HTTPS",
  saveData: "the browser is set to save data",
  none: "the browser found no graphics adapter",
  silent: "the browser did not respond to the request for a graphics adapter",
  software: "the graphics adapter is software, which is slower than reading on the CPU",
  timestamps: "the graphics adapter does not support timestamp queries",
  deviceSilent: "the graphics device did not respond",
  deviceLost: "the graphics device stopped responding",
  deviceFailed: "the graphics device failed",
  crashed: "the recognizer crashed on it",
  wrong: "it read an image differently from the CPU",
};

/**
 * The members of a `GPUAdapter` that this file uses.
 *
 * @typedef {object} Adapter
 * @property {{ has(feature: string): boolean }} features
 * @property {{ isFallbackAdapter?: boolean }} [info]
 * @property {boolean} [isFallbackAdapter] where older browsers have it
 */

/**
 * Why the browser has no WebGPU; `null` if it has. Then the adapter decides.
 *
 * @returns {string | null}
 */
export function missingApi() {
  if (gpu()) return null;
  return globalThis.isSecureContext === false ? REASONS.insecure : REASONS.unsupported;
}

/** Whether the user wants few downloads. */
export function savesData() {
  const { connection } = /** @type {{ connection?: { saveData?: boolean } }} */ (navigator);
  return connection?.saveData === true;
}

/**
 * Why the browser's adapter cannot be used; `null` if it can.
 *
 * @param {{ allowSoftware: boolean }} options whether an adapter that computes on the CPU is accepted
 * @returns {Promise<string | null>}
 */
export async function adapterProblem({ allowSoftware }) {
  const reason = missingApi();
  if (reason) return reason;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, TIMEOUT, "late")));
  try {
    const adapter = await Promise.race([gpu()?.requestAdapter(), late]);
    if (adapter === "late") return REASONS.silent;
    return adapter ? problemOf(/** @type {Adapter} */ (adapter), allowSoftware) : REASONS.none;
  } catch {
    return REASONS.none;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {Adapter} adapter
 * @param {boolean} allowSoftware
 */
function problemOf(adapter, allowSoftware) {
  const isSoftware = adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter;
  if (isSoftware && !allowSoftware) return REASONS.software;
  // Without timestamp queries, the engine panics when it opens the device.
  return adapter.features.has("timestamp-query") ? null : REASONS.timestamps;
}

function gpu() {
  return /** @type {{ gpu?: { requestAdapter(): Promise<unknown> } }} */ (navigator).gpu;
}
