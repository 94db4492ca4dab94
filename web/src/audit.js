// @ts-check
/** Wires the audit: files in, readings, report. */

import { filesOf, filesOfDrop, findImages } from "./audit/files.js";
import { areLikely, labelsFromFiles, labelsFromNames } from "./audit/labels.js";
import { AuditRun } from "./audit/run.js";
import { LensError } from "./errors.js";
import { Loader, wishFrom } from "./loader.js";
import { keepOffline } from "./offline.js";
import { AuditView } from "./view/audit.js";
import { describeBackend } from "./words.js";

/** @import { Found, Given } from "./audit/files.js" */
/** @import { AuditImage, AuditItem, LabelFile, PlainError } from "./types.js" */

/**
 * An audit that has begun.
 *
 * @typedef {object} Audit
 * @property {AuditImage[]} images
 * @property {AuditRun} run
 * @property {(string | null)[]} given labels that files gave
 * @property {string[]} names labels that the images' own names would give
 * @property {boolean} named whether those are taken
 * @property {[string, string][]} about how it was made
 */

/** Most files of which it is said why they could not be opened. */
const MOST_TOLD = 3;

const query = new URLSearchParams(location.search);
/** What to run on, from the next audit on: the one under way keeps what was chosen before. */
let wish = wishFrom(query.get("backend"));
/** What the audit runs on. */
let used = wish;
/** What of the files is not in the report, in words. */
let leftOut = "";

/** @type {Audit | undefined} */
let current;
/** How many times files were given: those given later take the place of those still looked at. */
let given = 0;
/** How many audits have been asked for: an older one that is still loading sees that it is late. */
let asked = 0;
/** Whether one is under way. */
let busy = false;
/** Addresses of the pictures in the report. @type {string[]} */
let addresses = [];

const loader = new Loader(() => ({
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
  cancel: () => current?.run.cancel(),
  labels: (named) => {
    if (current) showReport(Object.assign(current, { named }));
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
 * the report that is there stays.
 *
 * @param {Promise<Given[]>} coming
 */
async function take(coming) {
  const own = ++given;
  if (!busy) view.setState("loading", "Looking for images");
  try {
    const found = await findImages(await coming);
    if (own === given) await audit(found);
  } catch (error) {
    if (own !== given) return;
    const plain = toPlainError(error);
    leftOut = busy ? plain.message : "";
    tellNote();
    if (!busy) view.setError(plain, "Not opened; the report is the one before");
  }
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
  if (used !== wish) void loader.drop();
  used = wish;
  leftOut = describeLeftOut(found);
  tellNote();
  view.clearReport();
  view.setState("loading", "Loading");
  try {
    const { images, labelFiles, problems } = found;
    const lens = await loader.load();
    if (own !== asked) return;
    view.setState("running", "Reading");
    // Several, where WebGPU takes over on the way.
    /** @type {Set<string>} */
    const backends = new Set();
    /** @type {import("./audit/run.js").Reader} */
    const reader = {
      async recognizeAll(blobs, options) {
        const answers = await lens.recognizeAll(blobs, options);
        for (const answer of answers) {
          if (!(answer instanceof Error)) backends.add(describeBackend(answer.backend));
        }
        return answers;
      },
    };
    const run = new AuditRun(images, reader, (progress) => {
      if (own === asked) view.setProgress(progress);
    });
    const paths = images.map(({ path }) => path);
    const [labels, names] = [labelsFromFiles(paths, labelFiles), labelsFromNames(paths)];
    const unnamed = labels.every((label) => label === null);
    if (unnamed && labelFiles.length > 0) {
      leftOut = `${leftOut} ${describeLost(labelFiles)}`.trim();
      tellNote();
    }
    const named = unnamed && areLikely(names);
    current = { images, run, given: labels, names, named, about: [] };
    /** @type {{ error: unknown } | undefined} */
    let failure;
    const complete = await run.finish().catch((error) => void (failure = { error }));
    if (own !== asked) return;
    const read = run.items.filter(Boolean).length;
    current.about = [
      ["Read on", [...backends].join(", then ") || describeBackend(lens.backend)],
      ["Date", new Date().toISOString().slice(0, 10)],
    ];
    if (!complete) current.about.push(["Stopped after", `${read} of ${images.length} images`]);
    if (problems.length > 0) {
      current.about.push(["Not opened", problems.map(({ path }) => path).join(", ")]);
    }
    const cancelled = read > 0 ? "Cancelled; the report holds what was read before" : "Cancelled";
    view.setState("done", complete ? "Done" : cancelled);
    if (read > 0) showReport(current);
    if (failure) throw failure.error;
  } catch (error) {
    if (own !== asked) return;
    view.setError(toPlainError(error), "Stopped; the report holds what was read before");
  } finally {
    if (own === asked) busy = false;
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
  const later = "What is chosen under “Run on” counts from the next audit on.";
  view.setNote([leftOut, used === wish ? "" : later].filter(Boolean).join(" "));
}

/** @param {Found} found */
function describeLeftOut({ problems, ignored }) {
  const told = problems.slice(0, MOST_TOLD).map(({ error }) => error.message);
  const more = problems.length - told.length;
  if (more > 0) told.push(`${more} more could not be opened.`);
  if (ignored > 0)
    told.push(`${ignored} other ${ignored === 1 ? "file is" : "files are"} left out.`);
  return told.join(" ");
}

/** @param {LabelFile[]} files that name none of the images */
function describeLost(files) {
  return `${files.map(({ path }) => path).join(", ")} ${files.length === 1 ? "names" : "name"} none of these images. A labels.csv has rows of file,label; a spec_train_val.txt lines of NAME WORD for NAME.png.`;
}

/** @param {Audit} audit */
function showReport({ images, run, given, names, named, about }) {
  /** @type {Map<AuditItem, AuditImage>} */
  const sources = new Map();
  const items = run.items.flatMap((item, i) => {
    if (!item) return [];
    const labelled = { ...item, label: named ? names[i] : given[i] };
    sources.set(labelled, images[i]);
    return [labelled];
  });
  for (const address of addresses) URL.revokeObjectURL(address);
  addresses = [];
  const picture = async (/** @type {AuditItem} */ item) => {
    try {
      const blob = await sources.get(item)?.open();
      if (!blob) return null;
      addresses.push(URL.createObjectURL(blob));
      return addresses[addresses.length - 1];
    } catch {
      return null;
    }
  };
  const choice = given.every((label) => label === null);
  view.setReport({ items, about, picture }, { named, choice });
}
