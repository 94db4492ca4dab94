// @ts-check
/** The teach page without its view, with a learner that the test drives. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LensError } from "../../../web/src/lib/errors.js";
import { TeachController } from "../../../web/src/teach/controller.js";
import { Guesser } from "../../../web/src/teach/guesser.js";
import { auditOf } from "../../../web/src/teach/result.js";
import { writtenCurve } from "../fake/learning-curve.mjs";
import { memoryStore } from "../fake/teach-store.mjs";

/** @import { LearnEvents, LearnOptions, LearnResult, MeasuredCurve, OpenedLearner, Plan } from "../../../web/src/teach/types.js" */

const SHIPPED = Uint8Array.of(1);
const OWN = Uint8Array.of(2);

/** A learner whose runs the test ends. @implements {OpenedLearner} */
class FakeLearner {
  /** All learners of a test, newest last. @type {FakeLearner[]} */
  static all = [];
  /** What `open` throws. @type {LensError<string> | null} */
  static failure = null;
  /** @type {string[]} */
  calls = [];
  /** @type {LearnEvents} */
  events = {};
  /** @type {Plan} */
  plan;
  /** @type {(result: LearnResult) => void} */
  #finish = () => {};

  /** @param {LearnOptions} options */
  static async open(options) {
    if (FakeLearner.failure) throw FakeLearner.failure;
    const learner = new FakeLearner(options);
    FakeLearner.all.push(learner);
    return learner;
  }

  /** @param {LearnOptions} options */
  constructor(options) {
    this.options = options;
    const all = [...options.images.keys()];
    const common = { alphabet: "0123456789", maxLength: 2, notes: ["A note."] };
    const input = /** @type {[number, number]} */ ([40, 80]);
    const [training, validation] = [all.slice(6), all.slice(0, 6)];
    const { labels } = options;
    // As in the real one, some of the labels of a learning curve choose the network.
    const used =
      labels === undefined ? training : training.slice(0, labels - Math.floor(labels / 6));
    this.plan = { ...common, input, training: used, validation, available: training.length };
  }

