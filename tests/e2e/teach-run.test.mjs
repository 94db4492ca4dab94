// @ts-check
/** Runs, results and files of the teach page, with a learner that learns nothing. */

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseLearningCurve } from "../../web/src/audit/saved.js";
import { WIDTHS, brokenNumbers, fitsWidth, launch, resizeText, watch } from "./browser.mjs";
import { SOURCES, serve } from "./site.mjs";
import { downloaded, drawImages, openTeach, violationsOf, waitUntilReady } from "./teach-page.mjs";

const LEARNER = fileURLToPath(new URL("fake/learner.js", import.meta.url));
/** Milliseconds of a step in tests that watch a run. */
const SLOW = 150;

describe("teach page, learning", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let site;
  /** @type {import("playwright-core").Browser} */
  let browser;
  /** @type {import("playwright-core").Page} */
  let page;
  /** @type {ReturnType<typeof watch>} */
  let watched;

  before(async () => {
    site = await serve({ folders: SOURCES, mounts: { "src/teach/learner.js": LEARNER } });
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
    await drawImages(page, 40);
  });
  afterEach(async () => {
    assert.deepEqual(watched, { foreign: [], consoleMessages: [] });
    await page.context().close();
  });

  /** @param {number} milliseconds */
  const setStep = (milliseconds) =>
    page.evaluate((fakeStep) => Object.assign(globalThis, { fakeStep }), milliseconds);
  const learn = async () => {
    await page.click("#learn-start");
    await page.waitForSelector("body[data-state=learning]");
  };
  const status = (/** @type {string} */ words) =>
    page.waitForSelector(`#learn-status:text('${words}')`);
  const done = () =>
    page.evaluate(() => document.querySelector("progress#learn-bar")?.ariaValueNow);

  test("shows a run live: losses, share solved, and images with attention", async () => {
    await setStep(SLOW);
    await learn();
    await page.waitForSelector("#learn-curve .curve-correct[d*=L]");
    const solved = (await page.textContent("#learn-solved")) ?? "";
    assert.match(solved, /34 images; 6 are kept back\. Solved of these: .*95% interval/);
    assert.match(
      (await page.textContent("#learn-counts")) ?? "",
      /^42 images\/s on 2 cores, \d+ (s|min) left$/,
    );
    assert.equal(await page.locator("#watched canvas:visible").count(), 3);
    const captions = await page.locator("#watched figcaption").allTextContents();
    assert.ok(
      captions.every((words) => / correct 80\.0%$/.test(words)),
      String(captions),
    );
    for (const id of ["#learn-start", "#minutes", "#curve-start", "#remove-all"]) {
      assert.ok(await page.locator(id).isDisabled(), id);
    }
    assert.deepEqual(await violationsOf(page), []);
    await page.setViewportSize({ width: 320, height: 700 });
    assert.ok(await fitsWidth(page));
  });

  test("pauses, goes on and stops with a result", async () => {
    await setStep(SLOW);
    await learn();
    await status("Learning");
    await page.click("text=Pause");
    await status("Paused");
    await page.waitForFunction(
      () => document.querySelector("#learn-pause")?.textContent === "Go on",
    );
    const before = await done();
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 500)));
    assert.equal(await done(), before);
    await page.click("#learn-pause");
    await status("Learning");
    await page.waitForSelector("#watched canvas:visible");
    await page.click("#learn-stop");
    await waitUntilReady(page);
    assert.match((await page.textContent("#learn-said")) ?? "", /^Stopped\./);
    await page.waitForSelector(".report-rate");
    assert.ok(await page.locator("#learn-go-on").isVisible());
    await page.click("#learn-forget");
    await page.waitForSelector("#learn-go-on", { state: "hidden" });
  });

  test("goes on where it stopped after a reload", async () => {
    await setStep(SLOW);
    await learn();
    await page.waitForSelector("#watched canvas:visible");
    await openTeach(page, site.address);
    await waitUntilReady(page);
    assert.equal(await page.textContent("#give-state"), "40 images, 40 labelled");
    assert.equal(await page.textContent("#learn-state"), "Interrupted");
    const words = (await page.textContent("#learn-go-on")) ?? "";
    assert.match(words, /^Go on where it stopped \((20|40)\.0% of 5 min\)$/);
    await page.click("#learn-go-on");
    await page.waitForSelector(".report-rate");
    assert.equal(await page.textContent("#learn-said"), "Done.");
    assert.ok(await page.locator("#learn-go-on").isHidden());
    // The result is there after another reload.
    await openTeach(page, site.address);
    await page.waitForSelector(".report-rate");
    assert.equal(await page.textContent("#know-state"), "4 of 6 solved");
    assert.ok(await page.locator("#learned-curve .curve").isVisible());
  });

  test("shows the audit of the images kept back, and saves all that was learned", async () => {
    await learn();
    await page.waitForSelector(".report-rate");
    assert.equal(await page.textContent(".report-rate"), "66.7%");
    assert.equal(await page.locator(".report-table tbody tr").count(), 6);
    await page.locator(".report-cases img").last().scrollIntoViewIfNeeded();
    await page.waitForFunction(() =>
      [...document.querySelectorAll(".report-cases img")].some(
        (one) => /** @type {HTMLImageElement} */ (one).naturalWidth > 0,
      ),
    );
    const weights = await downloaded(page, () => page.click("#weights-save"));
    assert.match(weights.name, /^taught-.*\.safetensors$/);
    assert.ok(weights.bytes.length > 1_000_000);

    assert.match((await page.textContent(".report-head")) ?? "", /^Solved by taught 20\d\d-/);
    await page.fill("#model-name", "my <b>model");
    const { name, bytes } = await downloaded(page, () => page.click("#report-save"));
    assert.match(name, /\.html$/);
    const text = String(bytes);
    assert.ok(!/<script|<button|blob:|https?:\/\/(?!www\.w3\.org)/.test(text));
    const report = await page.context().newPage();
    await report.setContent(text);
    const title = "Audit of the images kept back · my <b>model";
    assert.deepEqual([await report.title(), await report.textContent("h1")], [title, title]);
    assert.match((await report.textContent(".report-head")) ?? "", /^Solved by my <b>model66\.7%/);
    assert.equal(await report.textContent(".report-rate"), "66.7%");
    assert.equal(await report.locator(".report-table tbody tr").count(), 6);
    assert.ok((await report.locator("img").count()) > 0);
    // The styles apply: the head of the report is not a plain block.
    const display = await report
      .locator(".report-head")
      .evaluate((head) => getComputedStyle(head).display);
    assert.equal(display, "flex");
    assert.ok(!text.includes("&gt; "), "the styles are not escaped");
    await report.waitForFunction(() =>
      [...document.images].every(
        ({ src, naturalWidth }) => src.startsWith("data:") && naturalWidth,
      ),
    );
    await report.close();

    await page.fill("#model-name", " ");
    await page.click("text=Keep in this browser");
    await page.waitForSelector("#take-error:text('Enter a name')");
    await page.fill("#model-name", "mine");
    await page.click("text=Keep in this browser");
    await page.waitForSelector("#take-said:text('Kept as “mine”')");
    await page.selectOption("#start", { label: "mine" });
  });

  test("measures a learning curve that the audit page imports", async () => {
    await page.click("#curve-start");
    await page.waitForSelector("body[data-state=measuring] #curve-words:text('Run 1 of 1')");
    await page.waitForSelector("#learning-curve .report-learning");
    await waitUntilReady(page);
    const sentence = (await page.textContent("#learning-curve p")) ?? "";
    assert.match(
      sentence,
      /^To pass one try in two, an attacker needs 25 labelled images or fewer/,
    );
    const { name, bytes } = await downloaded(page, () => page.click("#curve-save"));
    assert.equal(name, "learning-curve.json");
    const curve = parseLearningCurve(String(bytes), name);
    assert.deepEqual(
      curve.points.map(({ labels, heldOut }) => [labels, heldOut]),
      [[25, 6]],
    );
    assert.equal(curve.sentences[0], sentence);
  });

  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    test(`has no accessibility violations with a result in ${colorScheme} mode`, async () => {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await learn();
      await page.waitForSelector(".report-rate");
      await page.click("#curve-start");
      await page.waitForSelector("#learning-curve .report-learning");
      await waitUntilReady(page);
      assert.deepEqual(await violationsOf(page), []);
      for (const [width, size] of WIDTHS) {
        await page.setViewportSize({ width, height: 700 });
        await resizeText(page, size);
        assert.ok(await fitsWidth(page), `${width} pixels, text of ${size}%`);
        for (const report of ["#report", "#learning-curve"]) {
          assert.deepEqual(await brokenNumbers(page, report), [], `${width} pixels, ${size}%`);
        }
      }
    });
  }
});
