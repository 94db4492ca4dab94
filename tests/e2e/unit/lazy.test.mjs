// @ts-check
import assert from "node:assert/strict";
import { describe, mock, test } from "node:test";
import { Lazy } from "../../../web/src/lib/lazy.js";

describe("lazy value", () => {
  test("is loaded once, when it is first needed", async () => {
    const load = mock.fn(async () => ({}));
    const lazy = new Lazy(load);
    assert.equal(load.mock.callCount(), 0);
    const [one, other] = await Promise.all([lazy.get(), lazy.get()]);
    assert.equal(one, other);
    assert.equal(load.mock.callCount(), 1);
  });

  test("is loaded again after a failure", async () => {
    let fails = true;
    const lazy = new Lazy(async () => {
      if (fails) throw new Error("not yet");
      return "value";
    });
    await assert.rejects(lazy.get(), /not yet/);
    fails = false;
    assert.equal(await lazy.get(), "value");
  });

  test("is loaded again after a drop, which aborts loading", async () => {
    /** @type {AbortSignal[]} */
    const signals = [];
    const lazy = new Lazy(async (signal) => signals.push(signal));
    const first = lazy.get();
    assert.equal(lazy.drop(), first);
    assert.ok(signals[0].aborted);
    assert.equal(lazy.drop(), undefined);
    assert.equal(await lazy.get(), 2);
    assert.ok(!signals[1].aborted);
  });

  test("can be replaced by a loaded one", async () => {
    const load = mock.fn(async () => "first");
    const lazy = new Lazy(load);
    await lazy.get();
    lazy.set("second");
    assert.equal(await lazy.get(), "second");
    assert.equal(load.mock.callCount(), 1);
    void lazy.drop();
    assert.equal(await lazy.get(), "first");
  });

  test("of an earlier load does not forget a newer one when it fails", async () => {
    let fail = () => {};
    const failing = new Promise((_, reject) => (fail = () => reject(new Error("old"))));
    let calls = 0;
    const lazy = new Lazy(() => (calls++ === 0 ? failing : Promise.resolve("new")));
    const first = lazy.get();
    lazy.drop();
    const second = lazy.get();
    fail();
    await assert.rejects(first, /old/);
    assert.equal(lazy.get(), second);
  });
});
