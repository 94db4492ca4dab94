// @ts-check
/** The audit page with the fake engine, which reads every image as "thus". */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  openAuditPage,
  chooseFiles,
  heldImages,
  image,
  page,
  rows,
  waitUntilSettled,
  site,
  watched,
} from "./audit-page.mjs";
import { WIDTHS, fitsWidth, holdRequest, resizeText } from "./browser.mjs";
import { FAULTS } from "./fake/captcha_wasm.js";
import { png } from "./lens-page.mjs";
import { blankPng } from "./images.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

describe("audit page", () => {
  openAuditPage();

  /** Resolves after a round trip to the server, by which time earlier requests have been sent. */
  const roundTrip = () =>
    page
      .evaluate(() => fetch(location.href).then((response) => response.text()))
      .then(() => "no more");

  test("takes labels from file names", async () => {
    await chooseFiles(
      image("thus.png"),
      image("thus_2.png"),
      image("line.png"),
      image("kerry.png"),
    );
    assert.equal(await page.textContent(".report-rate"), "50.0%");
    assert.match((await page.textContent(".report-verdict")) ?? "", /2 of 4 images, about 1 in 2/);
    assert.match((await page.textContent("#announcement")) ?? "", /50\.0% of 4 images solved/);
    assert.equal((await rows()).length, 4);
    const titles = await page.locator(".report-groups h2").allTextContents();
    assert.deepEqual(titles, [
      "Wrong, highest confidence",
      "Correct, highest confidence",
      "Correct, lowest confidence",
    ]);
    // Pictures are loaded when they come into view.
    const pictures = page.locator(".report-cases img");
    await pictures.last().scrollIntoViewIfNeeded();
    const widthsOf = (/** @type {(HTMLElement | SVGElement)[]} */ all) =>
      all.map((one) => /** @type {HTMLImageElement} */ (one).naturalWidth);
    await page.waitForFunction(() =>
      [...document.querySelectorAll(".report-cases img")].every(
        (one) => /** @type {HTMLImageElement} */ (one).complete,
      ),
    );
    const widths = await pictures.evaluateAll(widthsOf);
    assert.ok(widths.length === 6 && widths.every((width) => width === 60), String(widths));
    // Without labels no reading is correct or wrong.
    await page.uncheck("#use-names");
    assert.match((await page.textContent(".report-verdict")) ?? "", /have no labels/);
    await page.check("#use-names");
    assert.equal(await page.textContent(".report-rate"), "50.0%");
    assert.deepEqual(watched.consoleMessages, []);
  });

  test("takes a folder with its label file and ignores other files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "audit-"));
    await writeFile(join(folder, "spec_train_val.txt"), "1 thus\n2 line\n");
    for (const name of ["1.png", "2.png", "10.png"]) {
      await writeFile(join(folder, name), blankPng(60, 30));
    }
    await writeFile(join(folder, "readme.md"), "x");
    await page.setInputFiles("#folder-input", folder);
    await waitUntilSettled();
    const texts = (await rows()).map((row) => row.split(/\s+/).slice(0, 3).join(" "));
    const name = folder.slice(folder.lastIndexOf("/") + 1);
    assert.deepEqual(texts, [
      `${name}/1.png thus thus`,
      `${name}/2.png line thus`,
      `${name}/10.png thus 85.3%`,
    ]);
    assert.equal(await page.textContent(".report-rate"), "50.0%");
    assert.match(
      (await page.textContent("#note")) ?? "",
      /^Ignored: .*\/readme\.md \(not an image\)/,
    );
    assert.ok(await page.locator("#labels-choice").isHidden());
    await rm(folder, { recursive: true });
  });

  test("records unreadable images and continues after an engine panic", async () => {
    const text = { ...png(Buffer.from("no image")), name: "line_1.png" };
    await chooseFiles(image("thus.png"), text, image("kerry.png", FAULTS.panic), image("zeal.png"));
    const all = (await rows()).join("\n");
    assert.match(all, /line_1\.png\tline\tThis is not an image that can be read\./);
    assert.match(all, /kerry\.png\tkerry\tThe recognizer crashed/);
    assert.match(all, /zeal\.png\tzeal\tthus/);
    assert.match((await page.textContent(".report-facts")) ?? "", /Not readable2/);
  });

  test("names the files that are not images", async () => {
    await chooseFiles({ ...png(Buffer.from("x")), name: "notes.txt" });
    assert.equal(await page.getAttribute("#error", "data-code"), "no-images");
    await chooseFiles({ ...png(Buffer.from("x")), name: "set.zip" });
    assert.equal(await page.getAttribute("#error", "data-code"), "bad-archive");
    await chooseFiles(image("thus.png"));
    assert.equal(await page.textContent(".report-rate"), "100.0%");
    assert.ok(await page.locator("#error").isHidden());
  });

  test("keeps its report when the new files contain no image", async () => {
    await chooseFiles(image("thus.png"), image("line.png"));
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData("text/plain", "words of the page");
      const options = { bubbles: true, cancelable: true, dataTransfer: data };
      document.body.dispatchEvent(new DragEvent("dragenter", options));
      document.body.dispatchEvent(new DragEvent("drop", options));
    });
    assert.equal(await page.getAttribute("body", "data-state"), "done");
    assert.equal(await page.getAttribute(".report-cases img", "draggable"), "false");
    await chooseFiles({ ...png(Buffer.from("x")), name: "notes.txt" });
    assert.equal(await page.getAttribute("#error", "data-code"), "no-images");
    assert.equal((await rows()).length, 2);
    await chooseFiles(image("zeal.png"));
    assert.equal((await rows()).length, 1);
    assert.ok(await page.locator("#error").isHidden());
  });

  test("continues when files without an image are added during an audit", async () => {
    const { requested, release } = await holdRequest(page, "**/held");
    await page.setInputFiles("#files-input", heldImages(3));
    await requested;
    await page.setInputFiles("#files-input", [{ ...png(Buffer.from("x")), name: "notes.txt" }]);
    await page.waitForSelector("#note:text('no image')");
    release();
    await waitUntilSettled();
    assert.equal(await page.getAttribute("body", "data-state"), "done");
    assert.equal((await rows()).length, 3);
    assert.match((await page.textContent("#note")) ?? "", /no image/);
  });

  test("says so when a label file matches no image or not every image", async () => {
    const csv = { name: "labels.csv", mimeType: "text/csv", buffer: Buffer.from("x.png,thus") };
    await chooseFiles(image("1.png"), image("2.png"), csv);
    assert.match((await page.textContent("#note")) ?? "", /No row of labels\.csv matches an image/);
    const some = { ...csv, buffer: Buffer.from("file;label\n1.png;thus\n") };
    await chooseFiles(image("1.png"), image("2.png"), some);
    assert.equal(await page.textContent("#note"), "");
    assert.match((await page.textContent(".report-facts")) ?? "", /Without label1/);
    const twice = { ...csv, buffer: Buffer.from("1.png,thus\n1.png,line\n") };
    await chooseFiles(image("1.png"), image("2.png"), twice);
    assert.equal(
      await page.textContent("#note"),
      "1.png has more than one label; the last label is used.",
    );
  });

  test("reports the images read so far, and the reason, when it has to stop", async () => {
    const names = ["line.png", "thus_1.png", "thus_2.png"];
    await chooseFiles(...names.map((name) => image(name)), image("zeal.png", FAULTS.badWeights));
    assert.equal(await page.getAttribute("#error", "data-code"), "bad-weights");
    assert.equal(await page.textContent("#error"), "These are no weights.");
    assert.match((await page.textContent("#status")) ?? "", /^Stopped\. The report covers/);
    assert.deepEqual(
      (await rows()).map((row) => row.split("\t")[0]),
      names,
    );
    assert.match((await page.textContent(".report-facts")) ?? "", /Stopped after3 of 4 images/);
    await chooseFiles(image("zeal.png", FAULTS.badWeights));
    assert.equal(await page.textContent("#error"), "These are no weights.");
    assert.ok(await page.locator("#report").isHidden(), "nothing was read");
  });

  test("names the files that could not be opened and reads the others", async () => {
    await page.setViewportSize({ width: 320, height: 700 });
    const name = `${"long".repeat(20)}.zip`;
    await chooseFiles({ ...png(Buffer.from("x")), name }, image("thus.png"));
    assert.equal((await rows()).length, 1);
    assert.match((await page.textContent("#note")) ?? "", /long\.zip: .* Unpack it first\.$/);
    assert.match((await page.textContent(".report-facts")) ?? "", /Not opened(long)+\.zip/);
    assert.ok(await fitsWidth(page));
    await chooseFiles(image("thus.png"));
    assert.ok(await page.locator("#note").isHidden());
  });

  for (const state of ["loading", "running"]) {
    test(`finishes on the backend it started on when another is chosen while ${state}`, async () => {
      await page.goto(`${site.address}audit.html?backend=cpu`);
      const files = state === "loading" ? "**/captcha_wasm_cpu_bg.wasm" : "**/held";
      const { requested, release } = await holdRequest(page, files);
      await page.setInputFiles("#files-input", heldImages(3));
      await requested;
      await page.waitForSelector(`body[data-state=${state}]`);
      await page.selectOption("#backend", "webgpu");
      assert.match((await page.textContent("#note")) ?? "", /applies to the next audit/);
      release();
      await waitUntilSettled();
      assert.equal(await page.textContent("#status"), "Done");
      assert.equal((await rows()).length, 3);
      assert.match((await page.textContent(".report-facts")) ?? "", /DeviceCPU/);
      await chooseFiles(image("thus.png"));
      assert.match((await page.textContent(".report-facts")) ?? "", /DeviceWebGPU/);
      assert.ok(await page.locator("#note").isHidden());
      assert.deepEqual(watched.consoleMessages, []);
    });
  }

  test("pauses, resumes, and keeps the readings when it is cancelled", async () => {
    const first = await holdRequest(page, "**/held");
    await page.setInputFiles("#files-input", heldImages(12));
    await first.requested;
    await page.click("#pause");
    // Two batches are being read. Both are read to their end.
    const second = await holdRequest(page, "**/held");
    first.release();
    await second.requested;
    const next = await holdRequest(page, "**/held");
    second.release();
    await page.waitForSelector("#counts:text('2 of 12')");
    assert.equal(await Promise.race([next.requested.then(() => "more"), roundTrip()]), "no more");
    await page.click("#pause");
    await next.requested;
    await page.click("#cancel");
    next.release();
    await waitUntilSettled();
    assert.match((await page.textContent("#status")) ?? "", /^Cancelled/);
    assert.equal((await rows()).length, 2);
  });

  test("replaces a running audit when new images are chosen", async () => {
    const first = await holdRequest(page, "**/held");
    await page.setInputFiles("#files-input", heldImages(5));
    await first.requested;
    const next = await holdRequest(page, "**/held");
    await page.setInputFiles("#files-input", image("line.png"));
    first.release();
    await waitUntilSettled();
    assert.equal(await Promise.race([next.requested.then(() => "more"), roundTrip()]), "no more");
    assert.deepEqual(
      (await rows()).map((row) => row.split("\t")[0]),
      ["line.png"],
    );
  });

  test("sorts, filters, searches and saves the table", async () => {
    const names = Array.from({ length: 40 }, (_, i) =>
      image(`${i % 2 ? "thus" : "line"}_${i}.png`),
    );
    await chooseFiles(...names);
    assert.equal((await rows()).length, 25);
    await page.click("text=Show more");
    assert.equal((await rows()).length, 40);
    await page.click(".report-table th >> text=Label");
    await page.click(".report-table th >> text=Label");
    assert.match((await rows())[0], /thus_1\.png/);
    assert.equal(
      await page.getAttribute(".report-table th:nth-child(2)", "aria-sort"),
      "descending",
    );
    await page.selectOption(".report-tools select", "Wrong");
    assert.equal((await rows()).length, 20);
    await page.fill(".report-tools input", "line_38");
    assert.equal((await rows()).length, 1);
    await page.fill(".report-tools input", "no such name");
    assert.equal((await rows()).length, 0);
    assert.equal(await page.textContent(".report-tools [role=status]"), "No matching images");
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.click(".report-downloads >> text=CSV"),
    ]);
    const lines = (await readFile(await saved.path(), "utf8")).split("\r\n");
    assert.equal(lines.length, 41);
    assert.ok(lines[0].startsWith("\ufeff"));
    assert.equal(lines[1], "line_0.png,line,thus,0.8530,false,,");
    const [json] = await Promise.all([
      page.waitForEvent("download"),
      page.click(".report-downloads >> text=JSON"),
    ]);
    const { summary, items } = JSON.parse(await readFile(await json.path(), "utf8"));
    assert.deepEqual([summary.exactMatches, summary.supported, items.length], [20, 40, 40]);
  });

  test("prints all rows without controls", async () => {
    await chooseFiles(...Array.from({ length: 60 }, (_, i) => image(`thus_${i}.png`)));
    assert.equal((await rows()).length, 25);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    assert.equal((await rows()).length, 60);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    assert.equal((await rows()).length, 25);
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator(":is(button, select, input):visible:not(th *)").count(), 0);
    assert.ok(await page.isVisible(".report-rate"));
  });

  test("keeps the chosen backend when the user goes to the other page and back", async () => {
    const select = page.getByRole("combobox", { name: "Run on" });
    await select.selectOption("cpu");
    await page.getByRole("link", { name: "Lens" }).click();
    await page.waitForURL("**/where/?backend=cpu");
    assert.equal(await select.inputValue(), "cpu");
    await select.selectOption("auto");
    await page.getByRole("link", { name: "Audit" }).click();
    await page.waitForURL("**/where/audit.html");
    assert.equal(await select.inputValue(), "auto");
  });

  test("gives the reason for the backend and announces progress at intervals", async () => {
    await page.evaluate(() => {
      /** @type {string[]} */
      const announcements = [];
      Object.assign(globalThis, { announcements });
      const line = /** @type {Element} */ (document.querySelector("#announcement"));
      new MutationObserver(() => announcements.push(line.textContent ?? "")).observe(line, {
        childList: true,
      });
    });
    await chooseFiles(...Array.from({ length: 60 }, (_, i) => image(`thus_${i}.png`)));
    assert.match((await page.textContent("#reason")) ?? "", /^No WebGPU: /);
    const announcements = await page.evaluate(() => /** @type {any} */ (globalThis).announcements);
    assert.match(announcements[0], /^[1-9]0% read$/);
    assert.match(announcements[announcements.length - 1], /^60 images read/);
    assert.ok(announcements.length <= 12, String(announcements));
  });

  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    test(`has no accessibility violations in ${colorScheme} mode`, async () => {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const files of [[], [image("thus.png"), image("line.png")]]) {
        if (files.length > 0) {
          await chooseFiles(...files);
          await page.click("#compare-next");
          await chooseFiles(...files);
          await page.click(".report-more summary");
        }
        const script = await readFile(AXE, "utf8");
        await page.evaluate(script);
        const { violations } = await page.evaluate(() => /** @type {any} */ (globalThis).axe.run());
        const found = violations.map((/** @type {any} */ { id, nodes }) => [
          id,
          nodes.map((/** @type {any} */ { html }) => html),
        ]);
        assert.deepEqual(found, []);
      }
    });
  }

  for (const [width, size] of WIDTHS) {
    test(`needs no horizontal scrolling at ${width} pixels with text of ${size}%`, async () => {
      await page.setViewportSize({ width, height: 700 });
      await resizeText(page, size);
      for (const files of [[], [image("thus.png"), image("line.png")]]) {
        if (files.length > 0) {
          await chooseFiles(...files);
          // With a comparison, and with everything expanded.
          await page.click("#compare-next");
          await chooseFiles(...files);
          await page.click(".report-more summary");
        }
        assert.ok(await fitsWidth(page), `with ${files.length} images`);
      }
    });
  }
});
