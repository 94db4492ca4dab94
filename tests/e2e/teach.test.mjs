// @ts-check
/** The built teach page: images and labels. The last test learns, with the real learner. */

import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { WIDTHS, fitsWidth, launch, resizeText, watch } from "./browser.mjs";
import { png, samples } from "./lens-page.mjs";
import { serve } from "./site.mjs";
import {
  downloaded,
  drawImages,
  give,
  openTeach,
  sampleAs,
  textFile,
  violationsOf,
  waitUntilReady,
} from "./teach-page.mjs";

describe("teach page", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;
  /** @type {import("playwright-core").Page} */
  let page;
  /** @type {ReturnType<typeof watch>} */
  let watched;

  before(async () => {
    site = await serve();
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await site.close();
  });
  beforeEach(async () => {
    const viewport = { width: 1100, height: 800 };
    const context = await browser.newContext({ viewport, serviceWorkers: "block" });
    page = await context.newPage();
    watched = watch(page, site.address);
    await openTeach(page, site.address);
  });
  afterEach(async () => {
    assert.deepEqual(watched, { foreign: [], consoleMessages: [] });
    await page.context().close();
  });

  const labels = () => page.locator("#gallery-list span").allTextContents();
  const place = () => page.textContent("#label-place");
  const note = () => page.textContent("#give-note");
  const blocker = () => page.textContent("#learn-blocker");
  /** Why a button cannot start anything, after it was pressed; `null` where it can. @param {string} step */
  const whyNot = async (step) => {
    const button = page.locator(`#${step}-start`);
    if ((await button.getAttribute("aria-disabled")) === "false") return null;
    await button.dispatchEvent("click");
    assert.equal(await page.getAttribute("body", "data-state"), "ready");
    assert.ok(await page.isHidden("#learn-error, #know-error"));
    const reason = page.locator(`#${await button.getAttribute("aria-describedby")}`);
    assert.ok(await reason.isVisible());
    return reason.textContent();
  };
  const typed = () => page.inputValue("#label-text");

  test("says in each step what to do next", async () => {
    assert.match((await page.textContent("#give-empty")) ?? "", /Choose images .* or draw some/);
    assert.match((await blocker()) ?? "", /^There are no images yet\. Choose images/);
    assert.match((await page.textContent("#know-empty")) ?? "", /once a model has learned/);
    assert.match((await page.textContent("#take-empty")) ?? "", /once a model has learned/);
    const steps = await page.locator(".steps-nav b").allTextContents();
    assert.deepEqual(steps, ["1. Give", "2. Learn", "3. Know", "4. Take"]);
    for (const step of ["learn", "curve"]) {
      assert.match((await whyNot(step)) ?? "", /^There are no images yet\. Choose images/);
    }
  });

  test("is linked from the other pages, with the backend", async () => {
    for (const path of ["?backend=cpu", "audit.html?backend=cpu"]) {
      await page.goto(site.address + path);
      await page.click(".pages a:text('Teach')");
      await page.waitForURL(/teach\.html\?backend=cpu$/);
      await waitUntilReady(page);
      assert.equal(await page.textContent("[aria-current=page]"), "Teach");
      assert.match((await page.getAttribute(".pages a", "href")) ?? "", /\?backend=cpu$/);
    }
  });

  test("draws images in any look, whose labels are known", async () => {
    await drawImages(page, 25);
    assert.equal(await note(), "25 images added, all with a label.");
    assert.equal((await labels()).length, 24);
    await page.click("#gallery-more");
    assert.ok((await labels()).every((label) => /^[a-z]{3,5}$/.test(label)));
    assert.equal(await blocker(), "");
    await drawImages(page, 3, "digits-plain");
    await drawImages(page, 3, "random");
    assert.equal(await page.textContent("#give-state"), "31 images, 31 labelled");
  });

  test("fills in the model's guesses, and takes labels from the keyboard", async () => {
    const [first, second, third] = await samples();
    await give(
      page,
      await sampleAs(first.file, "IMG 1.png"),
      await sampleAs(second.file, "IMG 2.png"),
      await sampleAs(third.file, "IMG 3.png"),
    );
    assert.equal(await note(), "3 images added, none with a label.");
    const texts = [first, second, third].map(({ text }) => text).sort();
    await page.focus("#label-text");
    /** @type {string[]} */
    const seen = [];
    for (let i = 1; i <= 3; i++) {
      assert.equal(await place(), `${i} of 3`);
      seen.push(await typed());
      if (i < 3) await page.keyboard.press("ArrowRight");
    }
    assert.deepEqual(seen.toSorted(), texts, "each sample is read correctly");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowLeft");
    assert.equal(await place(), "1 of 3");
    await page.keyboard.press("Enter");
    // An edited text keeps its arrow keys.
    await page.keyboard.type("abx");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Delete");
    await page.keyboard.press("Enter");
    assert.equal(await place(), "3 of 3");
    assert.deepEqual((await labels()).toSorted(), [seen[0], "ab", "no label"].toSorted());
    await page.fill("#label-text", "a".repeat(17));
    await page.keyboard.press("Enter");
    assert.match((await page.textContent("#label-error")) ?? "", /17 characters.*shorten it/);
    await page.fill("#label-text", "");
    await page.keyboard.press("Enter");
    assert.match((await page.textContent("#label-error")) ?? "", /^Type the text of this image/);
    assert.equal(await page.textContent("#give-state"), "3 images, 2 labelled");
  });

  test("keeps images and labels when the page is closed, until they are removed", async () => {
    const [first, second] = await samples();
    const images = [
      await sampleAs(first.file, `${first.text}.png`),
      await sampleAs(second.file, `${second.text}_2.png`),
    ];
    await give(page, ...images);
    assert.equal(await note(), "2 images added, all with a label, from the file names.");
    await page.fill("#label-text", "mine");
    await page.click("text=Confirm");
    await page.waitForSelector("#gallery-list span:text('mine')");
    await page.fill("#minutes", "9");
    await page.press("#minutes", "Tab");
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
    await openTeach(page, site.address);
    await waitUntilReady(page);
    assert.equal((await labels()).filter((label) => label === "mine").length, 1);
    assert.equal(await page.inputValue("#minutes"), "9");
    const { name, bytes } = await downloaded(page, () => page.click("#labels-save"));
    assert.equal(name, "labels.csv");
    assert.match(String(bytes), /^file,label\r\n(.+\.png,(mine|\w+)\r\n){2}$/);
    // The same files are not added again, and the label stays.
    await give(page, ...images);
    assert.match((await note()) ?? "", /2 images were there already|1 image was there already/);
    await page.click("#remove-all");
    await page.click("#remove-no");
    await page.click("#remove-all");
    await page.click("#remove-yes");
    await page.waitForSelector("#give-empty:visible");
    await openTeach(page, site.address);
    await waitUntilReady(page);
    assert.equal(await page.textContent("#give-state"), "No images yet");
  });

  test("takes labels from a labels.csv, also later", async () => {
    const [first, second] = await samples();
    const images = [await sampleAs(first.file, "1.png"), await sampleAs(second.file, "2.png")];
    await give(page, ...images, textFile("labels.csv", "1.png,thus\n"));
    assert.match((await note()) ?? "", /^2 images added, 1 with a label\.$/);
    await give(page, textFile("labels.csv", "2.png;line\n"));
    assert.equal(await note(), "Labels added to 1 image.");
    assert.deepEqual(await labels(), ["thus", "line"]);
    await give(page, textFile("labels.csv", "3.png,line\n"));
    assert.match((await page.textContent("#give-error")) ?? "", /^No row of labels\.csv matches/);
    assert.deepEqual(await labels(), ["thus", "line"]);
  });

  test("says what to do with bad input, and loses nothing", async () => {
    const [first, second] = await samples();
    await give(page, textFile("notes.txt", "x"));
    assert.match((await page.textContent("#give-error")) ?? "", /contain no image \(notes\.txt\)/);
    // Broken images are listed and left out.
    const broken = [
      png(Buffer.from("\x89PNG, not", "latin1"), "thus.png"),
      textFile("line.png", "x"),
    ];
    await give(page, ...broken, await sampleAs(first.file, "kept.png"));
    await page.waitForSelector("#learn-notes li:text('cannot be read')");
    const names = "from the file names. 2 images cannot be read: line.png, thus.png.";
    assert.equal(await note(), `1 image added, all with a label, ${names}`);
    assert.equal(await page.textContent("#give-state"), "1 image, 1 labelled");
    await page.selectOption("#gallery-filter", "broken");
    const words = await page.locator("#gallery-list .broken p").allTextContents();
    assert.equal(words.length, 2);
    for (const one of words) {
      assert.match(one, /This is not an image that can be read.* GIF, BMP or SVG file\.$/);
    }
    await page.click("[aria-label='Remove thus.png']");
    await page.click("[aria-label='Remove line.png']");
    await page.selectOption("#gallery-filter", "all");
    // Too few images, and the same image with two labels.
    await give(
      page,
      await sampleAs(first.file, "same.png"),
      await sampleAs(second.file, "two.png"),
    );
    assert.match((await blocker()) ?? "", /^There is 1 image .* label 19 more\.$/);
    const notes = (await page.locator("#learn-notes li").allTextContents()).join(" ");
    assert.match(notes, /same image has different labels: .*“kept”.*“same”/);
    assert.equal(await page.textContent("#give-state"), "3 images, 3 labelled");
    assert.match((await whyNot("learn")) ?? "", /label 19 more\.$/);
    await page.fill("#minutes", "");
    await page.press("#minutes", "Tab");
    await drawImages(page, 20);
    assert.equal(await whyNot("learn"), "Enter a time from 1 to 120 minutes.");
    assert.match((await whyNot("curve")) ?? "", /takes 30 labelled images .* 9 more\.$/);
    await drawImages(page, 20);
    assert.equal(await whyNot("curve"), null);
    // A corrected time starts a run at once.
    await page.fill("#minutes", "5");
    await page.press("#minutes", "Enter");
    await page.waitForSelector("body[data-state=learning]");
  });

  test("goes on without keeping where the browser forbids it", async () => {
    await page.addInitScript(() => {
      Object.defineProperty(globalThis, "indexedDB", {
        get() {
          throw new DOMException("The operation is insecure.", "SecurityError");
        },
      });
    });
    await openTeach(page, site.address);
    await page.waitForSelector("#keeping:visible");
    assert.match((await page.textContent("#keeping")) ?? "", /keeps nothing for this page/);
    await drawImages(page, 20);
    assert.equal(await page.textContent("#give-state"), "20 images, 20 labelled");
    assert.equal(await blocker(), "");
  });

  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    test(`has no accessibility violations in ${colorScheme} mode`, async () => {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      assert.deepEqual(await violationsOf(page), []);
      await drawImages(page, 30);
      await give(page, textFile("line.png", "x"));
      await page.click("#remove-all");
      await page.click("#learn-start");
      await page.waitForSelector("body[data-state=learning] #learn-solved:text('95% interval')");
      assert.deepEqual(await violationsOf(page), []);
    });
  }

  test("needs no horizontal scrolling", async () => {
    await drawImages(page, 8);
    await give(page, textFile(`${"long".repeat(20)}.png`, "x"));
    await page.click("#remove-all");
    for (const [width, size] of WIDTHS) {
      await page.setViewportSize({ width, height: 700 });
      await resizeText(page, size);
      assert.ok(await fitsWidth(page), `${width} pixels, text of ${size}%`);
    }
  });

  test("learns from drawn images, and goes on after a reload", async () => {
    await drawImages(page, 60, "digits-plain");
    await page.fill("#minutes", "1");
    await page.click("#learn-start");
    await page.waitForSelector("body[data-state=learning] #learn-curve svg", { timeout: 120_000 });
    await page.waitForSelector("#watched canvas:visible", { timeout: 60_000 });
    if (availableParallelism() > 1) {
      await page.waitForSelector("#learn-counts:text('on 2 cores')", { timeout: 60_000 });
    }
    await page.waitForSelector("#learn-solved:text('95% interval')", { timeout: 120_000 });
    // Saved every eight seconds.
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 12_000)));
    await openTeach(page, site.address);
    await page.click("#learn-go-on");
    // The page is ready for a moment, until the run is read from the browser's storage.
    await page.waitForSelector(".report-rate", { timeout: 180_000 });
    await waitUntilReady(page);
    const { name, bytes } = await downloaded(page, () => page.click("#weights-save"));
    assert.match(name, /\.safetensors$/);
    assert.match(bytes.toString("latin1", 8, 2000), /"format"/);
    // Validations before learning and at the end, however short the run was.
    const line = await page.locator("#learned-curve .curve path.curve-correct").getAttribute("d");
    const seconds = [...(line ?? "").matchAll(/[ML]([\d.]+)/g)].map(([, x]) => Number(x));
    assert.ok(seconds.length >= 2, line ?? "");
    assert.equal(new Set(seconds).size, seconds.length, "each validation once");
    assert.match(
      (await page.textContent(".report-facts")) ?? "",
      /learned in this browser from Digits and letters/,
    );
  });
});
