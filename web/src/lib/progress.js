// @ts-check
/** Combines the stages of loading into one progress. */

/** @import { BackendPreference, Progress, StageProgress } from "./types.js" */

/**
 * The stages and their shares of the total: first the downloads, which run in parallel, then the
 * steps of the engine, one after the other.
 */
const ON_CPU = {
  downloads: new Map([
    ["code", 0.5],
    ["weights", 0.4],
  ]),
  steps: new Map([["network", 0.1]]),
};
const ON_WEBGPU = {
  downloads: new Map([
    ["code", 0.45],
    ["weights", 0.2],
  ]),
  steps: new Map([
    ["network", 0.05],
    ["device", 0.1],
    ["check", 0.2],
  ]),
};

export class LoadingProgress {
  /** @type {Map<string, StageProgress>} */
  #downloads = new Map();
  #shares;

  /** @param {BackendPreference} backend */
  constructor(backend) {
    this.#shares = backend === "cpu" ? ON_CPU : ON_WEBGPU;
  }

  /**
   * The progress to show after a report: the stage that is not finished, and the overall progress.
   *
   * @param {StageProgress} report
   * @returns {Progress}
   */
  update(report) {
    const shares = this.#shares.downloads;
    if (!shares.has(report.stage)) return { ...report, overall: this.#afterDownloads(report) };

    this.#downloads.set(report.stage, report);
    const downloads = [...this.#downloads.values()];
    const current = downloads.find(({ fraction }) => fraction !== 1) ?? report;
    if (downloads.some(({ fraction }) => fraction === null)) return { ...current, overall: null };
    const overall = downloads.reduce(
      (sum, { stage, fraction }) => sum + (shares.get(stage) ?? 0) * (fraction ?? 0),
      0,
    );
    return { ...current, overall };
  }

  /** @param {StageProgress} report */
  #afterDownloads({ stage, fraction }) {
    let done = 0;
    for (const share of this.#shares.downloads.values()) done += share;
    for (const [name, share] of this.#shares.steps) {
      if (name === stage) return done + share * (fraction ?? 0);
      done += share;
    }
    return null; // an unknown stage
  }
}
