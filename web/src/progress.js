// @ts-check
/** Brings the stages of loading into one line. */

/** @import { Progress, StageProgress } from "./types.js" */

/** The stages and their shares of the whole: first the downloads, which run side by side. */
const DOWNLOADS = new Map([
  ["code", 0.45],
  ["weights", 0.2],
]);
/** Then the engine's own, one after the other. */
const STEPS = new Map([
  ["network", 0.05],
  ["device", 0.1],
  ["check", 0.2],
]);

export class LoadingProgress {
  /** @type {Map<string, StageProgress>} */
  #downloads = new Map();

  /**
   * Takes a report and gives what to show: the stage that is still under way, and how far all is.
   *
   * @param {StageProgress} report
   * @returns {Progress}
   */
  take(report) {
    if (!DOWNLOADS.has(report.stage)) return { ...report, overall: afterDownloads(report) };

    this.#downloads.set(report.stage, report);
    const downloads = [...this.#downloads.values()];
    const current = downloads.find(({ fraction }) => fraction !== 1) ?? report;
    if (downloads.some(({ fraction }) => fraction === null)) return { ...current, overall: null };
    const overall = downloads.reduce(
      (sum, { stage, fraction }) => sum + (DOWNLOADS.get(stage) ?? 0) * (fraction ?? 0),
      0,
    );
    return { ...current, overall };
  }
}

/** @param {StageProgress} report */
function afterDownloads({ stage, fraction }) {
  let done = 0;
  for (const share of DOWNLOADS.values()) done += share;
  for (const [name, share] of STEPS) {
    if (name === stage) return done + share * (fraction ?? 0);
    done += share;
  }
  return null; // a stage not known here
}
