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
    assert.deepEqual(done, [0, 1, 3, 7, 10], "batches grow");
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
    /** @type {import("../../../web/src/audit/run.js").RunProgress[]} */
    const reports = [];
    const reader = {
      recognizeAll: async (/** @type {Blob[]} */ blobs) => {
        clock += 300; // slow: one image per batch
        return blobs.map(() => ({ text: "x", confidence: 1 }));
      },
    };
    const run = new AuditRun(
      images(20),
      reader,
      (progress) => {
        reports.push(progress);
        if (progress.done === 5) run.pause();
      },
      () => clock,
    );
    const finished = run.finish();
    await setImmediate(); // lets pending tasks run
    assert.ok(run.paused);
    assert.equal(run.items.filter(Boolean).length, 5);
    clock += 1_000_000;
    run.resume();
    assert.equal(await finished, true);
    assert.ok(reports[reports.length - 1].perSecond > 3);
    assert.equal(reports[reports.length - 1].secondsLeft, 0);
  });

  test("estimates the remaining time from the recent speed", async () => {
    let clock = 0;
    /** @type {import("../../../web/src/audit/run.js").RunProgress[]} */
    const reports = [];
    const reader = {
      recognizeAll: async (/** @type {Blob[]} */ blobs) => {
        // 100 images per second at first, then one image in three seconds.
        for (const blob of blobs) clock += Number(await blob.text()) < 2000 ? 10 : 3000;
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
    const run = new AuditRun(images(50), { recognizeAll }, ({ done }) => {
      if (done === 7) run.cancel();
    });
    assert.equal(await run.finish(), false);
    assert.equal(run.items.filter(Boolean).length, 7);
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
