// @ts-check
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import {
  addModel,
  listModels,
  loadModel,
  removeModel,
  uniqueName,
} from "../../../web/src/common/model-store.js";
import { FakeIndexedDb } from "../fake/indexed-db.mjs";

/** @type {FakeIndexedDb} */
let database;

beforeEach(() => (database = FakeIndexedDb.install()));
afterEach(() => assert.equal(database.connections, 0, "every connection is closed"));

const WEIGHTS = new Uint8Array([1, 2, 3]);
const MODEL = { name: "digits", weights: WEIGHTS, alphabet: "0123456789", maxLength: 6 };

test("model store keeps models and lists the newest first", async () => {
  assert.deepEqual(await listModels(), []);
  const first = await addModel({ ...MODEL, exactMatches: 31, validationImages: 40 });
  const second = await addModel({ ...MODEL, name: "letters", weights: new Uint8Array(7) });
  assert.notEqual(first.id, second.id);
  assert.deepEqual(await listModels(), [second, first]);
  assert.deepEqual(
    { ...first, id: "", created: 0 },
    {
      id: "",
      created: 0,
      name: "digits",
      alphabet: "0123456789",
      maxLength: 6,
      bytes: 3,
      exactMatches: 31,
      validationImages: 40,
    },
  );
  assert.equal(second.exactMatches, null);
  assert.equal(second.validationImages, null);
  assert.match(first.id, /^[0-9a-f]{12}$/);
  assert.deepEqual(await loadModel(first.id), WEIGHTS);
  assert.equal((await loadModel(second.id)).length, 7);
});

test("model store keeps the order when the clock goes back", async (t) => {
  t.mock.method(Date, "now", () => 1000);
  const first = await addModel(MODEL);
  t.mock.method(Date, "now", () => 10);
  const second = await addModel(MODEL);
  assert.deepEqual(
    (await listModels()).map(({ id }) => id),
    [second.id, first.id],
  );
});

test("model store tells models with the same name apart", async () => {
  const names = [];
  for (let i = 0; i < 3; i++) names.push((await addModel(MODEL)).name);
  assert.deepEqual(names, ["digits", "digits (2)", "digits (3)"]);
  assert.equal(uniqueName("a", ["b"]), "a");
  assert.equal(uniqueName("a", ["a", "a (2)", "a (4)"]), "a (3)");
});

test("model store removes a model with its weights, and only that one", async () => {
  const [gone, left] = [await addModel(MODEL), await addModel(MODEL)];
  await removeModel(gone.id);
  assert.deepEqual(await listModels(), [left]);
  await assert.rejects(loadModel(gone.id), { name: "LensError", code: "unknown-model" });
  assert.deepEqual(await loadModel(left.id), WEIGHTS);
  for (const content of database.stores.values()) assert.equal(content.size, 1);
});

test("model store says that a model is unknown", async () => {
  await assert.rejects(loadModel("nothing"), {
    name: "LensError",
    code: "unknown-model",
    message: /^This browser does not have the model .+\. Open its file .+\.$/,
  });
});

test("model store says that storage is forbidden", async () => {
  database.isForbidden = true;
  const expected = { name: "LensError", code: "no-storage", message: /^The browser does not let / };
  await assert.rejects(listModels(), expected);
  await assert.rejects(addModel(MODEL), expected);
  await assert.rejects(loadModel("a"), expected);
  await assert.rejects(removeModel("a"), expected);
  database.isForbidden = false;
  database.fail.open = new DOMException("Not now.", "InvalidStateError");
  await assert.rejects(listModels(), expected);
  Reflect.deleteProperty(globalThis, "indexedDB");
  await assert.rejects(listModels(), expected);
});

test("model store says that storage is full and keeps what it had", async () => {
  const before = await addModel(MODEL);
  database.fail.put = new DOMException("Too much.", "QuotaExceededError");
  await assert.rejects(addModel({ ...MODEL, name: "more" }), {
    name: "LensError",
    code: "storage-full",
    message: /Remove a model or free disk space/,
  });
  assert.deepEqual(await listModels(), [before]);
});
