// @ts-check
/**
 * Describes the result of an audit in sentences. Pure. `captcha-lens audit` embeds this file in its
 * reports.
 *
 * No sentence promises a number of attempts or calls a low share protection: the result is of one
 * model, and another model may solve more.
 */

import { describeNetwork } from "./alphabet.js";
import { imageCount, number, percent } from "../common/format.js";

/** @import { AuditNetwork, AuditSummary } from "./types.js" */

/**
 * A CAPTCHA does not stop bots from this share on, if the interval starts at half of it or above.
 */
const HIGH_RATE = 0.5;
/** An interval wider than this is called uncertain. */
const WIDE_INTERVAL = 0.2;

/**
 * Describes which images the result covers.
 *
 * @param {AuditSummary} summary
 * @param {AuditNetwork} network
 * @returns {string[]} empty if it covers all labelled images with their case
 */
export function describeScope(summary, network) {
  const { labelled, supported, unsupported, caseIgnored, ignoreCase } = summary;
  const sentences = [];
  if (unsupported > 0) {
    sentences.push(`This model reads ${describeNetwork(network)}. ${describeUnsupported(summary)}`);
    if (supported > 0) {
      sentences.push(
        `The result below covers ${imageCount(supported)}. It says nothing about the other ${number(labelled - supported)}.`,
      );
    }
  }
  if (ignoreCase) {
    sentences.push("Capital and small letters count as the same, as chosen.");
  } else if (caseIgnored > 0) {
    sentences.push(
      `Capital and small letters count as the same, because this model writes only one of the two (${number(caseIgnored)} of the ${number(supported)} labels).`,
    );
  }
  return sentences;
}

/**
 * Describes the result.
 *
 * @param {AuditSummary} summary
 * @param {boolean} [taught] whether the model has learned from such images
 * @returns {string[]}
 */
export function describeVerdict(summary, taught = false) {
  const better = taught
    ? "one that has learned from more images"
    : "one trained on images of this style";
  const { images, read, labelled, supported, exactMatches, exactMatchRate, meanConfidence } =
    summary;
  if (read === 0) {
    return images === 0
      ? ["There are no images, so there is no result."]
      : [
          "No image could be read, so there is no result. The table gives the reason for each image.",
        ];
  }
  if (labelled === 0) {
    return [
      "The images have no labels, so the number of correct readings is unknown.",
      `The model’s mean confidence is ${percent(meanConfidence ?? 0)}. On images of a style that it was not trained on, it can be confident and wrong.`,
      "To measure accuracy, name each file after its label (label.png, label_2.png), or add a labels.csv with rows of file,label.",
    ];
  }
  if (supported === 0 || exactMatchRate === null || summary.interval === null) {
    return [
      "There is no result, neither good nor bad: this model cannot write the labels of these images.",
      "To get a result, fine-tune the model on labelled images of this style (captcha-lens finetune), and run the audit with its weights.",
    ];
  }
  const [low, high] = summary.interval;
  const sentences = coversMinority(summary)
    ? [
        "This model cannot write most of the labels, so the result covers only a small part of the images.",
      ]
    : [];
  if (exactMatches === 0) {
    sentences.push(
      `This model solved none of ${number(supported)} ${supported === 1 ? "image" : "images"}.`,
      `This does not show that the CAPTCHA stops bots. Another model, especially ${better}, may solve many.`,
    );
  } else if (exactMatches === supported) {
    sentences.push(
      supported === 1
        ? "This model solved the image."
        : `This model solved all ${number(supported)} images.`,
    );
  } else {
    sentences.push(
      `This model solved ${number(exactMatches)} of ${number(supported)} images, ${approximateShare(exactMatchRate)}.`,
      `Another model may solve more, especially ${better}.`,
    );
  }
  const { ignoreCase, matchesWithCase, matchesIgnoringCase } = summary;
  if (matchesWithCase !== matchesIgnoringCase) {
    sentences.push(
      `${ignoreCase ? "With case" : "With case ignored"}, it solved ${number(ignoreCase ? matchesWithCase : matchesIgnoringCase)} of ${number(supported)}.`,
    );
  }
  if (high - low > WIDE_INTERVAL) {
    sentences.push(
      `The sample is small, so the share for all images of this kind is uncertain (${percent(low)} to ${percent(high)}). Use 100 images or more.`,
    );
  }
  sentences.push(
    exactMatchRate >= HIGH_RATE && low >= HIGH_RATE / 2 && !coversMinority(summary)
      ? "CAPTCHAs like these images do not stop bots. Limit attempts per account and IP address, and check what is submitted."
      : "An attacker can skip images with low confidence and try again. Limit attempts per account and IP address, even if the share is low.",
  );
  return sentences;
}

/**
 * Whether the result covers less than half of the labelled images.
 *
 * @param {AuditSummary} summary
 */
export function coversMinority({ supported, unsupported }) {
  return supported < unsupported;
}

/** @param {AuditSummary} summary */
function describeUnsupported({ labelled, unsupported, problems }) {
  const of =
    unsupported < labelled
      ? `${number(unsupported)} of ${number(labelled)} labels`
      : labelled === 1
        ? "The only label"
        : `All ${number(labelled)} labels`;
  if (problems.every(({ count }) => count === unsupported)) {
    const all = problems.map(({ words }) => (unsupported === 1 ? singular(words) : words));
    return `${of} ${all.join(" and ")}.`;
  }
  const counts = problems.map(
    ({ words, count }) => `${number(count)} ${count === 1 ? singular(words) : words}`,
  );
  return `${of} do not fit: ${counts.join(", ")}.`;
}

/** @param {string} words */
export function singular(words) {
  return words.replace(/^contain /, "contains ").replace(/^are /, "is ");
}

/**
 * A share as a simple fraction.
 *
 * @param {number} exactMatchRate above 0 and below 1
 */
export function approximateShare(exactMatchRate) {
  if (exactMatchRate > 0.95) return "nearly all";
  if (exactMatchRate < 0.4) return `about 1 in ${number(Math.round(1 / exactMatchRate))}`;
  const parts = [
    [1, 2],
    [2, 3],
    [3, 4],
    [4, 5],
    [9, 10],
  ];
  const off = (/** @type {number[]} */ [part, whole]) => Math.abs(part / whole - exactMatchRate);
  const [part, whole] = parts.reduce((a, b) => (off(b) < off(a) ? b : a));
  return `about ${part} in ${whole}`;
}
