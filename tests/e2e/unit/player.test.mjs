// @ts-check
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Player } from "../../../web/src/lens/player.js";

/** @typedef {import("../../../web/src/lens/player.js").PlaybackState} Showing */

/** @type {Showing[]} */
let seen = [];
/** @type {Player} */
let player;
const now = () => seen[seen.length - 1];

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  seen = [];
  player = new Player((showing) => seen.push(showing));
});

test("player stops at the last character", () => {
  player.start(3, { instant: false });
  assert.deepEqual(now(), { shown: 0, pinned: true, visibleCount: 1, playing: true });
  mock.timers.tick(900);
  assert.deepEqual(now(), { shown: 1, pinned: true, visibleCount: 2, playing: true });
  mock.timers.tick(900);
  mock.timers.tick(900);
  assert.deepEqual(now(), { shown: 2, pinned: true, visibleCount: 3, playing: false });
});

test("player applies a new speed from the next character on", () => {
  player.setSpeed(2);
  player.start(3, { instant: false });
  mock.timers.tick(450);
  assert.equal(now().shown, 1);
  player.setSpeed(0.5);
  mock.timers.tick(450);
  assert.equal(now().shown, 2);
  mock.timers.tick(1799);
  assert.equal(now().playing, true);
  mock.timers.tick(1);
  assert.equal(now().playing, false);
});

test("player shows all characters at once with reduced motion", () => {
  player.start(3, { instant: true });
  assert.deepEqual(seen, [{ shown: 0, pinned: true, visibleCount: 3, playing: false }]);
});

test("player pins the selected character and reveals all", () => {
  player.start(3, { instant: false });
  player.select(1);
  assert.deepEqual(now(), { shown: 1, pinned: true, visibleCount: 3, playing: false });
  mock.timers.tick(5000);
  assert.deepEqual(now(), { shown: 1, pinned: true, visibleCount: 3, playing: false });
});

test("player steps stay inside the text", () => {
  player.start(2, { instant: true });
  player.step(-1);
  assert.equal(now().shown, 0);
  player.step(1);
  player.step(1);
  assert.equal(now().shown, 1);
});

test("player shows the hovered character and waits", () => {
  player.start(3, { instant: false });
  player.hover(2);
  assert.deepEqual(now(), { shown: 2, pinned: false, visibleCount: 1, playing: true });
  mock.timers.tick(2700);
  assert.equal(now().shown, 2);
  player.hover(null);
  assert.equal(now().shown, 0);
  mock.timers.tick(900);
  assert.equal(now().shown, 1);
});

test("player pauses, resumes, and restarts at the end", () => {
  player.start(2, { instant: false });
  player.toggle();
  mock.timers.tick(5000);
  assert.deepEqual(now(), { shown: 0, pinned: true, visibleCount: 1, playing: false });
  player.toggle();
  mock.timers.tick(900);
  mock.timers.tick(900);
  assert.deepEqual(now(), { shown: 1, pinned: true, visibleCount: 2, playing: false });
  player.toggle();
  assert.deepEqual(now(), { shown: 0, pinned: true, visibleCount: 2, playing: true });
});

test("player shows nothing without characters", () => {
  player.clear();
  player.toggle();
  assert.deepEqual(now(), { shown: -1, pinned: true, visibleCount: 0, playing: false });
});
