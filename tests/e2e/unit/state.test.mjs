// @ts-check
/** The states of the lens page and their transitions. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { initialState, pageState, reduce } from "../../../web/src/lens/state.js";

/** @import { LensEvent, Source, State } from "../../../web/src/lens/state.js" */

const blob = (/** @type {string} */ text) => new Blob([text]);
const [FILE, PART, DRAWN] = [blob("file"), blob("part"), blob("drawn")];
const CROP = { box: { x: 0, y: 0, width: 0.5, height: 1 }, turns: 0, angle: 0 };
const RECOGNITION = /** @type {any} */ ({ text: "thus", characters: [] });
const CRASH = /** @type {const} */ ({ code: "engine-crashed", message: "It crashed." });
const UNREADABLE = /** @type {const} */ ({ code: "unreadable-image", message: "No image." });
const NOT_A_FILE = /** @type {const} */ ({ code: "not-a-file", message: "No file." });

/** @type {Record<string, LensEvent>} */
const EVENTS = {
  acquire: { type: "acquire", status: "Opening" },
  accept: { type: "accept", source: { file: FILE } },
  crop: { type: "crop", file: PART, part: CROP, words: "A part." },
  uncrop: { type: "uncrop" },
  recognize: { type: "recognize" },
  loaded: { type: "loaded" },
  reencode: { type: "reencode", file: DRAWN },
  recognized: { type: "recognized", recognition: RECOGNITION, isFirst: true },
  notAFile: { type: "reject", error: NOT_A_FILE },
  rejected: { type: "reject", error: UNREADABLE },
  failed: { type: "fail", error: UNREADABLE },
  crashed: { type: "fail", error: CRASH },
  prefer: { type: "prefer", backend: "cpu" },
};

/** @param {(LensEvent | keyof typeof EVENTS)[]} events */
const after = (...events) =>
  events
    .map((event) => (typeof event === "string" ? EVENTS[event] : event))
    .reduce(reduce, initialState("auto"));

const READ = /** @type {const} */ (["acquire", "accept", "recognize", "loaded", "recognized"]);
const drawing = (/** @type {string} */ fragment) =>
  /** @type {LensEvent} */ ({ type: "accept", source: { file: blob(fragment), fragment } });

/** All phases, with an image where possible. @type {Record<string, State>} */
const STATES = {
  starting: after(),
  idle: after("recognize", "loaded"),
  acquiring: after("acquire"),
  "acquiring beside an image": after(...READ, "acquire"),
  loading: after("acquire", "accept", "recognize"),
  recognizing: after("acquire", "accept", "recognize", "loaded"),
  done: after(...READ),
  failed: after("acquire", "accept", "recognize", "failed"),
  "failed, retryable": after("acquire", "accept", "recognize", "crashed"),
  rejected: after("acquire", "rejected"),
};

/**
 * @param {State} state
 * @param {string} how
 */
function checkInvariants({ phase, source, picture, input, reading, crop }, how) {
  const hasImage = source !== null;
  assert.deepEqual([picture !== null, input !== null], [hasImage, hasImage], how);
  if (!hasImage) assert.deepEqual([reading, crop], [null, null], how);
  if (phase.name === "starting" || phase.name === "idle") assert.ok(!hasImage, how);
  if (phase.name === "recognizing") assert.ok(hasImage, how);
  if (phase.name === "done") assert.ok(hasImage && reading, how);
  if (phase.name === "failed") assert.equal(reading, null, how);
}

