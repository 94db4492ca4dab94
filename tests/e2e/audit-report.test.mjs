// @ts-check
/** The report of the audit page, with the fake engine, which reads every image as "thus". */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  openAuditPage,
  browser,
  chooseFiles,
  heldImages,
  image,
  page,
  rows,
  waitUntilSettled,
  site,
} from "./audit-page.mjs";
import { brokenNumbers, fitsWidth, holdRequest } from "./browser.mjs";
import { FAULTS } from "./fake/captcha_wasm.js";

describe("audit report", () => {
  openAuditPage();

  test("shows no result and says what to do when the model cannot write any label", async () => {
    await chooseFiles(image("049025.png"), image("137721.png"), image("950008.png"));
    assert.equal(await page.textContent(".report-rate"), "No result");
    const report = await page.innerText("#report");
    assert.match(report, /All 3 labels contain digits and are longer than 5 characters\./);
    assert.match(report, /There is no result/);
    assert.match(report, /fine-tune the model on labelled images .+ \(captcha-lens finetune\)/);
    assert.doesNotMatch(report, /%|interval/);
    assert.match((await page.textContent("#announcement")) ?? "", /^No result/);
    assert.equal(await page.locator(".report-curve, .report-lengths").count(), 0);
    assert.equal((await rows())[0], "049025.png\t049025\tthus\tnot compared");
  });

  test("names the images that the result does not cover", async () => {
    await chooseFiles(image("thus.png"), image("THUS_2.png"), image("line.png"), image("a5.png"));
    const verdict = (await page.textContent(".report-verdict")) ?? "";
    assert.match(verdict, /reads a to z, 1 to 5 characters\. 1 of 4 labels contains digits\./);
    assert.match(verdict, /covers 3 images\. It says nothing about the other 1\./);
    assert.match(verdict, /Capital and small letters count as the same/);
    assert.match((await page.textContent(".report-head .hint")) ?? "", /^2 of 3 images/);
    assert.match((await page.textContent(".report-facts")) ?? "", /Not compared1/);
    // The label keeps its case.
    assert.match((await rows()).join("\n"), /THUS_2\.png\tTHUS\tthus\t85\.3/);
    await page.selectOption(".report-tools select", "Not compared");
    assert.deepEqual(await rows(), ["a5.png\ta5\tthus\tnot compared"]);
  });

  test("shows the solved share by minimum confidence as a curve and as a table", async () => {
    await chooseFiles(
      image("thus.png"),
      image("line.png"),
      image("thus_2.png", FAULTS.lowConfidence),
    );
    const curve = page.getByRole("img", {
      name: "Images answered and correct, by minimum confidence",
    });
    assert.ok(await curve.isVisible());
    const described = await curve.locator("desc").textContent();
    assert.match(
      described ?? "",
      /2 of 3 images were read with a confidence of 30% or more, 1 of them/,
    );
    await page.click(".report-more summary");
    const lines = await page.locator(".report-thresholds tbody tr").allInnerTexts();
    assert.equal(lines.length, 12);
    const spaces = /\u202f/g;
    assert.equal(lines[0].replace(spaces, " "), "0%\t100.0% (3 of 3)\t66.7% (2 of 3)");
    assert.equal(lines[1].replace(spaces, " "), "10%\t66.7% (2 of 3)\t50.0% (1 of 2)");
    assert.equal(lines[11].replace(spaces, " "), "99%\t0.0% (0 of 3)\tnone answered");
  });

  const csv = (/** @type {string} */ text) => ({
    name: "labels.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(text),
  });

  test("adds labels when a label file is chosen after the images", async () => {
    await chooseFiles(image("1.png"), image("2.png"));
    assert.equal(await page.textContent(".report-rate"), "2");
    await chooseFiles(csv("3.png,thus"));
    assert.match(
      (await page.textContent("#error")) ?? "",
      /No row of labels\.csv matches an image/,
    );
    assert.equal((await rows()).length, 2);
    await chooseFiles(csv("1.png,thus\n2.png,line"));
    assert.equal(await page.textContent("#status"), "Labels added");
    assert.equal(await page.textContent(".report-rate"), "50.0%");
    assert.ok(await page.locator("#error").isHidden());
  });

  test("asks for images when only a label file is chosen", async () => {
    await chooseFiles(csv("1.png,thus"));
    assert.match((await page.textContent("#error")) ?? "", /Choose the images first/);
  });

  const saved = async () => {
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page.click(".report-downloads >> text=JSON"),
    ]);
    return file.path();
  };

  test("compares with a saved report image by image when both have the same images", async () => {
    await chooseFiles(image("thus.png"), image("line.png"), image("zeal.png"));
    const path = await saved();
    await page.setInputFiles("#compare-input", path);
    await page.waitForSelector(".report-comparison");
    const report = page.locator("#report");
    assert.match(await report.innerText(), /Difference: 0\.0 percentage points/);
    assert.match(
      await report.innerText(),
      /the 3 images with the same name and label in both audits/,
    );
    const table = await page.locator(".report-comparison tbody tr").allInnerTexts();
    assert.equal(table[1].replaceAll("\u202f", " "), "Solved\t33.3% (1 of 3)\t33.3% (1 of 3)");
    // The next audit is compared too, until the comparison is ended.
    await chooseFiles(image("thus_4.png"), image("thus_5.png"), image("line_4.png"));
    assert.match(await report.innerText(), /Difference: \+33\.3 percentage points/);
    assert.match(await report.innerText(), /independent samples/);
    await page.click("#compare-end");
    assert.equal(await page.locator(".report-comparison").count(), 0);
    assert.ok(await page.locator("#compare-end").isHidden());
  });

  test("compares the next audit with the current one when that is chosen", async () => {
    await chooseFiles(image("line.png"), image("zeal.png"));
    await page.click("#compare-next");
    assert.match((await page.textContent("#status")) ?? "", /next audit will be compared/);
    await chooseFiles(image("thus.png"), image("thus_2.png"), image("kerry.png"));
    assert.match(await page.innerText("#report"), /Difference: \+66\.7 percentage points/);
  });

  test("shows an error and keeps the report when a file is not a saved report", async () => {
    await chooseFiles(image("thus.png"));
    for (const text of ["", "{}", '{"network":{"alphabet":"a","maxLength":5},"items":[{}]}']) {
      await page.setInputFiles("#compare-input", {
        name: "odd.json",
        mimeType: "application/json",
        buffer: Buffer.from(text),
      });
      await page.waitForSelector("body[data-state=error]");
      assert.match((await page.textContent("#error")) ?? "", /odd\.json is not a saved audit/);
      assert.equal((await rows()).length, 1);
      await chooseFiles(image("thus.png"));
    }
  });

  const learningCurve = (/** @type {object} */ changes = {}) => ({
    name: "curve.json",
    mimeType: "application/json",
    buffer: Buffer.from(
      JSON.stringify({
        name: "<b>set",
        points: [
          { labels: 25, heldOut: 300, exactMatches: 30 },
          { labels: 1400, heldOut: 300, exactMatches: 270 },
        ],
        sentences: ["To pass one try in two, <b>so many</b>."],
        svg: '<svg xmlns="http://www.w3.org/2000/svg" width="56" height="34"><script>document.title = "run"</script></svg>',
        ...changes,
      }),
    ),
  });

  test("shows a learning curve when one is added, and saves it with the report", async () => {
    await chooseFiles(image("thus.png"), image("line.png"));
    await page.setInputFiles("#curve-input", learningCurve());
    const figure = page.getByRole("img", { name: "Held-out images solved" });
    await figure.waitFor();
    assert.equal(await page.textContent("#status"), "Learning curve added");
    assert.match(await page.innerText("#report"), /To pass one try in two, <b>so many<\/b>\./);
    const [first, second] = await page.locator(".report-learning tbody tr").allInnerTexts();
    assert.match(first, /^25\t10\.0% \(30 of 300\)\t7\.1% to 13\.9%$/);
    assert.match(second, /^1,400\t90\.0%/);
    await page.waitForFunction(
      () =>
        /** @type {HTMLImageElement | null} */ (document.querySelector(".report-learning-curve"))
          ?.naturalWidth === 56,
    );
    assert.doesNotMatch(await page.title(), /run/);

    const path = await saved();
    // The curve belongs to these images.
    await chooseFiles(image("thus_2.png"));
    assert.ok(await figure.isHidden());
    await page.setInputFiles("#compare-input", path);
    await figure.waitFor();
    await page.click("#compare-end");
    assert.ok(await figure.isHidden());
    await page.setInputFiles("#curve-input", path);
    await figure.waitFor();
  });

  test("breaks no number on a narrow screen, where its tables scroll", async () => {
    await chooseFiles(image("thus.png"), image("049025.png"), image("a-very-long-name_1.png"));
    const path = await saved();
    await chooseFiles(image("kerry.png"), image("zeal.png"), image("202601311234.png"));
    await page.setInputFiles("#compare-input", path);
    await page.setInputFiles("#curve-input", learningCurve());
    await page.waitForSelector(".report-learning");
    await page.click(".report-more summary");
    for (const width of [320, 360]) {
      await page.setViewportSize({ width, height: 800 });
      assert.deepEqual(await brokenNumbers(page, "#report"), [], `${width} px`);
      assert.ok(await fitsWidth(page), `${width} px`);
    }
    const tables = page.locator("#report table");
    assert.equal(await tables.count(), 5);
    const scroll = await tables.evaluateAll((all) =>
      all.map((one) => one.parentElement?.className),
    );
    assert.deepEqual(new Set(scroll), new Set(["report-scroll"]));
  });

  test("shows an error and keeps the report when a file is not a learning curve", async () => {
    await chooseFiles(image("thus.png"));
    await page.setInputFiles("#curve-input", learningCurve({ points: [] }));
    await page.waitForSelector("body[data-state=error]");
    assert.match(
      (await page.textContent("#error")) ?? "",
      /curve\.json is not a learning curve\. Choose the JSON file/,
    );
    assert.equal((await rows()).length, 1);
  });

  test("uses the weights in its URL, names them, and passes them to the lens page", async () => {
    await page.goto(`${site.address}audit.html?weights=models/compact.safetensors`);
    await chooseFiles(image("thus.png"));
    const facts = (await page.textContent(".report-facts")) ?? "";
    assert.match(facts, /Weightscompact\.safetensors/);
    const head = (await page.textContent(".report-head")) ?? "";
    assert.match(head, /^Solved by compact\.safetensors/);
    await page.getByRole("link", { name: "Lens" }).click();
    await page.waitForURL("**/where/?weights=models%2Fcompact.safetensors");
    await page.goto(`${site.address}audit.html?weights=https://elsewhere.example/a`);
    await chooseFiles(image("thus.png"));
    assert.equal(await page.getAttribute("#error", "data-code"), "missing-weights");
    assert.ok(await page.locator("#report").isHidden());
  });

  test("starts a new audit after one was cancelled while loading", async () => {
    const { requested, release } = await holdRequest(page, "**/captcha_wasm_cpu_bg.wasm");
    await page.setInputFiles("#files-input", image("thus.png"));
    await requested;
    await page.click("#cancel");
    assert.equal(await page.getAttribute("body", "data-state"), "idle");
    release();
    await chooseFiles(image("line.png"));
    assert.deepEqual(
      (await rows()).map((row) => row.split("\t")[0]),
      ["line.png"],
    );
  });

  test("reads images that the browser decodes when the engine does not", async () => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="150" height="50"><text y="30">thus</text></svg>`;
    await chooseFiles({ name: "thus.svg", mimeType: "image/svg+xml", buffer: Buffer.from(svg) });
    assert.deepEqual(
      (await rows()).map((row) => row.split("\t").slice(0, 3)),
      [["thus.svg", "thus", "thus"]],
    );
    await page.waitForFunction(
      () =>
        /** @type {HTMLImageElement | null} */ (document.querySelector(".report-cases img"))
          ?.naturalWidth === 150,
    );
  });

  test("revokes the image URLs of a report when the next audit starts", async () => {
    await page.addInitScript(() => {
      const live = new Set();
      const { createObjectURL, revokeObjectURL } = URL;
      URL.createObjectURL = (/** @type {Blob} */ blob) => {
        const address = createObjectURL(blob);
        live.add(address);
        return address;
      };
      URL.revokeObjectURL = (address) => {
        live.delete(address);
        revokeObjectURL(address);
      };
      Object.assign(globalThis, { live });
    });
    await page.reload();
    const live = () => page.evaluate(() => /** @type {any} */ (globalThis).live.size);
    await chooseFiles(image("thus.png"), image("line.png"));
    assert.ok((await live()) >= 2);
    const { requested, release } = await holdRequest(page, "**/held");
    await page.setInputFiles("#files-input", heldImages(1));
    await requested;
    assert.equal(await live(), 0);
    release();
    await waitUntilSettled();
  });

  test("hides the folder button on iOS", async () => {
    assert.ok(await page.locator("label[for=folder-input]").isVisible());
    const context = await browser.newContext({
      userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15",
      serviceWorkers: "block",
    });
    const phone = await context.newPage();
    await phone.goto(`${site.address}audit.html`);
    await phone.waitForSelector("body.started");
    assert.ok(await phone.locator("label[for=folder-input]").isHidden());
    await context.close();
  });
});
