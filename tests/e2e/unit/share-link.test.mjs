// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { fromFragment, toFragment } from "../../../web/src/lens/share-link.js";

test("share link keeps all settings", () => {
  for (const options of [
    { seed: 7 },
    { seed: 7, length: 4, random: true, style: "waves" },
    { seed: 0, text: "thus", random: true, face: "pen-07", bent: true, strokes: 0, speckle: 0.015 },
  ]) {
    const given = Object.entries(fromFragment(toFragment(options)) ?? {});
    const known = given.filter(([, value]) => value !== undefined);
    assert.deepEqual(Object.fromEntries(known), options);
  }
});

test("share link corrects invalid numbers", () => {
  const { seed, length, strokes, text } =
    fromFragment("#generate?seed=1e300&length=4.5&strokes=-3&text=WHALE") ?? {};
  assert.deepEqual(
    { seed, length, strokes, text },
    { seed: 1, length: 4, strokes: 3, text: "whale" },
  );
});

test("share link clamps settings to their ranges", () => {
  for (const [link, wanted] of /** @type {const} */ ([
    ["strokes=80&speckle=0.15", { strokes: 80, speckle: 0.15 }],
    ["strokes=500&speckle=3", { strokes: 100, speckle: 0.2 }],
    ["speckle=-1&length=9", { speckle: 0, length: undefined }],
  ])) {
    const options = Object.entries(fromFragment(`#generate?${link}`) ?? {});
    for (const option of Object.entries(wanted))
      assert.ok(
        options.some((one) => isDeepStrictEqual(one, option)),
        link,
      );
  }
});

test("share link ignores missing and damaged settings", () => {
  assert.equal(fromFragment(""), null);
  assert.equal(fromFragment("#about"), null);
  const damaged = fromFragment("#generate?seed=x&strokes=&speckle=much&text=");
  assert.deepEqual(damaged, {
    seed: 1,
    style: undefined,
    text: undefined,
    length: undefined,
    random: undefined,
    face: undefined,
    bent: undefined,
    strokes: undefined,
    speckle: undefined,
  });
});