describe("page state", () => {
  test("starts without an image", () => {
    const { phase, source, picture, input, reading } = initialState("cpu");
    assert.deepEqual(
      [phase.name, source, picture, input, reading],
      ["starting", ...Array(4).fill(null)],
    );
  });

  test("has one data-state for each phase", () => {
    const states = Object.entries(STATES).map(([name, { phase }]) => [name, pageState(phase)]);
    assert.deepEqual(Object.fromEntries(states), {
      starting: "loading",
      idle: "ready",
      acquiring: "reading",
      "acquiring beside an image": "reading",
      loading: "loading",
      recognizing: "reading",
      done: "done",
      failed: "error",
      "failed, retryable": "error",
      rejected: "error",
    });
  });

  test("keeps its invariants after every event in every phase, and after the next one", () => {
    for (const [name, state] of Object.entries(STATES)) {
      for (const [first, event] of Object.entries(EVENTS)) {
        const next = reduce(state, event);
        checkInvariants(next, `${first} in ${name}`);
        for (const [second, other] of Object.entries(EVENTS)) {
          checkInvariants(reduce(next, other), `${second} after ${first} in ${name}`);
        }
      }
    }
  });

  test("has a reading when it is done and its backend or crop is changed", () => {
    assert.equal(reduce(STATES.done, EVENTS.prefer).reading?.stale, true);
    assert.equal(reduce(STATES.done, EVENTS.crop), STATES.done);
    const { phase, reading, input } = reduce(STATES.done, EVENTS.uncrop);
    assert.deepEqual(phase, { name: "recognizing", loading: true });
    assert.deepEqual([reading, input], [null, FILE]);
  });

  test("is never changed in place", () => {
    for (const state of Object.values(STATES)) {
      const before = structuredClone(state);
      for (const event of Object.values(EVENTS)) reduce(state, event);
      assert.deepEqual(state, before);
    }
  });

  test("ignores events that do not fit the phase", () => {
    /** @type {Record<string, string[]>} */
    const fitting = {
      accept: ["acquiring", "acquiring beside an image"],
      crop: ["acquiring beside an image"],
      uncrop: [
        "acquiring beside an image",
        "loading",
        "recognizing",
        "done",
        "failed",
        "failed, retryable",
      ],
      reencode: ["loading", "recognizing"],
      failed: ["starting", "acquiring", "acquiring beside an image", "loading", "recognizing"],
      crashed: ["starting", "acquiring", "acquiring beside an image", "loading", "recognizing"],
      loaded: ["starting", "loading", "recognizing"],
      recognized: ["loading", "recognizing"],
    };
    for (const [event, phases] of Object.entries(fitting)) {
      for (const [name, state] of Object.entries(STATES)) {
        const changed = reduce(state, EVENTS[event]) !== state;
        assert.equal(changed, phases.includes(name), `${event} in ${name}`);
      }
    }
  });
});

describe("acquiring", () => {
  test("begins in any state and leaves the image and its reading on the page", () => {
    for (const state of Object.values(STATES)) {
      const phase = { name: "acquiring", status: "Opening", remark: null };
      assert.deepEqual(reduce(state, EVENTS.acquire), { ...state, phase });
    }
  });

  test("ends with the new image, without the reading of the one before", () => {
    const other = blob("other");
    const state = after(...READ, "acquire", { type: "accept", source: { file: other, note: "A" } });
    assert.equal(state.phase.name, "acquiring");
    assert.equal(state.input, other);
    assert.equal(state.picture?.file, other);
    assert.equal(state.source?.note, "A");
    assert.equal(state.reading, null);
  });

  test("removes the crop of the image before", () => {
    const state = after("acquire", "accept", "crop", "acquire", "accept");
    assert.equal(state.crop, null);
    assert.equal(state.input, FILE);
  });
});

describe("drawing", () => {
  test("replaces another drawing, whose reading stays as a stale one", () => {
    const events = /** @type {const} */ (["recognize", "loaded", "recognized"]);
    const first = after("acquire", drawing("#a"), ...events);
    assert.equal(first.picture?.isRedraw, false);
    const second = [EVENTS.acquire, drawing("#b")].reduce(reduce, first);
    assert.equal(second.picture?.isRedraw, true);
    assert.deepEqual(second.reading, { recognition: RECOGNITION, isFirst: true, stale: true });
    const third = reduce(reduce(second, EVENTS.recognize), EVENTS.recognized);
    assert.equal(third.reading?.stale, false);
  });

  test("takes the place of a file as any image does", () => {
    const state = after(...READ, "acquire", drawing("#a"));
    assert.equal(state.picture?.isRedraw, false);
    assert.equal(state.reading, null);
  });

  test("loses its fragment while a part of it is read", () => {
    const state = after("acquire", drawing("#a"), "crop");
    assert.equal(state.picture?.fragment, undefined);
    assert.equal(state.source?.fragment, "#a");
    assert.equal(reduce(state, EVENTS.uncrop).picture?.fragment, "#a");
  });
});

describe("crop", () => {
  test("is read in place of the source and keeps its note", () => {
    const source = { file: FILE, note: "The first of 2 files." };
    const state = after(
      "acquire",
      { type: "accept", source },
      "recognize",
      "recognized",
      "acquire",
      "crop",
    );
    assert.equal(state.input, PART);
    assert.deepEqual(state.crop, { part: CROP, words: "A part." });
    assert.equal(state.picture?.note, source.note);
    assert.equal(state.source?.file, FILE);
    assert.equal(state.reading, null);
  });

  test("is undone", () => {
    const state = after("acquire", "accept", "crop", "uncrop");
    assert.equal(state.input, FILE);
    assert.equal(state.crop, null);
  });
});