  /** @param {LearnEvents} events @returns {Promise<LearnResult>} */
  learn(events) {
    this.events = events;
    return new Promise((resolve) => (this.#finish = resolve));
  }

  /** @param {Partial<LearnResult>} [result] */
  finish(result) {
    const readings = this.plan.validation.map((index) => ({ index, text: "00", confidence: 0.9 }));
    const common = { temperature: null, history: [], readings, weights: Uint8Array.of(9) };
    this.#finish({ ...common, end: "finished", exactMatches: 1, validationImages: 6, ...result });
  }

  /** @param {MeasuredCurve} curve */
  async learningCurve(curve) {
    return writtenCurve(curve);
  }

  pause() {
    this.calls.push("pause");
  }
  resume() {
    this.calls.push("resume");
  }
  stop() {
    this.calls.push("stop");
    this.finish({ end: "interrupted" });
  }
  dispose() {
    this.calls.push("dispose");
  }
}

/** The learner that was opened last. */
async function opened() {
  await settle();
  const learner = FakeLearner.all.at(-1);
  assert.ok(learner);
  return learner;
}

/** Resolves when nothing is left to do. */
async function settle() {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
}

/**
 * A page with labelled images.
 *
 * @param {object} [options]
 * @param {number} [options.images]
 * @param {ReturnType<typeof memoryStore>} [options.store]
 */
async function openPage({ images = 60, store = memoryStore() } = {}) {
  FakeLearner.all = [];
  FakeLearner.failure = null;
  /** The weights and labels of all images that were read. @type {string[]} */
  const guessed = [];
  const recognizer = {
    recognizeAll: async (/** @type {Blob[]} */ files) => {
      guessed.push(...(await Promise.all(files.map((file) => file.text()))));
      return files.map(() => ({ text: "00", confidence: 0.5 }));
    },
  };
  let disposed = 0;
  const loader = { load: async () => recognizer, dispose: async () => void disposed++ };
  /** @type {any[]} */
  const models = [];
  const page = new TeachController({
    show: () => {},
    Learner: FakeLearner,
    models: {
      listModels: async () => models.toReversed(),
      addModel: async (model) => {
        models.push({ ...model, id: `m${models.length}`, created: 0, bytes: 1 });
        return models[models.length - 1];
      },
      loadModel: async () => OWN,
    },
    store: Promise.resolve(store),
    tools: {
      convert: async (file) => file,
      draw: async ({ seed }) => ({ file: new Blob([String(seed)]), text: `${seed % 97}` }),
    },
    shippedWeights: async () => SHIPPED,
    weightsUrl: () => undefined,
    backend: "cpu",
    guesser: new Guesser(() => ({}), loader),
  });
  await page.open();
  if (images > 0 && page.state.images.length === 0) {
    await page.give.draw({ style: "", count: images });
  }
  return { page, store, models, guessed, disposedCount: () => disposed };
}

/** @param {string[]} names of PNG files; the content is the name */
const files = (...names) =>
  Promise.resolve(names.map((path) => ({ path, open: async () => new Blob([`\x89PNG${path}`]) })));

describe("giving images", () => {
  test("takes labels from names, then from a label file, and keeps all", async () => {
    const { page, store } = await openPage({ images: 0 });
    await page.give.receive(files("thus.png", "line_2.png", "readme.md"));
    assert.deepEqual(
      page.state.images.map(({ label, source }) => [label, source]),
      [
        ["line", "name"],
        ["thus", "name"],
      ],
    );
    assert.match(
      page.state.note,
      /2 images added, all with a label, from the file names\. Ignored: readme\.md/,
    );
    const csv = [{ path: "labels.csv", open: async () => new Blob(["thus.png,THUS\n"]) }];
    await page.give.receive(Promise.resolve(csv));
    assert.equal(page.state.images[1].label, "THUS");
    await settle();
    assert.deepEqual((await openPage({ store })).page.state.images, page.state.images);
  });

  test("reads images without a label first, and shows the least certain one first", async () => {
    const { page, guessed } = await openPage({ images: 0 });
    const csv = { path: "labels.csv", open: async () => new Blob(["a.png,thus\n"]) };
    const images = await files("a.png", "b.png");
    await page.give.receive(Promise.resolve([...images, csv]));
    await settle();
    assert.equal(guessed[0].slice(-5), "b.png");
    assert.deepEqual(page.state.images[1].guess, { text: "00", confidence: 0.5 });
    page.give.label("  word ");
    assert.equal(page.state.images[1].label, "word");
    assert.equal(page.state.images[1].source, "typed");
  });

  test("refuses a label that is too long and keeps the earlier one", async () => {
    const { page } = await openPage({ images: 0 });
    await page.give.receive(files("thus.png", "line.png"));
    page.give.label("a".repeat(17));
    assert.match(page.state.labelProblem, /at most 16/);
    assert.equal(page.state.images[0].label, "line");
  });

  test("keeps what is there where files contain no image", async () => {
    const { page } = await openPage({ images: 3 });
    await page.give.receive(files("notes.txt"));
    assert.equal(page.state.error?.error.code, "no-images");
    assert.equal(page.state.images.length, 3);
    const csv = [{ path: "labels.csv", open: async () => new Blob(["x.png,thus\n"]) }];
    await page.give.receive(Promise.resolve(csv));
    assert.match(page.state.error?.error.message ?? "", /No row of labels\.csv matches an image/);
  });

  test("stops at 1,000 images and says so", async () => {
    const { page } = await openPage({ images: 990 });
    await page.give.draw({ style: "", count: 40 });
    assert.equal(page.state.images.length, 1000);
    assert.match(page.state.note, /30 images not added: the page takes 1,000 images/);
  });
});

describe("a run", () => {
  test("learns from the labelled images with the shipped weights", async () => {
    const { page } = await openPage();
    page.changeSettings({ minutes: 3, ignoreCase: true });
    void page.learn.start();
    const learner = await opened();
    const { weights, images, ignoreCase, minutes, labels, saved } = learner.options;
    assert.deepEqual([weights, ignoreCase, minutes], [SHIPPED, true, 3]);
    assert.deepEqual([labels, saved], [undefined, undefined]);
    const first = page.state.images[0];
    assert.deepEqual(images[0], { name: first.path, bytes: first.bytes, label: first.label });
    assert.notEqual(images[0].bytes, first.bytes, "the learner may give it to a worker");
    assert.deepEqual(learner.events.watch, [0, 1, 2]);
    assert.ok((learner.events.saveEvery ?? 0) <= 8);
    assert.equal(page.state.run?.phase, "learning");
    learner.finish();
    await settle();
    assert.equal(page.state.run, null);
    assert.equal(page.state.learned?.result.exactMatches, 1);
    assert.deepEqual(learner.calls, ["dispose"]);
  });

  test("reports losses and readings", async () => {
    const { page } = await openPage();
    void page.learn.start();
    const { events } = await opened();
    for (let step = 1; step <= 5; step++) {
      const common = { images: step, imagesPerSecond: 2, workers: 1, loss: 4, seconds: step };
      events.onStep?.({ step, done: step / 10, ...common });
    }
    const validation = { step: 5, trainingLoss: 4, validationLoss: 5, exactMatches: 2, seconds: 5 };
    events.onValidation?.(validation);
    const recognition = /** @type {any} */ ({ text: "12" });
    events.onReadings?.([recognition, recognition, recognition]);
    const { losses, step, watched } = page.state.run ?? assert.fail();
    assert.deepEqual(losses.training, [{ seconds: 5, loss: 4 }]);
    assert.deepEqual(losses.validations, [validation]);
    assert.equal(step?.done, 0.5);
    assert.deepEqual(watched[2], { id: page.state.images[2].id, recognition });
  });

  test("pauses, goes on and stops with the best model so far", async () => {
    const { page } = await openPage();
    void page.learn.start();
    const learner = await opened();
    page.learn.togglePause();
    assert.equal(page.state.run?.phase, "paused");
    page.learn.togglePause();
    assert.equal(page.state.run?.phase, "learning");
    page.learn.stop();
    await settle();
    assert.deepEqual(learner.calls, ["pause", "resume", "stop", "dispose"]);
    assert.equal(page.state.learned?.result.end, "interrupted");
    assert.match(page.state.said.learn ?? "", /^Stopped\./);
  });

  test("goes on where it stopped after the page was closed", async () => {
    const { page, store } = await openPage();
    page.changeSettings({ minutes: 7 });
    void page.learn.start();
    const { events, options } = await opened();
    events.onStep?.({
      step: 1,
      done: 0.25,
      images: 1,
      imagesPerSecond: 1,
      workers: 1,
      loss: 1,
      seconds: 1,
    });
    events.onSave?.(Uint8Array.of(5));
    await settle();

    const next = (await openPage({ store })).page;
    assert.deepEqual(next.state.unfinished, { done: 0.25, minutes: 7 });
    // Labels that have changed since then do not change the run.
    next.give.jumpTo(next.state.images[0].id);
    next.give.label("other");
    next.changeSettings({ minutes: 1 });
    void next.learn.goOn();
    const second = await opened();
    assert.deepEqual(second.options, { ...options, saved: Uint8Array.of(5) });
    second.finish();
    await settle();
    assert.equal(next.state.unfinished, null);
    assert.equal(store.values.has("run"), false);
    assert.equal((await openPage({ store })).page.state.learned?.result.exactMatches, 1);
  });

  test("that was stopped can go on, until it is discarded", async () => {
    const { page, store } = await openPage();
    void page.learn.start();
    (await opened()).events.onSave?.(Uint8Array.of(5));
    page.learn.stop();
    await settle();
    assert.ok(page.state.unfinished);
    page.learn.forget();
    await settle();
    assert.deepEqual([page.state.unfinished, store.values.has("run")], [null, false]);
  });

  test("cannot go on without its images, and says so", async () => {
    const { page } = await openPage();
    void page.learn.start();
    (await opened()).events.onSave?.(Uint8Array.of(5));
    page.learn.stop();
    await settle();
    page.give.remove([page.state.images[0].id]);
    await page.learn.goOn();
    assert.match(page.state.error?.error.message ?? "", /^Some images .* Start a new run\.$/);
  });

  test("shows why it could not start, and loses nothing", async () => {
    const { page } = await openPage();
    FakeLearner.failure = new LensError("bad-images", "These images are bad.");
    await page.learn.start();
    assert.equal(page.state.error?.error.message, "These images are bad.");
    assert.equal(page.state.run, null);
    assert.equal(page.state.images.length, 60);
    FakeLearner.failure = null;
    void page.learn.start();
    await opened();
    assert.equal(page.state.error, null);
  });

  test("does not start with too few images or an impossible time", async () => {
    const { page } = await openPage({ images: 2 });
    const problem = () => page.state.error?.error.message ?? "";
    await page.learn.start();
    assert.match(problem(), /add or label 18 more/);
    await page.give.draw({ style: "", count: 60 });
    assert.equal(problem(), "", "the images may be right now");
    for (const minutes of [NaN, 0, 1e9]) {
      page.changeSettings({ minutes });
      await page.learn.start();
      assert.equal(problem(), "Enter a time from 1 to 120 minutes.");
    }
    assert.equal(FakeLearner.all.length, 0);
  });

  test("starts from a model of the user, and the learned model then guesses", async () => {
    const { page, models, guessed, disposedCount } = await openPage();
    await page.give.receive(files("1.png"));
    await settle();
    void page.learn.start();
    (await opened()).finish();
    await settle();
    assert.equal(guessed.length, 2, "read again by the learned model");
    assert.ok(disposedCount() > 0);
    await page.keepModel(" mine ");
    assert.equal(models[0].name, "mine");
    assert.equal(models[0].maxLength, 2);
    page.changeSettings({ start: "m0" });
    void page.learn.start();
    assert.deepEqual((await opened()).options.weights, OWN);
  });
});

describe("a learning curve", () => {
  test("has a run for each number of labels, and goes on where it was stopped", async () => {
    const { page, store } = await openPage({ images: 130 });
    void page.curve.start();
    const first = await opened();
    assert.deepEqual([first.options.labels, first.options.minutes], [25, 2]);
    first.events.onStep?.({
      step: 1,
      done: 0.5,
      images: 1,
      imagesPerSecond: 1,
      workers: 1,
      loss: 1,
      seconds: 1,
    });
    assert.deepEqual(page.state.curveRun, { labels: 25, done: 0.5, index: 0, count: 3 });
    first.finish({ exactMatches: 2 });
    const second = await opened();
    assert.equal(second.options.labels, 50);
    assert.equal(second.options.seed, first.options.seed);
    page.curve.stop();
    await settle();
    const points = [{ labels: 25, heldOut: 6, exactMatches: 2 }];
    assert.deepEqual(page.state.curve?.points, points);

    const next = (await openPage({ store })).page;
    assert.deepEqual(next.state.curve?.points, points);
    void next.curve.start();
    const third = await opened();
    assert.equal(third.options.labels, 50);
    third.finish({ exactMatches: 4 });
    (await opened()).finish({ exactMatches: 6 });
    await settle();
    const curve = next.state.curve?.learningCurve ?? assert.fail();
    assert.deepEqual(
      curve.points.map(({ labels, exactMatches }) => [labels, exactMatches]),
      [
        [25, 2],
        [50, 4],
        [100, 6],
      ],
    );
    await next.curve.start();
    assert.match(next.state.error?.error.message ?? "", /^The curve is complete for these images/);
  });

  test("takes 30 images or more", async () => {
    const { page } = await openPage({ images: 25 });
    await page.curve.start();
    assert.match(page.state.error?.error.message ?? "", /takes 30 labelled images .* 5 more\.$/);
    assert.equal(page.state.curveRun, null);
  });

  test("starts anew with another time", async () => {
    const { page } = await openPage({ images: 30 });
    void page.curve.start();
    (await opened()).finish();
    await settle();
    page.changeSettings({ curveMinutes: 4 });
    void page.curve.start();
    const learner = await opened();
    assert.deepEqual([learner.options.labels, learner.options.minutes], [25, 4]);
    assert.equal(page.state.curve?.points.length, 1, "the earlier curve stays until then");
  });
});

test("the audit of the part kept back has its labels and readings", async () => {
  const { page } = await openPage();
  void page.learn.start();
  const before = { step: 0, trainingLoss: null, validationLoss: 3, exactMatches: 2, seconds: 0 };
  (await opened()).finish({ history: [before, { ...before, step: 50, exactMatches: 5 }] });
  await settle();
  const { learned, images } = page.state;
  assert.ok(learned);
  const { audit, imageOf } = auditOf(learned, images.slice(1));
  assert.equal(audit.items.length, 6);
  const [removed, second] = audit.items;
  assert.deepEqual([removed.path, removed.label], ["image 1", images[0].label]);
  assert.deepEqual([second.path, second.text], [images[1].path, "00"]);
  assert.deepEqual([imageOf(removed), imageOf(second)], [undefined, images[1]]);
  assert.deepEqual(audit.network, { alphabet: "0123456789", maxLength: 2 });
  assert.equal(new Map(audit.about).get("Solved before learning"), "2 of 6");
});

test("everything can be removed, also from the browser", async () => {
  const { page, store } = await openPage();
  void page.learn.start();
  const learner = await opened();
  await page.removeAll();
  assert.equal(page.state.images.length, 60, "not while it learns");
  learner.finish();
  await settle();
  await page.removeAll();
  const { images, learned, curve, unfinished } = page.state;
  assert.deepEqual([images, learned, curve, unfinished], [[], null, null, null]);
  assert.deepEqual([await store.images(), store.values.size], [[], 0]);
});
