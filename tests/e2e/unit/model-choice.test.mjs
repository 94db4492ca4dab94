// @ts-check
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { BUILT_IN, ModelChoice } from "../../../web/src/common/model-choice.js";
import { addModel, listModels } from "../../../web/src/common/model-store.js";
import { LensError } from "../../../web/src/lib/errors.js";
import { FakeIndexedDb } from "../fake/indexed-db.mjs";
import { CONFIG, FakeWorker } from "../fake/worker.mjs";

const WEIGHTS = new Uint8Array([1, 2, 3]);
const FILE = new File([WEIGHTS], "mine.safetensors");

/** @type {FakeIndexedDb} */
let database;

beforeEach(() => {
  database = FakeIndexedDb.install();
  FakeWorker.install();
});

/**
 * A choice, and what it has shown and reported.
 *
 * @param {{ id?: string, builtInName?: string, confirms?: boolean }} [options]
 */
function choice({ id = "", builtInName = BUILT_IN, confirms = true } = {}) {
  const seen = {
    names: /** @type {string[]} */ ([]),
    chosen: "",
    builtIn: "",
    status: "",
    error: "",
    asked: /** @type {string[]} */ ([]),
    changes: /** @type {[string, string][]} */ ([]),
  };
  const models = new ModelChoice(
    {
      setModels({ models: all, builtInName: name, chosen }) {
        assert.deepEqual(
          [all[0].id, all[0].removable],
          ["general", false],
          "the general one is first",
        );
        seen.names = all.slice(1).map((model) => model.name);
        seen.builtIn = name;
        seen.chosen = chosen;
      },
      setModelStatus: (words) => (seen.status = words),
      setModelError: (message) => (seen.error = message),
      confirmRemoval: (name) => seen.asked.push(name) > 0 && confirms,
    },
    { id, builtInName, onChange: (now, by) => seen.changes.push([now, by]) },
  );
  return { models, seen };
}

/** @param {string} name */
const keep = (name) => addModel({ name, weights: WEIGHTS, alphabet: "ab", maxLength: 2 });

test("model choice shows the models of this browser and the one in the URL", async () => {
  const [one] = [await keep("one"), await keep("two")];
  const { models, seen } = choice({ id: one.id });
  await models.start();
  assert.deepEqual(seen.names, ["two", "one"]);
  assert.deepEqual([seen.chosen, seen.builtIn, seen.error], [one.id, "Built-in", ""]);
  assert.equal(models.nameOf(one.id), "one");
  assert.equal(models.nameOf(""), BUILT_IN);
  assert.deepEqual(await models.weights(), WEIGHTS);
  models.choose("");
  assert.deepEqual(seen.changes, [["", "user"]]);
  assert.equal(await models.weights(), undefined);
});

test("model choice says that the model in the URL is unknown, and takes the built-in one", async () => {
  const { models, seen } = choice({ id: "gone" });
  const loading = models.weights().catch((error) => error);
  await models.start();
  assert.match(seen.error, /^This browser does not have the model .+ the built-in model reads\.$/);
  assert.deepEqual([models.id, seen.chosen], ["", ""]);
  // The loader asked at the same time. It gets the built-in model, too.
  assert.ok(models.reject(await loading));
  assert.deepEqual(seen.changes, [["", "error"]], "once");
});

test("model choice names the weights of the URL that read instead", async () => {
  const { models, seen } = choice({ id: "gone", builtInName: "other.safetensors" });
  await models.start();
  assert.match(seen.error, /other\.safetensors reads\.$/);
  assert.equal(seen.builtIn, "other.safetensors");
});

test("model choice is quiet without storage unless a model was asked for", async () => {
  database.isForbidden = true;
  const quiet = choice();
  await quiet.models.start();
  assert.equal(quiet.seen.error, "");
  const asked = choice({ id: "a" });
  await asked.models.start();
  assert.match(asked.seen.error, /^The browser does not let this page keep models\./);
  assert.equal(asked.models.id, "");
});