describe("recognizing", () => {
  test("loads, reads and is done", () => {
    assert.deepEqual(STATES.loading.phase, { name: "recognizing", loading: true });
    assert.deepEqual(STATES.recognizing.phase, { name: "recognizing", loading: false });
    assert.deepEqual(STATES.done.phase, { name: "done" });
    assert.deepEqual(STATES.done.reading, {
      recognition: RECOGNITION,
      isFirst: true,
      stale: false,
    });
  });

  test("only loads where there is no image", () => {
    for (const name of ["starting", "idle", "acquiring", "rejected"]) {
      assert.deepEqual(reduce(STATES[name], EVENTS.recognize).phase, { name: "starting" });
    }
    assert.deepEqual(STATES.idle.phase, { name: "idle" });
  });

  test("reads another encoding without showing another picture", () => {
    const state = reduce(STATES.recognizing, EVENTS.reencode);
    assert.equal(state.input, DRAWN);
    assert.equal(state.picture, STATES.recognizing.picture);
    assert.equal(reduce(state, EVENTS.recognize).input, DRAWN);
    assert.equal(reduce(state, EVENTS.uncrop).input, FILE);
  });
});

describe("failure", () => {
  test("offers a retry only where it may help", () => {
    const retryOf = (/** @type {State} */ { phase }) => phase.name === "failed" && phase.retry;
    assert.equal(retryOf(STATES.failed), null);
    assert.deepEqual(retryOf(STATES["failed, retryable"]), { type: "recognize" });
    const options = { seed: 1 };
    const retry = /** @type {const} */ ({ type: "draw", options });
    const error = /** @type {const} */ ({ code: "missing-code", message: "Missing." });
    assert.deepEqual(retryOf(after("acquire", { type: "reject", error, retry })), retry);
    assert.equal(retryOf(after("acquire", { type: "reject", error: UNREADABLE, retry })), null);
  });

  test("keeps the image and takes the reading away", () => {
    const state = reduce(reduce(STATES.done, EVENTS.recognize), EVENTS.crashed);
    assert.equal(state.input, FILE);
    assert.equal(state.reading, null);
    assert.equal(reduce(state, EVENTS.recognize).phase.name, "recognizing");
  });
});

describe("rejected input", () => {
  test("takes the place of the image where it is a file", () => {
    for (const state of Object.values(STATES)) {
      const { phase, source, picture, input, crop, reading } = reduce(state, EVENTS.rejected);
      assert.deepEqual(phase, { name: "failed", error: UNREADABLE, retry: null });
      assert.deepEqual([source, picture, input, crop, reading], Array(5).fill(null));
    }
  });

  test("is only a remark where it is no file and there is an image", () => {
    const leaves = (/** @type {string} */ name) => {
      const state = reduce(STATES[name], EVENTS.notAFile);
      assert.equal(state.phase.name, STATES[name].phase.name, name);
      assert.equal(state.picture, STATES[name].picture, name);
      assert.equal(state.reading, STATES[name].reading, name);
      assert.deepEqual(state.remark, { text: NOT_A_FILE.message });
      assert.notEqual(reduce(state, EVENTS.notAFile).remark, state.remark, "said again");
    };
    for (const name of [
      "acquiring",
      "acquiring beside an image",
      "loading",
      "recognizing",
      "done",
    ]) {
      leaves(name);
    }
    leaves("failed, retryable");
  });

  test("is an error where there is no image, or one that cannot be read", () => {
    for (const name of ["starting", "idle", "failed", "rejected"]) {
      const state = reduce(STATES[name], EVENTS.notAFile);
      assert.deepEqual(state.phase, { name: "failed", error: NOT_A_FILE, retry: null });
      assert.equal(state.input, null);
    }
  });

  test("is noted on the image on its way", () => {
    const state = after("acquire", "notAFile", {
      type: "accept",
      source: { file: FILE, note: "A" },
    });
    assert.equal(state.picture?.note, NOT_A_FILE.message);
    assert.equal(state.source?.note, NOT_A_FILE.message);
  });

  test("is noted on an image that is not read yet, for a crop of it", () => {
    assert.equal(reduce(STATES.recognizing, EVENTS.notAFile).source?.note, NOT_A_FILE.message);
    assert.equal(reduce(STATES.done, EVENTS.notAFile).source?.note, null);
  });
});

describe("backend preference", () => {
  test("makes the reading stale and changes nothing else", () => {
    for (const state of Object.values(STATES)) {
      const reading = state.reading && { ...state.reading, stale: true };
      assert.deepEqual(reduce(state, EVENTS.prefer), { ...state, backend: "cpu", reading });
    }
  });
});
