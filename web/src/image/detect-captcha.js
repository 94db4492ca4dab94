// @ts-check
/**
 * Finds the CAPTCHA in a screenshot: the separate region with the aspect ratio of a CAPTCHA that has
 * more foreground and more colours than text, fields and buttons. Pure.
 */

import { WHOLE } from "./crop-geometry.js";
import {
  areaOf,
  regionFeatures,
  connectedComponents,
  foregroundMask,
  boundingBox,
} from "./segmentation.js";

/** @import { Box } from "./crop-geometry.js" */
/** @import { Mask, Pixels, Rect } from "./segmentation.js" */

/** Gaps in pixels up to which parts belong to one region: noise, characters, words. */
const GAPS = [2, 4, 6, 10];
/** In pixels. A smaller CAPTCHA could not be read. */
const MIN_SIZE = { width: 24, height: 10 };
/** A framed region with at least this fraction of the picture may be a card that contains the CAPTCHA. */
const MIN_CARD_AREA = 0.08;
/** The maximum number of cards to search. */
const MAX_CARDS = 4;
/** The minimum fraction of foreground along the side of a frame. */
const MIN_FRAME = 0.9;
/** The score of the whole content is divided by this, so that a part must have a clearly better score. */
const WHOLE_BONUS = 0.9;
/** A region with a lower score is not a CAPTCHA. */
const MIN_SCORE = 0.1;
/** A region without a frame and with foreground in less of its width is text without background noise. */
const MIN_COLUMNS = 0.95;
/** The margin around a region without a frame, as a fraction of its height. */
const MARGIN = 0.06;

/** @typedef {{ rect: Rect, features: ReturnType<typeof regionFeatures>, score: number }} Region */

/**
 * The part of a picture that looks like a CAPTCHA. It is the whole picture if no part does, or if the
 * picture is a CAPTCHA itself.
 *
 * @param {Pixels} pixels at most about 400 x 400, because the time grows with the size
 * @returns {Box}
 */
export function findCaptcha(pixels) {
  return detect(pixels).box;
}

/**
 * As {@link findCaptcha}, with the score of the part (0 if there is none) and of the whole content.
 *
 * @param {Pixels} pixels
 * @returns {{ box: Box, score: number, whole: number }}
 */
export function detect(pixels) {
  const { width, height } = pixels;
  const all = { left: 0, top: 0, right: width, bottom: height };
  const page = foregroundMask(pixels, all);
  const content = scoreRegion(pixels, page, boundingBox(page, all));
  const whole = content.score;
  const regions = candidateRegions(pixels, page, all);
  const isCard = (/** @type {Region} */ { rect, features }) =>
    areaOf(rect) >= MIN_CARD_AREA * areaOf(all) && features.frame > 0.8;
  const inCards = regions
    .filter(isCard)
    .slice(0, MAX_CARDS)
    .flatMap(({ rect }) => {
      const inside = grow(rect, -3);
      return candidateRegions(pixels, foregroundMask(pixels, inside), inside);
    });
  let best = { ...content, score: whole / WHOLE_BONUS };
  for (const region of [...regions, ...inCards]) if (region.score > best.score) best = region;
  const framed = best.features.frame > MIN_FRAME;
  if (best.score < MIN_SCORE || (!framed && best.features.columns < MIN_COLUMNS)) {
    return { box: WHOLE, score: 0, whole };
  }
  const margin = framed ? 0 : Math.round(1 + MARGIN * (best.rect.bottom - best.rect.top));
  const { left, top, right, bottom } = grow(best.rect, margin);
  const [x, y] = [Math.max(left, 0) / width, Math.max(top, 0) / height];
  const box = {
    x,
    y,
    width: Math.min(right, width) / width - x,
    height: Math.min(bottom, height) / height - y,
  };
  return { box, score: best.score, whole };
}

/**
 * The separate regions, without duplicates, the largest one first.
 *
 * @param {Pixels} pixels
 * @param {Mask} mask
 * @param {Rect} within
 */
function candidateRegions(pixels, mask, within) {
  const found = GAPS.flatMap((gap) => connectedComponents(mask, within, gap, MIN_SIZE));
  const once = new Map(found.map((rect) => [Object.values(rect).join(), rect]));
  return [...once.values()]
    .sort((a, b) => areaOf(b) - areaOf(a))
    .map((rect) => scoreRegion(pixels, mask, rect));
}

/**
 * Scores a region. The factors: the aspect ratio, the rows and columns with foreground (between lines
 * of text there is none), the amount of strong foreground, many hues or a frame, and the size.
 *
 * @param {Pixels} pixels
 * @param {Mask} mask
 * @param {Rect} rect
 * @returns {Region}
 */
function scoreRegion(pixels, mask, rect) {
  const features = regionFeatures(pixels, mask, rect);
  const aspect = (rect.right - rect.left) / (rect.bottom - rect.top);
  const off = Math.max(Math.abs(Math.log(aspect / 2.4)) - 0.5, 0); // none from 1.5 to 4
  const shape = Math.exp(-(off ** 2) / 0.18);
  const size = areaOf(rect) / (pixels.width * pixels.height);
  const busy = Math.min(features.strong / 0.08, 1);
  const colourful = Math.min((features.hues - 1) / 4, 1) * Math.min(features.coloured / 0.3, 1);
  const framed = features.frame > MIN_FRAME && size < 0.9; // the edge of the picture is not a frame
  const telling = 0.3 + colourful + (framed ? 0.5 : 0);
  const score = shape * features.rows ** 3 * features.columns * busy * telling * size ** 0.25;
  return { rect, features, score };
}

/**
 * @param {Rect} rect
 * @param {number} by pixels on each side
 * @returns {Rect}
 */
function grow({ left, top, right, bottom }, by) {
  return { left: left - by, top: top - by, right: right + by, bottom: bottom + by };
}
