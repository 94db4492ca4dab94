/** The types of an audit and its report. */

import type { NetworkConfig } from "../lib/types.js";

/** An image of an audit, not yet opened. */
export interface AuditImage {
  /** Its path inside what was given. */
  path: string;
  open: () => Promise<Blob>;
}

/** A file that tells what images say. */
export interface LabelFile {
  path: string;
  text: string;
}

/** What became of one image: a text, or an error. */
export interface AuditItem {
  path: string;
  /** What it says, as it was given, where that is known. */
  label?: string | null;
  text?: string;
  /** 0 to 1 */
  confidence?: number;
  /** Why it could not be read. */
  error?: string;
}

/** What a network can write. */
export type AuditNetwork = Pick<NetworkConfig, "alphabet" | "maxLength">;

/** An audit, as it is saved. */
export interface AuditData {
  /** Of what was read. */
  name: string;
  items: AuditItem[];
  /** How it was made: names and values to show. */
  about: [name: string, value: string][];
  network: AuditNetwork;
}

export interface AuditReport extends AuditData {
  /** The address of an item's picture, or `null` where there is none to show. */
  picture: (item: AuditItem) => Promise<string | null>;
  /** Another audit to compare with. */
  compared?: AuditData | null;
}

/** An item beside its label. */
export interface EvaluatedItem {
  item: AuditItem;
  /** The label in the network's characters; `null` where there is none. */
  label: string | null;
  /** Why the network cannot write the label. */
  problems: string[];
  /** Whether the text is the label; `null` where they cannot be compared. */
  correct: boolean | null;
  /** Whether the label's case was ignored. */
  caseIgnored: boolean;
  /** Whether the label is doubted: the network is sure of another text, and its sure ones are correct. */
  labelDoubtful: boolean;
}

export interface Tally {
  images: number;
  /** Of these, solved. */
  exactMatches: number;
}

/** Of the images with a result, those that are answered where unsure ones are skipped. */
export interface Threshold {
  /** Confidence from which an image is answered, 0 to 1. */
  threshold: number;
  answered: number;
  correct: number;
}

/** Shares and means are `null` where there is nothing to take them of. */
export interface AuditSummary {
  images: number;
  /** Of these, read at all. */
  read: number;
  failed: number;
  /** Read, and with a label. */
  labelled: number;
  /** Of these, with a label that the network can write. All that follows is of them. */
  supported: number;
  /** Of those with a label, the others. */
  unsupported: number;
  /** Why the network cannot write those labels, and how many; a label can have several reasons. */
  problems: { words: string; count: number }[];
  /** Labels whose case was ignored. */
  caseIgnored: number;
  /** Solved: the whole text is the label. */
  exactMatches: number;
  /** `exactMatches / supported` */
  exactMatchRate: number | null;
  /** Where the rate on all such images lies, with a certainty of 95 %. */
  interval: [low: number, high: number] | null;
  /** Share of label characters read correct, by the fewest edits from label to text. */
  characterAccuracy: number | null;
  /** Mean confidence; without any labels, of all that was read. */
  meanConfidence: number | null;
  byLength: (Tally & { length: number })[];
  /** Most frequent first; `text` is empty where a character was left out, `label` where one was added. */
  confusions: { label: string; text: string; count: number }[];
  /** By threshold, from 0 to 1. */
  thresholds: Threshold[];
}

/** A share with its interval of 95 %. */
export interface Share {
  part: number;
  whole: number;
  interval: [low: number, high: number];
}

export interface AuditComparison {
  /** Whether the same images were compared, one by one. */
  paired: boolean;
  first: Share;
  second: Share;
  /** The first share less the second. */
  difference: number;
  /** Where the difference on all such images lies, with a certainty of 95 %. */
  interval: [low: number, high: number];
}
