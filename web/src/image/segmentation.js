// @ts-check
/**
 * Segmentation of a picture with a background of one colour: the foreground pixels, their connected
 * components, and the features of a region. Pure.
 */

/** @typedef {{ data: ArrayLike<number>, width: number, height: number }} Pixels as `ImageData` */

/**
 * In pixels. `right` and `bottom` are outside.
 *
 * @typedef {{ left: number, top: number, right: number, bottom: number }} Rect
 */

/**
 * The foreground of a picture.
 *
 * @typedef {{ bits: Uint8Array, width: number }} Mask `bits` has 1 for each foreground pixel
 */

/** Differences of a channel: below the first, they come from scaling and JPEG; above the second, they are strong. */
const [FAINT, STRONG] = [12, 40];
/** A colour has a hue if its largest channel minus its smallest is larger. */
const MIN_CHROMA = 48;
/** The width of a frame, in pixels. */
const FRAME_WIDTH = 2;
/** Components are computed on cells with this side, in pixels, which is four times as fast. */
const CELL_SIZE = 2;

/** @param {Rect} rect */
export function areaOf({ left, top, right, bottom }) {
  return (right - left) * (bottom - top);
}

/**
 * The pixels that differ from the most frequent colour.
 *
 * @param {Pixels} pixels
 * @param {Rect} rect outside of it, the mask is 0
 * @returns {Mask}
 */
export function foregroundMask(pixels, rect) {
  const { data, width, height } = pixels;
  const background = backgroundPixel(pixels, rect);
  const bits = new Uint8Array(width * height);
  for (let y = rect.top; y < rect.bottom; y++) {
    for (let i = y * width + rect.left; i < y * width + rect.right; i++) {
      bits[i] = colorDistance(data, 4 * i, background) > FAINT ? 1 : 0;
    }
  }
  return { bits, width };
}

/**
 * The offset of a pixel with the most frequent colour, or one very similar.
 *
 * @param {Pixels} pixels
 * @param {Rect} rect
 */
function backgroundPixel({ data, width }, { left, top, right, bottom }) {
  const counts = new Uint32Array(1 << 15);
  let most = 0;
  let background = 0;
  for (let y = top; y < bottom; y++) {
    for (let i = 4 * (y * width + left); i < 4 * (y * width + right); i += 4) {
      const colour = ((data[i] >> 3) << 10) | ((data[i + 1] >> 3) << 5) | (data[i + 2] >> 3);
      if (++counts[colour] <= most) continue;
      most = counts[colour];
      background = i;
    }
  }
  return background;
}

/**
 * The largest difference of two pixels in a channel.
 *
 * @param {ArrayLike<number>} data
 * @param {number} a
 * @param {number} b
 */
function colorDistance(data, a, b) {
  return Math.max(
    Math.abs(data[a] - data[b]),
    Math.abs(data[a + 1] - data[b + 1]),
    Math.abs(data[a + 2] - data[b + 2]),
  );
}

/**
 * The bounding box of the foreground in a rectangle.
 *
 * @param {Mask} mask
 * @param {Rect} rect
 * @returns {Rect}
 */
export function boundingBox({ bits, width }, rect) {
  const found = { left: rect.right, top: rect.bottom, right: rect.left, bottom: rect.top };
  for (let y = rect.top; y < rect.bottom; y++) {
    for (let x = rect.left; x < rect.right; x++) {
      if (!bits[y * width + x]) continue;
      if (x < found.left) found.left = x;
      if (x >= found.right) found.right = x + 1;
      if (y < found.top) found.top = y;
      found.bottom = y + 1;
    }
  }
  return found.right > found.left ? found : rect;
}

/**
 * The bounding boxes of foreground pixels whose distance is at most `gap`.
 *
 * @param {Mask} mask
 * @param {Rect} within
 * @param {number} gap in pixels
 * @param {{ width: number, height: number }} minSize smaller components are left out
 * @returns {Rect[]}
 */
