// @ts-check
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Keeper } from "../../../web/src/teach/keeper.js";
import { memoryStore } from "../fake/teach-store.mjs";

/** @param {string} id */
const image = (id) => ({
  id,
  path: `${id}.png`,
  bytes: Uint8Array.of(1),
  label: "thus",
  source: null,
  guess: null,
  error: null,
  twin: null,
});

/** @param {Promise<import("../../../web/src/teach/keeper.js").Store>} opening */
function keeperOf(opening) {
  /** @type {string[]} */
  const problems = [];
  return { problems, keeper: new Keeper(opening, (sentence) => problems.push(sentence)) };
}

describe("what the browser keeps", () => {
  test("is there at the next visit", async () => {
    const store = memoryStore();
    const { keeper, problems } = keeperOf(Promise.resolve(store));
    await keeper.putImages([image("b"), image("a")]);
    await keeper.setValue("settings", { minutes: 3 });
    await keeper.removeImages(["b"]);
    await keeper.setValue("run", 1);
    await keeper.setValue("run", null);
    const next = keeperOf(Promise.resolve(store)).keeper;
    assert.deepEqual(await next.load(["settings", "run"]), {
      images: [image("a")],
      values: { settings: { minutes: 3 }, run: undefined },
    });
    await next.clear();
    assert.deepEqual(await keeper.load(["settings"]), {
      images: [],
      values: { settings: undefined },
    });
    assert.deepEqual(problems, []);
  });

  test("is the latest of several values that wait for the disk", async () => {
    const store = memoryStore();
    const { keeper } = keeperOf(Promise.resolve(store));
    await Promise.all([1, 2, 3].map((value) => keeper.setValue("run", value)));
    assert.deepEqual([store.values.get("run"), store.writes], [3, 1]);
  });

  test("is nothing in a private window, and the page goes on and says so", async () => {
    const { keeper, problems } = keeperOf(Promise.reject(new Error("forbidden")));
    await keeper.putImages([image("a")]);
    await keeper.setValue("run", 1);
    assert.deepEqual(await keeper.load(["run"]), { images: [], values: {} });
    assert.equal(problems.length, 1);
    assert.match(problems[0], /keeps nothing .* private.*save the labels and the weights as files/);
  });

  test("is the earlier state where the storage is full, until there is room again", async () => {
    const store = memoryStore();
    const { keeper, problems } = keeperOf(Promise.resolve(store));
    await keeper.setValue("run", 1);
    store.failure = new DOMException("no room", "QuotaExceededError");
    await keeper.setValue("run", 2);
    await keeper.putImages([image("a")]);
    assert.equal(problems.length, 1);
    assert.match(
      problems[0],
      /storage is full, so the latest changes are not kept\. Remove images/,
    );
    assert.equal(store.values.get("run"), 1);
    store.failure = null;
    await keeper.setValue("run", 3);
    assert.deepEqual([store.values.get("run"), problems.length, problems[1]], [3, 2, ""]);
  });

  test("says so where a write fails for another reason", async () => {
    const store = memoryStore();
    const { keeper, problems } = keeperOf(Promise.resolve(store));
    store.failure = new DOMException("closed", "InvalidStateError");
    await keeper.clear();
    assert.match(problems[0], /^The browser could not keep the latest changes\. Save/);
  });
});
