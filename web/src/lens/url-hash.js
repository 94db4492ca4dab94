// @ts-check
/**
 * The fragment of the page's address, which says what is drawn. Browsers refuse an address that
 * changes too often (Safari: 100 times in 30 seconds), so it follows when changes pause.
 */

/** Milliseconds without a change before the address follows, and before it tries again. */
const PAUSE = 300;
const REFUSED = 10_000;

/** The fragment to write. @type {string | undefined} */
let wanted;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Has the address say something else soon.
 *
 * @param {string} fragment empty, or with its `#`
 */
export function setFragment(fragment) {
  wanted = fragment;
  writeLater(PAUSE);
}

/**
 * A link to what is drawn, without what is this visitor's own, such as the backend; `null` where
 * nothing is.
 */
export function linkToDrawing() {
  const fragment = wanted ?? location.hash;
  return fragment ? new URL(fragment, location.origin + location.pathname).href : null;
}

/** Has the address say now what it would say soon. */
export function writeFragment() {
  clearTimeout(timer);
  if (wanted === undefined || wanted === location.hash) return;
  try {
    history.replaceState(null, "", location.pathname + location.search + wanted);
  } catch {
    writeLater(REFUSED);
  }
}

/** @param {number} milliseconds */
function writeLater(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(writeFragment, milliseconds);
}