export function connectedComponents(mask, within, gap, minSize) {
  const cols = Math.ceil(Math.max(within.right - within.left, 0) / CELL_SIZE);
  const rows = Math.ceil(Math.max(within.bottom - within.top, 0) / CELL_SIZE);
  const cells = new Uint8Array(cols * rows);
  for (let y = within.top; y < within.bottom; y++) {
    const row = Math.floor((y - within.top) / CELL_SIZE) * cols;
    for (let x = within.left; x < within.right; x++) {
      if (mask.bits[y * mask.width + x]) cells[row + Math.floor((x - within.left) / CELL_SIZE)] = 1;
    }
  }
  const found = [];
  for (let start = 0; start < cells.length; start++) {
    if (!cells[start]) continue;
    const { left, top, right, bottom } = floodFill(cells, cols, rows, start, gap / CELL_SIZE);
    const rect = {
      left: within.left + left * CELL_SIZE,
      top: within.top + top * CELL_SIZE,
      right: Math.min(within.left + right * CELL_SIZE, within.right),
      bottom: Math.min(within.top + bottom * CELL_SIZE, within.bottom),
    };
    const large =
      rect.right - rect.left >= minSize.width && rect.bottom - rect.top >= minSize.height;
    if (large) found.push(boundingBox(mask, rect));
  }
  return found;
}

/**
 * Clears the component of a cell in `cells`, and returns its bounding box.
 *
 * @param {Uint8Array} cells
 * @param {number} cols
 * @param {number} rows
 * @param {number} start
 * @param {number} reach in cells
 * @returns {Rect} in cells
 */
function floodFill(cells, cols, rows, start, reach) {
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
 * The features of a region without its frame: the fractions of its rows and columns with foreground,
 * of its pixels that are strong foreground, and of these that are coloured; the number of their hues;
 * and the fraction of foreground along its sides (without the worst of the four, because a screenshot
 * may cut it off).
 *
 * @param {Pixels} pixels
 * @param {Mask} mask
 * @param {Rect} rect
 */
export function regionFeatures(pixels, { bits }, rect) {
  const { data, width } = pixels;
  const { left, top, right, bottom } = rect;
  const background = backgroundPixel(pixels, rect);
  const [rows, columns] = [new Uint8Array(bottom - top), new Uint8Array(right - left)];
  const hues = new Uint32Array(12);
  let strong = 0;
  for (let y = top + FRAME_WIDTH; y < bottom - FRAME_WIDTH; y++) {
    for (let x = left + FRAME_WIDTH; x < right - FRAME_WIDTH; x++) {
      const i = 4 * (y * width + x);
      const distance = colorDistance(data, i, background);
      if (distance <= FAINT) continue;
      rows[y - top] = columns[x - left] = 1;
      if (distance <= STRONG) continue;
      strong++;
      const hue = hueOf(data[i], data[i + 1], data[i + 2]);
      if (hue !== null) hues[Math.floor(hue * hues.length)]++;
    }
  }
  /** @type {(from: number, to: number, isForeground: (i: number, depth: number) => number) => number} */
  const drawn = (from, to, isForeground) => {
    let count = 0;
    for (let i = from; i < to; i++) count += isForeground(i, 0) | isForeground(i, 1);
    return count / (to - from);
  };
  const sides = [
    drawn(left, right, (x, depth) => bits[(top + depth) * width + x]),
    drawn(left, right, (x, depth) => bits[(bottom - 1 - depth) * width + x]),
    drawn(top, bottom, (y, depth) => bits[y * width + left + depth]),
    drawn(top, bottom, (y, depth) => bits[y * width + right - 1 - depth]),
  ];
  const share = (/** @type {Uint8Array} */ lines) =>
    lines.reduce((sum, line) => sum + line, 0) / Math.max(lines.length - 2 * FRAME_WIDTH, 1);
  return {
    rows: share(rows),
    columns: share(columns),
    strong: strong / areaOf(rect),
    hues: hueCount(hues),
    coloured: hues.reduce((a, b) => a + b, 0) / Math.max(strong, 1),
    frame: sides.sort((a, b) => a - b)[1],
  };
}

/**
 * @param {number} r
 * @param {number} g
 * @param {number} b
 * @returns {number | null} 0 to below 1; `null` for greys
 */
function hueOf(r, g, b) {
  const most = Math.max(r, g, b);
  const range = most - Math.min(r, g, b);
  if (range <= MIN_CHROMA) return null;
  if (most === r) return (((g - b) / range + 6) % 6) / 6;
  return (most === g ? (b - r) / range + 2 : (r - g) / range + 4) / 6;
}

/**
 * The effective number of hues: the exponential of their entropy.
 *
 * @param {Uint32Array} counts
 */
function hueCount(counts) {
  const sum = counts.reduce((a, b) => a + b, 0);
  if (sum < 20) return 1; // too few pixels
  const entropy = counts.reduce((e, n) => (n > 0 ? e - (n / sum) * Math.log(n / sum) : e), 0);
  return Math.exp(entropy);
}
