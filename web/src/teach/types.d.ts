/** The types of the teach page, and those of its learner. */

import type { CurvePoint, LearningCurve } from "../audit/types.js";
import type { PageError } from "../common/types.js";
import type { Recognition } from "../lib/types.js";

/* ---- the learner ---- */

export interface LabelledImage {
  name: string;
  /** The image file. */
  bytes: Uint8Array;
  label: string;
}

export interface LearnOptions {
  /** Initial weights, a safetensors file. */
  weights: Uint8Array;
  images: LabelledImage[];
  /** Labels are converted to small letters. */
  ignoreCase: boolean;
  /** Learning time; pauses do not count. */
  minutes: number;
  seed: number;
  /**
   * For a learning curve: only so many of the training images are used; the validation part is then
   * held out and read at the end.
   */
  labels?: number;
  /** A run that goes on: what `onSave` gave, with the same images and options. */
  saved?: Uint8Array;
}

export interface Plan {
  alphabet: string;
  maxLength: number;
  /** Height and width. */
  input: [number, number];
  /** Indices of the images that are learned from. */
  training: number[];
  /** Indices of the images that are kept back. */
  validation: number[];
  /** Images that are not kept back; a run of a learning curve learns from some of them. */
  available: number;
  /** Sentences for the user. */
  notes: string[];
}

export interface StepReport {
  step: number;
  /** Share of the run, 0 to 1. */
  done: number;
  /** Images seen so far. */
  images: number;
  imagesPerSecond: number;
  /** Workers that have computed the step. */
  workers: number;
  /** Training loss in nats per text. */
  loss: number;
  /** Seconds of learning. */
  seconds: number;
}

export interface Validation {
  step: number;
  trainingLoss: number | null;
  validationLoss: number;
  exactMatches: number;
  seconds: number;
}

/** `index` is that of the image in `LearnOptions.images`. */
export interface LearnedReading {
  index: number;
  text: string;
  confidence: number;
}

export interface LearnResult {
  /** Safetensors, half precision. */
  weights: Uint8Array;
  end: "finished" | "no-improvement" | "time-limit" | "interrupted";
  /** Of the part kept back. */
  exactMatches: number;
  validationImages: number;
  temperature: number | null;
  /** Of all images kept back. */
  readings: LearnedReading[];
  history: Validation[];
}

export interface LearnEvents {
  onStep?: (report: StepReport) => void;
  onValidation?: (validation: Validation) => void;
  onReadings?: (recognitions: Recognition[]) => void;
  /** Indices of images that are read anew every `watchEvery` seconds. */
  watch?: number[];
  watchEvery?: number;
  onSave?: (saved: Uint8Array) => void;
  /** Seconds between two calls of `onSave`. */
  saveEvery?: number;
}

/** What was measured of a learning curve. */
export interface MeasuredCurve {
  name: string;
  /** The weights that every run started from. */
  weights: string;
  ignoreCase: boolean;
  seed: number;
  points: CurvePoint[];
}

export interface OpenedLearner {
  plan: Plan;
  learn(events: LearnEvents): Promise<LearnResult>;
  /** A learning curve with what follows from its points: sentences and figure. */
  learningCurve(curve: MeasuredCurve): Promise<LearningCurve>;
  pause(): void;
  resume(): void;
  /** `learn` then resolves with the best network so far. */
  stop(): void;
  /** Ends the worker at once. */
  dispose(): void;
}

/** The class in `learner.js`. */
export interface LearnerClass {
  open(
    options: LearnOptions,
    onProgress?: (progress: { stage: string; fraction: number }) => void,
  ): Promise<OpenedLearner>;
}

/* ---- the user's models ---- */

export interface ModelInfo {
  id: string;
  name: string;
  created: number;
  alphabet: string;
  maxLength: number;
  bytes: number;
  exactMatches: number | null;
  validationImages: number | null;
}

/** The functions of `common/model-store.js` that the page uses. */
export interface ModelStore {
  listModels(): Promise<ModelInfo[]>;
  addModel(
    model: Omit<ModelInfo, "id" | "created" | "bytes"> & { weights: Uint8Array },
  ): Promise<ModelInfo>;
  loadModel(id: string): Promise<Uint8Array>;
}

/* ---- the page ---- */

/** Where a label comes from. */
export type LabelSource = "file" | "name" | "typed" | "drawn";

export interface TeachImage {
  /** Unique; ascending in the order in which images were given. */
  id: string;
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
  label: string | null;
  source: LabelSource | null;
  /** What the current model reads; `null` until it has read the image. */
  guess: { text: string; confidence: number } | null;
  /** Why the image is left out. */
  error: string | null;
  /** The first image with the same content, if this is not it. */
  twin: string | null;
}

export interface Settings {
  minutes: number;
  ignoreCase: boolean;
  /** The id of one of the user's models; empty for the page's own weights. */
  start: string;
  /** Minutes of each run of a learning curve. */
  curveMinutes: number;
}

/** The images and options of a run, which must be the same when it goes on. */
export interface RunOptions {
  images: { id: string; label: string }[];
  minutes: number;
  ignoreCase: boolean;
  seed: number;
  start: string;
  /** The name of the weights that it started from. */
  startName: string;
}

/** Losses of a run over time. */
export interface Losses {
  /** Mean training losses, in nats per text. */
  training: { seconds: number; loss: number }[];
  /** Steps in each mean. */
  perPoint: number;
  /** Steps since the last mean, and the sum of their losses. */
  rest: { steps: number; sum: number };
  validations: Validation[];
}

/** A run that can go on after the page was closed. */
export interface SavedRun {
  options: RunOptions;
  saved: Uint8Array;
  losses: Losses;
  /** Share of the run, 0 to 1. */
  done: number;
}

/** The result of a run, as it is kept. */
export interface Learned {
  options: RunOptions;
  plan: Plan;
  result: LearnResult;
  losses: Losses;
  /** Milliseconds since 1970. */
  created: number;
}

/** A run that is going on. */
export interface LiveRun {
  phase: "opening" | "learning" | "paused" | "stopping";
  /** What is happening, while it opens. */
  words: string;
  options: RunOptions;
  plan: Plan | null;
  step: StepReport | null;
  losses: Losses;
  /** The images that are read anew, with their latest readings. */
  watched: { id: string; recognition: Recognition | null }[];
}

export interface CurveState {
  options: RunOptions;
  points: CurvePoint[];
  /** What the points tell; `null` without points. */
  learningCurve: LearningCurve | null;
}

/** Everything the page shows. */
export interface TeachState {
  images: TeachImage[];
  /** What the page is doing with images: reading files, drawing, guessing. */
  work: { words: string; fraction: number } | null;
  /** About the images that were given last. */
  note: string;
  /** The image in the labeller, and those that were shown before. */
  labelling: { visited: string[]; at: number };
  settings: Settings;
  models: ModelInfo[];
  run: LiveRun | null;
  /** A run that can go on. */
  unfinished: { done: number; minutes: number } | null;
  learned: Learned | null;
  curve: CurveState | null;
  /** The run of a learning curve that is going on. */
  curveRun: { labels: number; done: number; index: number; count: number } | null;
  /** Why nothing is kept. */
  keeping: string;
  error: { step: Step; error: PageError } | null;
  /** What happened last, for the status line of each step. */
  said: Partial<Record<Step, string>>;
  /** What is wrong with the label that was typed. */
  labelProblem: string;
}

export type Step = "give" | "learn" | "know" | "take";
