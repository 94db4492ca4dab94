// @ts-check
/**
 * Finds the CAPTCHA in a screenshot: of all that stands apart on the page, what is as wide as
 * CAPTCHAs are, and busier and more colourful than text, fields and buttons. Pure: pixels in, a box
 * out.
 */

import { WHOLE } from "./crop-geometry.js";
import { areaOf, describe, groupsOf, inkOf, tighten } from "./segmentation.js";

/** @import { Box } from "./crop-geometry.js" */
/** @import { Ink, Pixels, Rect } from "./segmentation.js" */

/** How far apart the parts of one thing may be, in pixels: specks, characters, words. */
const GAPS = [2, 4, 6, 10];
/** In pixels: smaller things are no CAPTCHA that could be read. */
const LEAST = { width: 24, height: 10 };
/** A framed thing of at least this share of the picture may be a card that holds the CAPTCHA. */
const CARD = 0.08;
/** How many cards are looked into, at most. */
const CARDS = 4;
/** The share of a side that is drawn where it is the side of a frame. */
const FRAMED = 0.9;
/** All that is drawn is kept together unless a part of it is that much more like a CAPTCHA. */
const DOUBT = 0.9;
/** Below, nothing is like a CAPTCHA. */
const NOTHING = 0.1;
/** Where less of the width has ink, and no frame, these are characters on their own ground. */
const CROSSED = 0.95;
/** The margin around what has no frame, as a share of its height. */
const MARGIN = 0.06;

/** @typedef {{ rect: Rect, look: ReturnType<typeof describe>, score: number }} Thing */

/**
 * The part of a picture that looks like a CAPTCHA; all of it where none stands out, and where the
 * picture is one itself.
 *
 * @param {Pixels} pixels best no larger than 400 x 400: the time grows with them
 * @returns {Box}
 */
export function guess(pixels) {
  return rate(pixels).box;
}

/**
 * As {@link guess}, with its score, 0 where none stands out, and that of all that is drawn.
 *
 * @param {Pixels} pixels
 * @returns {{ box: Box, score: number, whole: number }}
 */
export function rate(pixels) {
  const { width, height } = pixels;
  const all = { left: 0, top: 0, right: width, bottom: height };
  const page = inkOf(pixels, all);
  const content = consider(pixels, page, tighten(page, all));
  const whole = content.score;
  const things = thingsOn(pixels, page, all);
  const isCard = (/** @type {Thing} */ { rect, look }) =>
    areaOf(rect) >= CARD * areaOf(all) && look.frame > 0.8;
  const inCards = things
    .filter(isCard)
    .slice(0, CARDS)
    .flatMap(({ rect }) => {
      const inside = grow(rect, -3);
      return thingsOn(pixels, inkOf(pixels, inside), inside);
    });
  let best = { ...content, score: whole / DOUBT };
  for (const thing of [...things, ...inCards]) if (thing.score > best.score) best = thing;
  const framed = best.look.frame > FRAMED;
  if (best.score < NOTHING || (!framed && best.look.columns < CROSSED)) {
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
 * All that may be a thing of its own, each once, the largest first.
 *
 * @param {Pixels} pixels
 * @param {Ink} ink
 * @param {Rect} within
 */
function thingsOn(pixels, ink, within) {
  const found = GAPS.flatMap((gap) => groupsOf(ink, within, gap, LEAST));
  const once = new Map(found.map((rect) => [Object.values(rect).join(), rect]));
  return [...once.values()]
    .sort((a, b) => areaOf(b) - areaOf(a))
    .map((rect) => consider(pixels, ink, rect));
}

/**
 * How much like a CAPTCHA something is. The factors of its score: the shape, rows and columns that
 * ink runs through (between lines of text there is none), strong ink, many hues or a frame, the size.
 *
 * @param {Pixels} pixels
 * @param {Ink} ink
 * @param {Rect} rect
 * @returns {Thing}
 */
function consider(pixels, ink, rect) {
  const look = describe(pixels, ink, rect);
  const aspect = (rect.right - rect.left) / (rect.bottom - rect.top);
  const off = Math.max(Math.abs(Math.log(aspect / 2.4)) - 0.5, 0); // none from 1.5 to 4
  const shape = Math.exp(-(off ** 2) / 0.18);
  const size = areaOf(rect) / (pixels.width * pixels.height);
  const busy = Math.min(look.strong / 0.08, 1);
  const colourful = Math.min((look.hues - 1) / 4, 1) * Math.min(look.coloured / 0.3, 1);
  const framed = look.frame > FRAMED && size < 0.9; // the picture's own edge is none
  const telling = 0.3 + colourful + (framed ? 0.5 : 0);
  const score = shape * look.rows ** 3 * look.columns * busy * telling * size ** 0.25;
  return { rect, look, score };
}

/**
 * @param {Rect} rect
 * @param {number} by pixels on each side
 * @returns {Rect}
 */
function grow({ left, top, right, bottom }, by) {
  return { left: left - by, top: top - by, right: right + by, bottom: bottom + by };
}
