// @ts-check
/** Wires the audit: files in, readings, report. */

import { filesOf, filesOfDrop, findImages, listed } from "./files.js";
import {
  areLikely,
  contradictions,
  labelsFromFiles,
  labelsFromLaterFiles,
  labelsFromNames,
} from "./labels.js";
import { commonFolder } from "./paths.js";
import { AuditRun } from "./run.js";
import { readSaved } from "./saved.js";
import { WHOLE } from "../image/crop-geometry.js";
import { LensError } from "../lib/errors.js";
import { RecognizerLoader, parseWeights, parseBackend } from "../shared/recognizer-loader.js";
import { keepOffline } from "../shared/offline.js";
import { cut } from "../image/crop-image.js";
import { prepare } from "../image/prepare.js";
import { AuditView } from "../ui/audit/audit-view.js";
import { describeBackend } from "../shared/describe.js";

/** @import { Found, Given } from "./files.js" */
/** @import { AuditData, AuditImage, AuditItem, AuditNetwork, LabelFile, PlainError } from "../lib/types.js" */

/**
 * An audit that has begun.
 *
 * @typedef {object} Audit
 * @property {string} name
 * @property {AuditImage[]} images
 * @property {AuditRun} run
 * @property {AuditNetwork} network
 * @property {(string | null)[]} given labels that files gave
 * @property {string[]} names labels that the images' own names would give
 * @property {boolean} named whether those are taken
 * @property {[string, string][]} about how it was made
 */

/** Most files of which it is said why they could not be opened. */
const MOST_TOLD = 3;
/** Images that the engine refuses with these errors are drawn by the browser and read once more. */
const REFUSED = new Set(["image-too-large", "unreadable-image"]);

const query = new URLSearchParams(location.search);
const weights = query.get("weights");
/** What to run on, from the next audit on: the one under way keeps what was chosen before. */
let wish = parseBackend(query.get("backend"));
/** What the audit runs on. */
let used = wish;
/** What of the files is not in the report, in words. */
let leftOut = "";

/** @type {Audit | undefined} */
let current;
/** The audit that the report is compared with. @type {AuditData | null} */
let compared = null;
/** What the next audit is to be compared with. @type {AuditData | null} */
let comparedNext = null;
/** How many times files were given: those given later take the place of those still looked at. */
let given = 0;
/** How many audits have been asked for: an older one that is still loading sees that it is late. */
let asked = 0;
/** Whether one is under way. */
let busy = false;
/** Addresses of the pictures in the report; each report has its own list. @type {string[]} */
let addresses = [];

const loader = new RecognizerLoader(() => ({
  weights: parseWeights(weights),
  backend: used,
  onBackend: (backend) => view.setBackend(backend),
}));
const view = new AuditView({
  choose: (files) => void take(Promise.resolve(filesOf(files))),
  drop: (transfer) => void take(filesOfDrop(transfer)),
  pause: () => {
    const run = current?.run;
    if (!run) return;
    if (run.paused) run.resume();
    else run.pause();
    view.setState(run.paused ? "paused" : "running", run.paused ? "Paused" : "Reading");
  },
  cancel,
  labels: (named) => {
    if (current) showReport(Object.assign(current, { named }));
  },
  compareSaved: (file) => void compareSaved(file),
  compareNext: () => {
    if (!current) return;
    comparedNext = dataOf(current);
    view.setStatus("The next audit will be compared with this one. Choose its images.");
  },
  compareEnd: () => {
    compared = comparedNext = null;
    if (current) showReport(current);
  },
  backend: (chosen) => {
    wish = chosen;
    view.setWish(wish);
    query.set("backend", chosen);
    history.replaceState(null, "", `?${query}`);
    tellNote();
  },
});
view.setWish(wish);
view.setState("idle", "");
keepOffline();

/**
 * Looks for images among the files, and audits them. Where there are none, what goes on goes on, and
 * the report that is there stays; a label file alone is for the images that are there.
 *
 * @param {Promise<Given[]>} coming
 */
async function take(coming) {
  const own = ++given;
  if (!busy) view.setState("loading", "Looking for images");
  try {
    const found = await findImages(await coming);
    if (own !== given) return;
    if (found.images.length > 0) await audit(found);
    else relabel(found.labelFiles);
  } catch (error) {
    if (own !== given) return;
    const plain = toPlainError(error);
    leftOut = busy ? plain.message : "";
    tellNote();
    if (!busy) view.setError(plain, "No images opened. The report below is the previous one.");
  }
}

