// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { fromFragment, toFragment } from "../../../web/src/generator.js";

test("settings survive a link", () => {
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

test("a link with numbers that cannot be meant draws what can be", () => {
  const { seed, length, strokes, text } =
    fromFragment("#generate?seed=1e300&length=4.5&strokes=-3&text=WHALE") ?? {};
  assert.deepEqual(
    { seed, length, strokes, text },
    { seed: 1, length: 4, strokes: 3, text: "whale" },
  );
});

test("a link beyond what can be set is what can be set, and nothing else is drawn than shown", () => {
  for (const [link, wanted] of /** @type {const} */ ([
    ["strokes=80&speckle=0.15", { strokes: 80, speckle: 0.15 }],
    ["strokes=500&speckle=3", { strokes: 100, speckle: 0.2 }],
    ["speckle=-1&length=9", { speckle: 0, length: undefined }],
  ])) {
    const options = Object.entries(fromFragment(`#generate?${link}`) ?? {});
    for (const wish of Object.entries(wanted))
      assert.ok(
        options.some((one) => isDeepStrictEqual(one, wish)),
        link,
      );
  }
});

test("a link that is no or a damaged setting draws something all the same", () => {
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
