// @ts-check
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { offerModel } from "../../../web/src/common/other-model.js";
import { BUILT_IN_NETWORK, GENERAL } from "../../../web/src/common/shipped-models.js";

const BUILT_IN = { id: "", name: "built-in", ...BUILT_IN_NETWORK };
const OWN = { id: "a1", name: "sums", alphabet: "0123456789+=", maxLength: 6 };
const ALL = [BUILT_IN, GENERAL, OWN];

test("another model is offered for texts that the present one cannot write", () => {
  const one = offerModel(["049025"], BUILT_IN, ALL);
  assert.deepEqual(one, {
    id: "general",
    sentence: "This model cannot write “049025”, but “Digits and letters” can.",
    button: "Switch to “Digits and letters”",
  });
  const some = offerModel(["thus", "line", "a7"], BUILT_IN, ALL);
  assert.equal(
    some?.sentence,
    "This model can write only 2 of the 3 labels, but “Digits and letters” can write all.",
  );
  const none = offerModel(["1+2=", "3+4=", "thus"], { alphabet: "xyz", maxLength: 9 }, ALL);
  assert.equal(none?.id, "a1");
  assert.equal(
    none?.sentence,
    "This model can write none of the 3 labels, but “sums” can write 2.",
  );
  const back = offerModel(["thus"], OWN, ALL);
  assert.equal(back?.sentence, "This model cannot write “thus”, but the built-in model can.");
  assert.equal(back?.button, "Switch to the built-in model");
  // Texts may also be too long.
  assert.equal(offerModel(["longer"], BUILT_IN, ALL)?.id, "general");
});

test("no other model is offered where none can write more", () => {
  assert.equal(offerModel([], BUILT_IN, ALL), null);
  assert.equal(offerModel(["thus", "Line"], BUILT_IN, ALL), null);
  assert.equal(offerModel(["~~"], BUILT_IN, ALL), null);
  assert.equal(offerModel(["thus", "1+2="], BUILT_IN, ALL), null);
  assert.equal(offerModel(["a7"], GENERAL, ALL), null);
});

test("the models of the page can write what the page says", async () => {
  for (const [file, { alphabet, maxLength }] of /** @type {const} */ ([
    ["compact", BUILT_IN_NETWORK],
    ["general", GENERAL],
  ])) {
    const bytes = await readFile(
      new URL(`../../../web/models/${file}.safetensors`, import.meta.url),
    );
    const length = Number(bytes.readBigUInt64LE(0));
    const { __metadata__: metadata } = JSON.parse(String(bytes.subarray(8, 8 + length)));
    const config = JSON.parse(metadata.config);
    assert.equal([...config.alphabet].toSorted().join(""), alphabet);
    assert.equal(config.max_length ?? config.max_letters, maxLength);
  }
});
