// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { LoadingProgress } from "../../../web/src/lib/progress.js";

test("progress of all stages fills one bar that never goes back", () => {
  const progress = new LoadingProgress("webgpu");
  const reports = [
    { stage: "code", fraction: 0 },
    { stage: "weights", fraction: 0 },
    { stage: "weights", fraction: 1 },
    { stage: "code", fraction: 0.6 },
    { stage: "code", fraction: 1 },
    { stage: "network", fraction: 0 },
    { stage: "device", fraction: 0 },
    { stage: "device", fraction: 1 },
    { stage: "check", fraction: 0 },
    { stage: "check", fraction: 1 },
  ];
  let last = 0;
  for (const report of reports) {
    const { overall } = progress.update(report);
    assert.ok(overall !== null && overall >= last, `${overall} after ${last}`);
    last = overall;
  }
  assert.ok(Math.abs(last - 1) < 1e-9);
});

test("progress names the unfinished download", () => {
  const progress = new LoadingProgress("webgpu");
  progress.update({ stage: "code", fraction: 0.5 });
  assert.equal(progress.update({ stage: "weights", fraction: 1 }).stage, "code");
  progress.update({ stage: "code", fraction: 1 });
  assert.equal(progress.update({ stage: "check", fraction: 0 }).stage, "check");
});

test("progress is indeterminate for an unknown size or stage", () => {
  const progress = new LoadingProgress("webgpu");
  assert.equal(progress.update({ stage: "code", fraction: null }).overall, null);
  assert.equal(progress.update({ stage: "weights", fraction: 1 }).overall, null);
  assert.equal(progress.update({ stage: "unheard of", fraction: 0.5 }).overall, null);
});

test("progress on the CPU ends with the network stage", () => {
  const progress = new LoadingProgress("cpu");
  for (const stage of ["code", "weights"]) progress.update({ stage, fraction: 1 });
  const { overall } = progress.update({ stage: "network", fraction: 1 });
  assert.ok(Math.abs((overall ?? 0) - 1) < 1e-9);
});
