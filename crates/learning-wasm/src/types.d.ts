/** An image file with its label. */
export interface LabelledImage {
  /** Unique among the images; messages contain it. */
  name: string;
  bytes: Uint8Array;
  label: string;
}

export interface FinetuningOptions {
  /** The initial weights: a safetensors file. */
  weights: Uint8Array;
  images: LabelledImage[];
  /** Whether letters of both cases count as the same: labels become small letters. */
  ignoreCase: boolean;
  /** Learning time; pauses do not count. */
  minutes: number;
  /** Seed of the order and the variants of the images. */
  seed: number;
  /**
   * For a learning curve: only so many of the training images are used, and a part of them validates
   * the run. The validation part is held out.
   */
  labels?: number;
}

/** What follows from the images. */
export interface FinetuningPlan {
  /** All characters of the labels, sorted. */
  alphabet: string;
  maxLength: number;
  /** Height and width of the network's input. */
  input: [number, number];
  /** Indices of the images that are trained on. */
  training: number[];
  /** Indices of the images that are held back; with `labels`, they do not choose the network either. */
  validation: number[];
  /** Images that are not held back; with `labels`, a run uses some of them. */
  available: number;
  /** The labels as the network learns them, of the held-back images in their order. */
  validationLabels: string[];
  /** Sentences for the user. */
  notes: string[];
}

export interface FinetuningValidation {
  step: number;
  /** Mean since the last validation, in nats per text; `null` before the first step. */
  trainingLoss: number | null;
  /** At the temperature that fits best, in nats per text. */
  validationLoss: number;
  exactMatches: number;
  /** Of learning. */
  seconds: number;
}

export type FinetuningEnd = "finished" | "no-improvement" | "time-limit" | "interrupted";

export interface FinetuningStep {
  step: number;
  /** Share of the run, by steps or by time, 0 to 1. */
  done: number;
  /** Images that were trained on. */
  images: number;
  /** Mean training loss since the last validation, in nats per text; `null` right after one. */
  loss: number | null;
  /** Of learning. */
  seconds: number;
  /** If this step ended with one. */
  validation: FinetuningValidation | null;
  /** If this was the last step. */
  end: FinetuningEnd | null;
}

export interface FinetuningResult {
  /** A safetensors file in half precision. */
  weights: Uint8Array;
  end: FinetuningEnd;
  /** Of the images that validated the run. */
  exactMatches: number;
  validationImages: number;
  /** Share of the initial weights that was mixed in, 0 to 1. */
  initialShare: number;
  /** `null` if the validation images do not suffice for it. */
  temperature: number | null;
  history: FinetuningValidation[];
}

/** A part of a step, for a `Replica`. */
export interface PartTask {
  /** Parameters and batch norm's statistics. */
  weights: Float32Array<ArrayBuffer>;
  /** Preprocessed images, flat. */
  images: Float32Array<ArrayBuffer>;
  /** Shape of the images: batch, channels, height, width. */
  shape: [number, number, number, number];
  /** Input of the decoder, and what it should write: `[batch, steps]`, flat. */
  inputs: Int32Array<ArrayBuffer>;
  targets: Int32Array<ArrayBuffer>;
}

/** What a `Replica` has computed. */
export interface PartResult {
  gradients: Float32Array<ArrayBuffer>;
  /** Batch norm's statistics after the part. */
  statistics: Float32Array<ArrayBuffer>;
  /** The loss of each image, in nats per text. */
  losses: Float32Array<ArrayBuffer>;
}
