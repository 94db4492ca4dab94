/** The types of an audit and its report. */

import type { NetworkConfig } from "../lib/types.js";

/** An image of an audit, not yet opened. */
export interface AuditImage {
  /** The path inside the chosen folder or archive. */
  path: string;
  open: () => Promise<Blob>;
}

/** A file with the labels of images. */
export interface LabelFile {
  path: string;
  text: string;
}

/** The result of one image: a text, or an error. */
export interface AuditItem {
  path: string;
  /** The correct text as the user gave it, if known. */
  label?: string | null;
  text?: string;
  /** 0 to 1 */
  confidence?: number;
  /** The reason why the image could not be read. */
  error?: string;
}

/** The texts that a network can write. */
export type AuditNetwork = Pick<NetworkConfig, "alphabet" | "maxLength">;

/** The content of a saved audit. */
export interface AuditData {
  /** The folder, archive or number of the images. */
  name: string;
  items: AuditItem[];
  /** How the audit was made: names and values to show. */
  about: [name: string, value: string][];
  network: AuditNetwork;
  /** Whether texts that differ from their labels only in case count as equal. Earlier audits lack it. */
  ignoreCase?: boolean;
  /** Whether the model has learned from images like these. */
  taught?: boolean;
  /** How many labelled images training takes on such images, if it was measured. */
  learningCurve?: LearningCurve | null;
}

/** The share of held-out images that is solved after training on more and more labelled images. */
export interface LearningCurve {
  /** Name of the folder with the images. */
  name?: string;
  /** The weights that every training started from. */
  weights?: string;
  /** In ascending order. */
  points: CurvePoint[];
  /** How many labelled images an attacker needs, and what that does not say. */
  sentences: string[];
  /** The figure. */
  svg: string;
}

export interface CurvePoint {
  /** The labelled images that training and validation used. */
  labels: number;
  /** The images that were read afterwards. */
  heldOut: number;
  /** Of these, the solved images. */
  exactMatches: number;
}

export interface AuditReport extends AuditData {
  /** The URL of the picture of an item, or `null` if there is none. */
  picture: (item: AuditItem) => Promise<string | null>;
  /** The audit that this one is compared with. */
  compared?: AuditData | null;
}

/** An item compared with its label. */
export interface EvaluatedItem {
  item: AuditItem;
  /** The label in the characters of the network; `null` if there is no label. */
  label: string | null;
  /** The reasons why the network cannot write the label. */
  problems: string[];
  /** Whether the text counts as the label; `null` if they cannot be compared. */
  correct: boolean | null;
  /** Whether the case of the label was ignored. */
  caseIgnored: boolean;
  /**
   * Whether the label may be wrong: the network has high confidence in another text, and most of its
   * other readings with high confidence are correct.
   */
  labelDoubtful: boolean;
}

export interface Tally {
  images: number;
  /** The number of solved images. */
  exactMatches: number;
}

/** The images that are answered if images with a lower confidence are skipped. */
export interface Threshold {
  /** The minimum confidence of an answered image, 0 to 1. */
  threshold: number;
  answered: number;
  correct: number;
}

/** Rates and means are `null` if there are no images for them. */
export interface AuditSummary {
  images: number;
  /** The images that were read. */
  read: number;
  failed: number;
  /** The images that were read and have a label. */
  labelled: number;
  /** Of these, the images with a label that the network can write. The results below are for them. */
  supported: number;
  /** The other images with a label. */
  unsupported: number;
  /** Why the network cannot write these labels, with counts. A label can have several reasons. */
  problems: { words: string; count: number }[];
  /** The number of labels whose case was ignored. */
  caseIgnored: number;
  /** Whether texts that differ from their labels only in case count as equal. */
  ignoreCase: boolean;
  /** The number of texts that equal the label with its case. */
  matchesWithCase: number;
  /** The number of texts that equal the label or differ from it only in case. */
  matchesIgnoringCase: number;
  /** The number of solved images: one of the two, depending on `ignoreCase`. */
  exactMatches: number;
  /** `exactMatches / supported` */
  exactMatchRate: number | null;
  /** The 95% confidence interval of the rate. */
  interval: [low: number, high: number] | null;
  /** The fraction of label characters that were read correctly, by edit distance. */
  characterAccuracy: number | null;
  /** The mean confidence of the supported images, or of all images that were read if none has a label. */
  meanConfidence: number | null;
  byLength: (Tally & { length: number })[];
  /** Most frequent first. `text` is empty for a missed character, `label` for an added one. */
  confusions: { label: string; text: string; count: number }[];
  /** In ascending order, from 0 to 1. */
  thresholds: Threshold[];
}

/** A rate with its 95% confidence interval. */
export interface Share {
  part: number;
  whole: number;
  interval: [low: number, high: number];
}

export interface AuditComparison {
  /** Whether the same images were compared image by image. */
  paired: boolean;
  first: Share;
  second: Share;
  /** The first rate minus the second. */
  difference: number;
  /** The 95% confidence interval of the difference. */
  interval: [low: number, high: number];
}