test("model choice opens a file: loads it, keeps it, and chooses it", async () => {
  const { models, seen } = choice();
  await models.add(FILE);
  const [kept] = await listModels();
  assert.equal(kept.name, "mine.safetensors");
  assert.deepEqual([kept.alphabet, kept.maxLength], [CONFIG.alphabet, CONFIG.maxLength]);
  assert.deepEqual(seen.changes, [[kept.id, "user"]]);
  assert.match(seen.status, /mine\.safetensors.* is kept in this browser\.$/);
  assert.deepEqual(await models.weights(), WEIGHTS);
  assert.ok(!FakeWorker.all[0].alive, "the engine of the check has ended");
});

test("model choice refuses what is not a model, and keeps the one of before", async () => {
  const one = await keep("one");
  const { models, seen } = choice({ id: one.id });
  await models.start();
  FakeWorker.behave = (worker, { id }) => {
    const error = { code: /** @type {const} */ ("bad-weights"), message: "They are no weights." };
    worker.say({ type: "failed", id, error });
  };
  await models.add(FILE);
  assert.match(seen.error, /mine\.safetensors.*: They are no weights\.$/);
  assert.equal(seen.status, "");
  const large = new File([], "large.safetensors");
  Object.defineProperty(large, "size", { value: 2 ** 30 });
  await models.add(large);
  assert.match(seen.error, /large\.safetensors.*: The file is larger than 256 MB\./);
  const lost = new File([], "lost.safetensors");
  lost.arrayBuffer = () => Promise.reject(new DOMException("Gone.", "NotFoundError"));
  await models.add(lost);
  assert.match(seen.error, /lost\.safetensors.*: The browser cannot read the file\./);
  assert.deepEqual([models.id, seen.changes, seen.names], [one.id, [], ["one"]]);
});

test("model choice says that a model cannot be kept", async () => {
  const { models, seen } = choice();
  database.fail.put = new DOMException("Too much.", "QuotaExceededError");
  await models.add(FILE);
  assert.match(seen.error, /The browser has no more space/);
  assert.deepEqual([models.id, seen.changes, seen.status], ["", [], ""]);
  database.fail = {};
  await models.add(FILE);
  assert.equal(seen.error, "", "a success ends the error");
  assert.equal(seen.changes.length, 1);
});

test("model choice removes the chosen model only after the user confirmed its name", async () => {
  const one = await keep("one");
  const refused = choice({ id: one.id, confirms: false });
  await refused.models.start();
  await refused.models.remove();
  assert.deepEqual(refused.seen.asked, ["one"]);
  assert.equal((await listModels()).length, 1);

  const { models, seen } = choice({ id: one.id });
  await models.start();
  await models.remove();
  assert.deepEqual(seen.asked, ["one"]);
  assert.deepEqual(await listModels(), []);
  assert.deepEqual([seen.names, seen.chosen, seen.changes], [[], "", [["", "user"]]]);
  await models.remove();
  assert.equal(seen.asked.length, 1, "the built-in model cannot be removed");
});

test("model choice leaves errors that are not the model's", async () => {
  const one = await keep("one");
  const { models, seen } = choice({ id: one.id });
  await models.start();
  assert.ok(!models.reject(new LensError("no-webgpu", "No WebGPU.")));
  assert.deepEqual([models.id, seen.error], [one.id, ""]);
  assert.ok(models.reject(new LensError("bad-weights", "They are no weights.")));
  assert.match(seen.error, /one.*: They are no weights\. .+ reads\.$/);
  assert.equal(models.id, "");
});

test("model choice has the general model without storage, and does not remove it", async () => {
  const { models, seen } = choice({ id: "general" });
  await models.start();
  assert.equal(models.nameOf("general"), "Digits and letters");
  assert.match(String(await models.weights()), /models\/general\.safetensors$/);
  await models.remove();
  assert.deepEqual([seen.chosen, seen.asked, seen.error], ["general", [], ""]);
});
