// @ts-check
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { TaskRunner } from "../../../web/src/common/task-runner.js";

/** A task that ends when the test resolves it. */
function controlled() {
  /** @type {(value?: unknown) => void} */
  let resolve = () => {};
  /** @type {(reason: unknown) => void} */
  let reject = () => {};
  const promise = new Promise((...settle) => ([resolve, reject] = settle));
  /** @type {AbortSignal[]} */
  const signals = [];
  const run = async (/** @type {AbortSignal} */ signal) => {
    signals.push(signal);
    await promise;
    signal.throwIfAborted();
  };
  return { run, signals, resolve, reject };
}

describe("task runner", () => {
  test("aborts a task when another one starts", async () => {
    const [runner, onError] = [new TaskRunner(), mock.fn()];
    const [first, second] = [controlled(), controlled()];
    const running = [runner.run(first.run, onError), runner.run(second.run, onError)];
    assert.ok(first.signals[0].aborted);
    assert.ok(!second.signals[0].aborted && runner.busy);
    first.reject(new Error("too late"));
    second.resolve();
    await Promise.all(running);
    assert.equal(onError.mock.callCount(), 0);
    assert.ok(!runner.busy);
  });

  test("reports an error and is not busy after it", async () => {
    const [runner, onError, task] = [new TaskRunner(), mock.fn(), controlled()];
    const running = runner.run(task.run, onError);
    task.reject("a reason");
    await running;
    assert.deepEqual(onError.mock.calls[0].arguments, ["a reason"]);
    assert.ok(!runner.busy);
  });

  test("stays busy with a newer task when an aborted one ends", async () => {
    const [runner, onError] = [new TaskRunner(), mock.fn()];
    const [first, second] = [controlled(), controlled()];
    const running = runner.run(first.run, onError);
    void runner.run(second.run, onError);
    first.resolve();
    await running;
    assert.ok(runner.busy);
    runner.abort();
    assert.ok(!runner.busy && second.signals[0].aborted);
  });
});
