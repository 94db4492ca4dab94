// @ts-check
/**
 * What is drawn on a ground of one colour: which pixels, which of them belong together, what they
 * are like. Pure.
 */

/** @typedef {{ data: ArrayLike<number>, width: number, height: number }} Pixels as ImageData is */

/**
 * In pixels; `right` and `bottom` are the first that are outside.
 *
 * @typedef {{ left: number, top: number, right: number, bottom: number }} Rect
 */

/**
 * Where something is drawn.
 *
 * @typedef {{ marks: Uint8Array, width: number }} Ink `marks` has a 1 for each pixel of the picture that is ink
 */

/** Differences of a channel: less than the first comes from scaling and JPEG; the second is clear. */
const [FAINT, STRONG] = [12, 40];
/** A colour has a hue from here on: its largest channel less its smallest. */
const COLOURED = 48;
/** Pixels along the edge that are a frame's. */
const FRAME = 2;
/** Pixels are put together in squares of this side, which is four times as fast. */
const CELL = 2;

/** @param {Rect} rect */
export function areaOf({ left, top, right, bottom }) {
  return (right - left) * (bottom - top);
}

/**
 * All that differs from the most frequent colour.
 *
 * @param {Pixels} pixels
 * @param {Rect} rect where to look; outside there is no ink
 * @returns {Ink}
 */
export function inkOf(pixels, rect) {
  const { data, width, height } = pixels;
  const ground = groundOf(pixels, rect);
  const marks = new Uint8Array(width * height);
  for (let y = rect.top; y < rect.bottom; y++) {
    for (let i = y * width + rect.left; i < y * width + rect.right; i++) {
      marks[i] = difference(data, 4 * i, ground) > FAINT ? 1 : 0;
    }
  }
  return { marks, width };
}

/**
 * Where the pixel is whose colour, or one very near, is the most frequent.
 *
 * @param {Pixels} pixels
 * @param {Rect} rect
 */
function groundOf({ data, width }, { left, top, right, bottom }) {
  const counts = new Uint32Array(1 << 15);
  let most = 0;
  let ground = 0;
  for (let y = top; y < bottom; y++) {
    for (let i = 4 * (y * width + left); i < 4 * (y * width + right); i += 4) {
      const colour = ((data[i] >> 3) << 10) | ((data[i + 1] >> 3) << 5) | (data[i + 2] >> 3);
      if (++counts[colour] <= most) continue;
      most = counts[colour];
      ground = i;
    }
  }
  return ground;
}

/**
 * How far two pixels are apart in the channel where they are farthest.
 *
 * @param {ArrayLike<number>} data
 * @param {number} a
 * @param {number} b
 */
function difference(data, a, b) {
  return Math.max(
    Math.abs(data[a] - data[b]),
    Math.abs(data[a + 1] - data[b + 1]),
    Math.abs(data[a + 2] - data[b + 2]),
  );
}

/**
 * The least rectangle that holds all ink that `rect` holds.
 *
 * @param {Ink} ink
 * @param {Rect} rect
 * @returns {Rect}
 */
export function tighten({ marks, width }, rect) {
  const found = { left: rect.right, top: rect.bottom, right: rect.left, bottom: rect.top };
  for (let y = rect.top; y < rect.bottom; y++) {
    for (let x = rect.left; x < rect.right; x++) {
      if (!marks[y * width + x]) continue;
      if (x < found.left) found.left = x;
      if (x >= found.right) found.right = x + 1;
      if (y < found.top) found.top = y;
      found.bottom = y + 1;
    }
  }
  return found.right > found.left ? found : rect;
}

/**
 * Ink that belongs together, being no farther apart than `gap`.
 *
 * @param {Ink} ink
 * @param {Rect} within
 * @param {number} gap in pixels
 * @param {{ width: number, height: number }} least smaller groups are left out
 * @returns {Rect[]}
 */
export function groupsOf(ink, within, gap, least) {
  const cols = Math.ceil(Math.max(within.right - within.left, 0) / CELL);
  const rows = Math.ceil(Math.max(within.bottom - within.top, 0) / CELL);
  const cells = new Uint8Array(cols * rows);
  for (let y = within.top; y < within.bottom; y++) {
    const row = Math.floor((y - within.top) / CELL) * cols;
    for (let x = within.left; x < within.right; x++) {
      if (ink.marks[y * ink.width + x]) cells[row + Math.floor((x - within.left) / CELL)] = 1;
    }
  }
  const found = [];
  for (let start = 0; start < cells.length; start++) {
    if (!cells[start]) continue;
    const { left, top, right, bottom } = takeGroup(cells, cols, rows, start, gap / CELL);
    const rect = {
      left: within.left + left * CELL,
      top: within.top + top * CELL,
      right: Math.min(within.left + right * CELL, within.right),
      bottom: Math.min(within.top + bottom * CELL, within.bottom),
    };
    const large = rect.right - rect.left >= least.width && rect.bottom - rect.top >= least.height;
    if (large) found.push(tighten(ink, rect));
  }
  return found;
}

