// @ts-check
/** The run of an audit. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { AuditRun } from "../../../web/src/audit/run.js";
import { LensError } from "../../../web/src/lib/errors.js";

/** @import { AuditImage } from "../../../web/src/audit/types.js" */

/** @param {string} code */
const withCode = (code) => (/** @type {unknown} */ error) =>
  error instanceof LensError && error.code === code;

/** @param {number} count @returns {AuditImage[]} */
const images = (count) =>
  Array.from({ length: count }, (_, i) => ({
    path: `${i}.png`,
    open: async () => new Blob([String(i)]),
  }));

/** Runs tasks one after the other, as an engine does. */
function queue() {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve();
  return (/** @type {() => unknown} */ task) => (last = last.then(task));
}

describe("audit run", () => {
  /** @param {Blob[]} blobs */
  const recognizeAll = (blobs) =>
    Promise.all(
      blobs.map(async (blob) => {
        const text = await blob.text();
        if (text === "3") return new LensError("unreadable-image", "no image");
        return { text, confidence: 0.5 };
      }),
    );
  const texts = (/** @type {AuditRun} */ run) => run.items.map((item) => item?.text ?? item?.error);

  test("reads all images in order and records unreadable ones", async () => {
    /** @type {number[]} */
    const done = [];
    const run = new AuditRun(images(10), { recognizeAll }, (progress) => done.push(progress.done));
    assert.equal(await run.finish(), true);
    assert.deepEqual(texts(run), ["0", "1", "2", "no image", "4", "5", "6", "7", "8", "9"]);
    assert.deepEqual(
      done,
      done.toSorted((a, b) => a - b),
    );
    assert.deepEqual([done[0], done.at(-1)], [0, 10]);
    assert.ok(done.length < 10, "batches grow");
  });

  test("reads images one at a time when a batch crashes the engine or cannot be opened", async () => {
    const files = images(12);
    files[5].open = () => Promise.reject(new Error("gone"));
    const reader = {
      recognizeAll: async (/** @type {Blob[]} */ blobs) => {
        const all = await Promise.all(blobs.map((blob) => blob.text()));
        if (all.includes("8")) throw new LensError("engine-crashed", "panic");
        return all.map((text) => ({ text, confidence: 1 }));
      },
    };
    const run = new AuditRun(files, reader, () => {});
    assert.equal(await run.finish(), true);
    const expected = ["0", "1", "2", "3", "4", "gone", "6", "7", "panic", "9", "10", "11"];
    assert.deepEqual(texts(run), expected);
  });

  test("pauses and resumes without counting the pause", async () => {
    let clock = 0;
    const serially = queue();
    /** @type {import("../../../web/src/audit/run.js").RunProgress[]} */
    const reports = [];
    const reader = {
      recognizeAll: async (/** @type {Blob[]} */ blobs) => {
        await serially(() => (clock += 250 * blobs.length)); // slow: two images per batch
        return blobs.map(() => ({ text: "x", confidence: 1 }));
      },
    };
    const run = new AuditRun(
      images(20),
      reader,
      (progress) => {
        reports.push(progress);
        if (progress.done === 4) run.pause();
      },
      () => clock,
    );
    const finished = run.finish();
    await setImmediate(); // lets pending tasks run
    assert.ok(run.paused);
    // The two batches that were being read are read to their end.
    assert.equal(run.items.filter(Boolean).length, 6);
    clock += 1_000_000;
    run.resume();
    assert.equal(await finished, true);
    assert.ok(reports[reports.length - 1].perSecond > 1.9);
    assert.equal(reports[reports.length - 1].secondsLeft, 0);
  });

  test("estimates the remaining time from the recent speed", async () => {
    let clock = 0;
    const serially = queue();
    /** @type {import("../../../web/src/audit/run.js").RunProgress[]} */
    const reports = [];
    const reader = {
      recognizeAll: async (/** @type {Blob[]} */ blobs) => {
        // 100 images per second at first, then one image in three seconds.
        await serially(async () => {
          for (const blob of blobs) clock += Number(await blob.text()) < 2000 ? 10 : 3000;
        });
        return blobs.map(() => ({ text: "x", confidence: 1 }));
      },
    };
    const run = new AuditRun(
      images(2100),
      reader,
      (progress) => reports.push(progress),
      () => clock,
    );
    await run.finish();
    const at = (/** @type {number} */ done) => reports.find((report) => report.done >= done);
    const [fast, slow] = [at(1900), at(2060)];
    assert.ok(Math.abs((fast?.perSecond ?? 0) - 100) < 1);
    const expected = 3 * (2100 - (slow?.done ?? 0));
    assert.ok(Math.abs((slow?.secondsLeft ?? 0) - expected) < 0.1 * expected);
  });

  test("keeps the readings when it is cancelled", async () => {
    let kept = 0;
    const run = new AuditRun(images(50), { recognizeAll }, ({ done }) => {
      if (done >= 8) {
        kept = done;
        run.cancel();
      }
    });
    assert.equal(await run.finish(), false);
    assert.ok(kept < 50);
    assert.equal(run.items.filter(Boolean).length, kept);
  });

  test("reads the next batch while one ends, and no more", async () => {
    /** @type {(() => void)[]} */
    const held = [];
    const reader = {
      recognizeAll: async (/** @type {Blob[]} */ blobs) => {
        await new Promise((resolve) => held.push(() => resolve(undefined)));
        return recognizeAll(blobs);
      },
    };
    const run = new AuditRun(images(9), reader, () => {});
    const finished = run.finish();
    await setImmediate();
    assert.equal(held.length, 2);
    for (let ended = 0; run.items.filter(Boolean).length < 9;) {
      await setImmediate();
      assert.ok(held.length <= ended + 2);
      held[ended]?.();
      if (held.length > ended) ended++;
    }
    assert.equal(await finished, true);
    assert.equal(texts(run).at(-1), "8");
  });

  test("ends when reading becomes impossible during a pause", async () => {
    /** @type {((error: Error) => void)[]} */
    const held = [];
    const reader = { recognizeAll: () => new Promise((_, reject) => held.push(reject)) };
    const run = new AuditRun(images(9), reader, () => {});
    const finished = run.finish();
    await setImmediate();
    run.pause();
    for (const fail of held) fail(new LensError("closed", "It was closed."));
    await assert.rejects(finished, withCode("closed"));
  });

  test("stops when nothing can be read", async () => {
    const reader = {
      recognizeAll: () => Promise.reject(new LensError("bad-weights", "These are no weights.")),
    };
    const run = new AuditRun(images(5), reader, () => {});
    await assert.rejects(run.finish(), withCode("bad-weights"));
  });

  test("keeps the readings when reading becomes impossible", async () => {
    const reader = {
      recognizeAll: async (/** @type {Blob[]} */ blobs) => {
        const all = await Promise.all(blobs.map((blob) => blob.text()));
        if (all.includes("6")) throw new LensError("bad-weights", "These are no weights.");
        return all.map((text) => ({ text, confidence: 1 }));
      },
    };
    const run = new AuditRun(images(10), reader, () => {});
    await assert.rejects(run.finish(), withCode("bad-weights"));
    assert.deepEqual(texts(run).slice(0, 7), ["0", "1", "2", "3", "4", "5", undefined]);
  });
});