/**
 * Takes labels that were given after the images.
 *
 * @param {LabelFile[]} files
 */
function relabel(files) {
  if (!current) {
    throw new LensError("no-images", "There are labels but no images. Choose the images first.");
  }
  const labels = labelsFromLaterFiles(
    current.images.map(({ path }) => path),
    files,
  );
  if (labels.every((label) => label === null)) {
    throw new LensError("no-images", describeLost(files));
  }
  Object.assign(current, { given: labels, named: false });
  if (busy) return; // the report comes with them when all is read
  leftOut = describeContradictions(files).join(" ");
  tellNote();
  view.setState("done", "Labels added");
  showReport(current);
}

/**
 * Reads all images that were found; an audit that is under way is given up.
 *
 * @param {Found} found
 */
async function audit(found) {
  const own = ++asked;
  busy = true;
  current?.run.cancel();
  current = undefined;
  if (used !== wish) void loader.dispose();
  used = wish;
  leftOut = describeLeftOut(found);
  tellNote();
  clearReport();
  if (comparedNext) [compared, comparedNext] = [comparedNext, null];
  view.setState("loading", "Loading");
  try {
    const { images, labelFiles, problems } = found;
    const lens = await loader.load();
    if (own !== asked) return;
    view.setState("running", "Reading");
    // Several, where WebGPU takes over on the way.
    /** @type {Set<string>} */
    const backends = new Set();
    const run = new AuditRun(images, readerOf(lens, backends), (progress) => {
      if (own === asked) view.setProgress(progress);
    });
    const paths = images.map(({ path }) => path);
    const [labels, names] = [labelsFromFiles(paths, labelFiles), labelsFromNames(paths)];
    const unnamed = labels.every((label) => label === null);
    if (unnamed && labelFiles.length > 0) {
      leftOut = `${leftOut} ${describeLost(labelFiles)}`.trim();
      tellNote();
    }
    const { alphabet, maxLength } = lens.config;
    const network = { alphabet, maxLength };
    const named = unnamed && areLikely(names, network);
    const name = describeSource(paths);
    current = { name, images, run, network, given: labels, names, named, about: [] };
    /** @type {{ error: unknown } | undefined} */
    let failure;
    const complete = await run.finish().catch((error) => void (failure = { error }));
    if (own !== asked) return;
    const read = run.items.filter(Boolean).length;
    current.about = [
      ["Weights", weights ? weights.replace(/^.*\//, "") : "built-in"],
      ["Device", [...backends].join(", then ") || describeBackend(lens.backend)],
      ["Date", localDate(new Date())],
    ];
    if (!complete) current.about.push(["Stopped after", `${read} of ${images.length} images`]);
    if (problems.length > 0) {
      current.about.push(["Not opened", problems.map(({ path }) => path).join(", ")]);
    }
    const cancelled =
      read > 0 ? "Cancelled. The report covers the images read so far." : "Cancelled";
    view.setState("done", complete ? "Done" : cancelled);
    if (read > 0) showReport(current);
    if (failure) throw failure.error;
  } catch (error) {
    if (own !== asked) return;
    view.setError(toPlainError(error), "Stopped. The report covers the images read so far.");
  } finally {
    if (own === asked) busy = false;
  }
}

/** Gives up the audit that is under way, or what it waits for. */
function cancel() {
  if (busy && current) {
    current.run.cancel();
    return;
  }
  // Still looking for images, or loading.
  given++;
  asked++;
  busy = false;
  void loader.dispose();
  // The report that is there stays.
  view.setState(current ? "done" : "idle", current ? "Cancelled" : "");
}

/**
 * The engine, which is given once more what it refused, drawn by the browser.
 *
 * @param {import("../lib/client.js").Recognizer} lens
 * @param {Set<string>} backends what the images were read on
 * @returns {import("./run.js").Reader}
 */
function readerOf(lens, backends) {
  return {
    async recognizeAll(blobs, options) {
      const answers = await lens.recognizeAll(blobs, options);
      for (const [i, answer] of answers.entries()) {
        if (!(answer instanceof LensError) || !REFUSED.has(answer.code)) continue;
        const drawn = await draw(blobs[i], answer);
        if (drawn instanceof LensError) answers[i] = drawn;
        else [answers[i]] = await lens.recognizeAll([drawn], options);
      }
      for (const answer of answers) {
        if (!(answer instanceof Error)) backends.add(describeBackend(answer.backend));
      }
      return answers;
    },
  };
}

/**
 * An image as the browser shows it, for where the engine does not take its file.
 *
 * @param {Blob} file
 * @param {LensError} refusal what the engine said
 * @returns {Promise<Blob | LensError>} a PNG file, or why there is none
 */
async function draw(file, refusal) {
  try {
    const prepared = await prepare(file);
    if (prepared.file !== file) return prepared.file;
    return await cut(file, { box: WHOLE, turns: 0, angle: 0 });
  } catch (error) {
    return error instanceof LensError ? error : refusal;
  }
}

/**
 * Shows the report beside an audit that was saved.
 *
 * @param {File} file
 */
async function compareSaved(file) {
  try {
    compared = readSaved(await file.text(), file.name);
    if (current && !busy) {
      view.setState("done", "Comparison added");
      showReport(current);
    }
  } catch (error) {
    view.setError(toPlainError(error), "No comparison. The report below is the previous one.");
  }
}

/**
 * @param {unknown} error
 * @returns {PlainError}
 */
function toPlainError(error) {
  const { code, message } =
    error instanceof LensError ? error : new LensError("page-error", String(error));
  return { code, message };
}

/** Says what is not in the report, and when another wish counts. */
function tellNote() {
  const later = "The new “Run on” setting applies to the next audit.";
  view.setNote([leftOut, used === wish ? "" : later].filter(Boolean).join(" "));
}

/** @param {LabelFile[]} files */
function describeContradictions(files) {
  const paths = contradictions(files);
  if (paths.length === 0) return [];
  const have = paths.length === 1 ? "has more than one label" : "have more than one label";
  return [`${listed(paths)} ${have}; the last label is used.`];
}

/** @param {Found} found */
function describeLeftOut({ problems, ignored, labelFiles }) {
  const told = problems.slice(0, MOST_TOLD).map(({ error }) => error.message);
  const more = problems.length - told.length;
  if (more > 0) told.push(`${more} more ${more === 1 ? "file" : "files"} could not be opened.`);
  if (ignored.length > 0) {
    const kind = ignored.length === 1 ? "not an image" : "not images";
    told.push(`Ignored: ${listed(ignored)} (${kind}).`);
  }
  told.push(...describeContradictions(labelFiles));
  return told.join(" ");
}

/** @param {LabelFile[]} files that name none of the images */
function describeLost(files) {
  const names = files.map(({ path }) => path).join(", ");
  return `No row of ${names} matches an image. A labels.csv has rows of file,label. A spec_train_val.txt has lines of NAME LABEL for NAME.png.`;
}

/**
 * What the images came from: a folder, an archive, or themselves.
 *
 * @param {string[]} paths
 */
function describeSource(paths) {
  const [folder] = commonFolder(paths).split("/");
  return folder || (paths.length === 1 ? paths[0] : `${paths.length} images`);
}

/**
 * A day where the reader is, as 2026-01-31.
 *
 * @param {Date} date
 */
function localDate(date) {
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/**
 * @param {Audit} audit
 * @returns {AuditData}
 */
function dataOf({ name, run, network, given: labels, names, named, about }) {
  const items = run.items.flatMap((item, i) =>
    item ? [{ ...item, label: named ? names[i] : labels[i] }] : [],
  );
  return { name, network, about, items };
}

/** @param {Audit} audit */
function showReport(audit) {
  const data = dataOf(audit);
  const sources = new Map(audit.images.map((image) => [image.path, image]));
  revokeAddresses();
  const own = addresses;
  const picture = async (/** @type {AuditItem} */ { path }) => {
    try {
      const blob = await sources.get(path)?.open();
      // Another report may have come meanwhile.
      if (!blob || own !== addresses) return null;
      own.push(URL.createObjectURL(blob));
      return own[own.length - 1];
    } catch {
      return null;
    }
  };
  const choice = audit.given.every((label) => label === null);
  view.setReport({ ...data, picture, compared }, { named: audit.named, choice });
}

function clearReport() {
  revokeAddresses();
  view.clearReport();
}

function revokeAddresses() {
  for (const address of addresses) URL.revokeObjectURL(address);
  addresses = [];
}
