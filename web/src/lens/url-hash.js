// @ts-check
/**
 * The fragment of the page's URL: the settings of the generator. Browsers do not allow many changes of
 * the URL in a short time (Safari: 100 in 30 seconds), so it changes after a pause.
 */

/** Milliseconds without a change before the URL is updated, and before another try. */
const PAUSE = 300;
const RETRY = 10_000;

/** The fragment to write. @type {string | undefined} */
let pending;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Updates the URL soon.
 *
 * @param {string} fragment empty, or with the `#`
 */
export function setFragment(fragment) {
  pending = fragment;
  writeLater(PAUSE);
}

/**
 * A link to the drawing, without other settings such as the backend. `null` if there is no drawing.
 */
export function linkToDrawing() {
  const fragment = pending ?? location.hash;
  return fragment ? new URL(fragment, location.origin + location.pathname).href : null;
}

/** Updates the URL now, if an update is pending. */
export function writeFragment() {
  clearTimeout(timer);
  if (pending === undefined || pending === location.hash) return;
  try {
    history.replaceState(null, "", location.pathname + location.search + pending);
  } catch {
    writeLater(RETRY);
  }
}

/** @param {number} milliseconds */
function writeLater(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(writeFragment, milliseconds);
}
