// @ts-check
/** Whether WebGPU can be used here, found out before anything is downloaded for it. */

/** Longest wait for the browser's answer, in milliseconds. */
const LIMIT = 20_000;

/** Why WebGPU is not used, in words that stand after "No WebGPU:". */
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
};

/**
 * The members that are used of what browsers offer.
 *
 * @typedef {object} Adapter
 * @property {{ has(feature: string): boolean }} features
 * @property {{ isFallbackAdapter?: boolean }} [info]
 * @property {boolean} [isFallbackAdapter] where it stood before `info` had it
 */

/**
 * What speaks against WebGPU at first sight; `null` where the adapter has to be asked for.
 *
 * @returns {string | null}
 */
export function obstacle() {
  if (gpuOf()) return null;
  return globalThis.isSecureContext === false ? REASONS.insecure : REASONS.unsupported;
}

/**
 * Why the adapter cannot be used; `null` where it can.
 *
 * @param {{ software: boolean }} options whether an adapter that computes on the CPU is good enough
 * @returns {Promise<string | null>}
 */
export async function refusal({ software }) {
  const reason = obstacle();
  if (reason) return reason;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, LIMIT, "late")));
  try {
    const adapter = await Promise.race([gpuOf()?.requestAdapter(), late]);
    if (adapter === "late") return REASONS.silent;
    return adapter ? flawOf(/** @type {Adapter} */ (adapter), software) : REASONS.none;
  } catch {
    return REASONS.none;
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {Adapter} adapter
 * @param {boolean} software
 */
function flawOf(adapter, software) {
  const isSoftware = adapter.info?.isFallbackAdapter ?? adapter.isFallbackAdapter;
  if (isSoftware && !software) return REASONS.software;
  // Without them the engine panics as it opens the device.
  return adapter.features.has("timestamp-query") ? null : REASONS.timestamps;
}

function gpuOf() {
  return /** @type {{ gpu?: { requestAdapter(): Promise<unknown> } }} */ (navigator).gpu;
}