/**
 * Takes the group that a cell belongs to out of `cells`, and says where it was.
 *
 * @param {Uint8Array} cells
 * @param {number} cols
 * @param {number} rows
 * @param {number} start
 * @param {number} reach in cells
 * @returns {Rect} in cells
 */
function takeGroup(cells, cols, rows, start, reach) {
  let [left, top, right, bottom] = [cols, rows, 0, 0];
  const todo = [start];
  cells[start] = 0;
  for (let cell = todo.pop(); cell !== undefined; cell = todo.pop()) {
    const x = cell % cols;
    const y = (cell - x) / cols;
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + 1);
    const lastRow = Math.min(y + reach, rows - 1);
    const lastCol = Math.min(x + reach, cols - 1);
    for (let row = Math.max(y - reach, 0); row <= lastRow; row++) {
      for (let col = Math.max(x - reach, 0); col <= lastCol; col++) {
        const near = row * cols + col;
        if (!cells[near]) continue;
        cells[near] = 0;
        todo.push(near);
      }
    }
  }
  return { left, top, right, bottom };
}

/**
 * What something is like, apart from its frame: the shares of its rows and columns that ink runs
 * through, of its pixels that are strong ink, and of these that are coloured; how many hues they
 * have (the exponential of their entropy); and how much of a frame it has: the share of ink along
 * its sides, the worst of the four left out, since a screenshot may cut one off.
 *
 * @param {Pixels} pixels
 * @param {Ink} ink
 * @param {Rect} rect
 */
export function describe(pixels, { marks }, rect) {
  const { data, width } = pixels;
  const { left, top, right, bottom } = rect;
  const ground = groundOf(pixels, rect);
  const [rows, columns] = [new Uint8Array(bottom - top), new Uint8Array(right - left)];
  const hues = new Uint32Array(12);
  let strong = 0;
  for (let y = top + FRAME; y < bottom - FRAME; y++) {
    for (let x = left + FRAME; x < right - FRAME; x++) {
      const i = 4 * (y * width + x);
      const differs = difference(data, i, ground);
      if (differs <= FAINT) continue;
      rows[y - top] = columns[x - left] = 1;
      if (differs <= STRONG) continue;
      strong++;
      const hue = hueOf(data[i], data[i + 1], data[i + 2]);
      if (hue !== null) hues[Math.floor(hue * hues.length)]++;
    }
  }
  /** @type {(from: number, to: number, isInk: (i: number, depth: number) => number) => number} */
  const drawn = (from, to, isInk) => {
    let count = 0;
    for (let i = from; i < to; i++) count += isInk(i, 0) | isInk(i, 1);
    return count / (to - from);
  };
  const sides = [
    drawn(left, right, (x, depth) => marks[(top + depth) * width + x]),
    drawn(left, right, (x, depth) => marks[(bottom - 1 - depth) * width + x]),
    drawn(top, bottom, (y, depth) => marks[y * width + left + depth]),
    drawn(top, bottom, (y, depth) => marks[y * width + right - 1 - depth]),
  ];
  const share = (/** @type {Uint8Array} */ lines) =>
    lines.reduce((sum, line) => sum + line, 0) / Math.max(lines.length - 2 * FRAME, 1);
  return {
    rows: share(rows),
    columns: share(columns),
    strong: strong / areaOf(rect),
    hues: varietyOf(hues),
    coloured: hues.reduce((a, b) => a + b, 0) / Math.max(strong, 1),
    frame: sides.sort((a, b) => a - b)[1],
  };
}

/**
 * @param {number} r
 * @param {number} g
 * @param {number} b
 * @returns {number | null} around the circle, from 0 to below 1; `null` for greys
 */
function hueOf(r, g, b) {
  const most = Math.max(r, g, b);
  const range = most - Math.min(r, g, b);
  if (range <= COLOURED) return null;
  if (most === r) return (((g - b) / range + 6) % 6) / 6;
  return (most === g ? (b - r) / range + 2 : (r - g) / range + 4) / 6;
}

/** @param {Uint32Array} counts */
function varietyOf(counts) {
  const sum = counts.reduce((a, b) => a + b, 0);
  if (sum < 20) return 1; // a few pixels are chance
  const entropy = counts.reduce((e, n) => (n > 0 ? e - (n / sum) * Math.log(n / sum) : e), 0);
  return Math.exp(entropy);
}
