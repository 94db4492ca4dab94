// @ts-check
/** Wires the audit: files in, readings, report. */

import { filesOfDrop, findImages } from "./audit/files.js";
import { areLikely, labelsFromFiles, labelsFromNames } from "./audit/labels.js";
import { AuditRun } from "./audit/run.js";
import { LensError } from "./errors.js";
import { Loader, wishFrom } from "./loader.js";
import { keepOffline } from "./offline.js";
import { AuditView } from "./view/audit.js";
import { describeBackend } from "./words.js";

/** @import { AuditImage, AuditItem } from "./types.js" */

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

const query = new URLSearchParams(location.search);
let wish = wishFrom(query.get("backend"));

/** @type {Audit | undefined} */
let current;
/** How many audits have been asked for: an older one that is still loading sees that it is late. */
let asked = 0;
/** Addresses of the pictures in the report. @type {string[]} */
let addresses = [];

const loader = new Loader(() => ({
  backend: wish,
  onBackend: (backend) => view.setBackend(backend),
}));
const view = new AuditView({
  choose: (files) => void audit(Promise.resolve(files)),
  drop: (transfer) => void audit(filesOfDrop(transfer)),
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
    query.set("backend", chosen);
    history.replaceState(null, "", `?${query}`);
    current?.run.cancel();
    void loader.drop();
  },
});
view.setWish(wish);
view.setState("idle", "");
keepOffline();

/**
 * Reads all images among the files; an audit that is under way is given up.
 *
 * @param {Promise<File[]>} coming
 */
async function audit(coming) {
  const own = ++asked;
  current?.run.cancel();
  current = undefined;
  view.clearReport();
  view.setNote("");
  view.setState("loading", "Looking for images");
  try {
    const { images, labelFiles, ignored } = await findImages(await coming);
    if (own !== asked) return;
    view.setNote(ignored > 0 ? `${ignored} other files are left out.` : "");
    view.setState("loading", "Loading");
    const lens = await loader.load();
    if (own !== asked) return;
    view.setState("running", "Reading");
    const run = new AuditRun(images, lens, (progress) => {
      if (own === asked) view.setProgress(progress);
    });
    const paths = images.map(({ path }) => path);
    const [given, names] = [labelsFromFiles(paths, labelFiles), labelsFromNames(paths)];
    const named = given.every((label) => label === null) && areLikely(names);
    current = { images, run, given, names, named, about: [] };
    const complete = await run.finish();
    if (own !== asked) return;
    current.about = [
      ["Read on", describeBackend(lens.backend)],
      ["Date", new Date().toISOString().slice(0, 10)],
    ];
    view.setState("done", complete ? "Done" : "Cancelled; the report holds what was read before");
    showReport(current);
  } catch (error) {
    if (own !== asked) return;
    const { code, message } =
      error instanceof LensError ? error : { code: "page-error", message: String(error) };
    view.setError({ code, message });
  }
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
