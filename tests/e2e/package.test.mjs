// @ts-check
/** The npm package of `web/`, used without a bundler and with Vite. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build, createServer } from "vite";
import { launch, watch } from "./browser.mjs";
import { WEB, samples } from "./lens-page.mjs";
import { serve } from "./site.mjs";

const TYPESCRIPT = fileURLToPath(new URL("../../node_modules/.bin/tsc", import.meta.url));
const run = promisify(execFile);

describe("npm package", () => {
  /** @type {string} */
  let folder;
  /** Where it is installed. @type {string} */
  let installed;
  /** @type {import("playwright-core").Browser} */
  let browser;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "package-"));
    await run("npm", ["pack", "--pack-destination", folder], { cwd: WEB });
    const [archive] = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
    installed = join(folder, "node_modules", "captcha-lens");
    await mkdir(installed, { recursive: true });
    const unpack = ["-xzf", join(folder, archive), "--strip-components=1", "-C", installed];
    await run("tar", unpack);
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await rm(folder, { recursive: true });
  });

  /**
   * Reads a sample in the example.
   *
   * @param {string} address
   */
  async function readAt(address) {
    const page = await browser.newPage();
    const watched = watch(page, new URL("/", address).href);
    await page.goto(address);
    const [{ file, text }] = await samples();
    await page.waitForSelector("#status:text('Choose an image')");
    await page.setInputFiles("#file", `${WEB}samples/${file}`);
    await page.waitForSelector(`#status:text('${text}, ')`);
    await page.waitForFunction(
      (count) => document.querySelectorAll("figure canvas").length === count,
      text.length,
    );
    assert.equal((await page.locator("figcaption").allInnerTexts()).join(""), text);
    assert.deepEqual(watched, { foreign: [], consoleMessages: [] });
    await page.close();
  }

  test("contains the recognizer and no page code", async () => {
    const files = await readdir(installed, { recursive: true });
    for (const wanted of ["README.md", "LICENSE-MIT", "types/lib/client.d.ts", "example/main.js"]) {
      assert.ok(files.includes(wanted), wanted);
    }
    const others = files.filter((file) => /main\.js|view|audit|generator|synth|index/.test(file));
    assert.deepEqual(others.sort(), ["example/index.html", "example/main.js"]);
  });

  test("has the version of the workspace", async () => {
    const manifest = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
    const workspace = await readFile(join(WEB, "..", "Cargo.toml"), "utf8");
    assert.equal(manifest.version, /^version = "(.*)"$/m.exec(workspace)?.[1]);
  });

  test("works without a bundler", async () => {
    const site = await serve({ folders: [installed] });
    await readAt(`${site.address}example/`).finally(site.close);
  });

  describe("with Vite and no configuration", () => {
    before(async () => {
      await cp(join(installed, "example"), folder, { recursive: true });
      const html = await readFile(join(folder, "index.html"), "utf8");
      const bundled = html.replace(/<script type="importmap">[^]*?<\/script>/, "");
      await writeFile(join(folder, "index.html"), bundled);
    });

    test("works in a production build", async () => {
      await build({ root: folder, base: "./", configFile: false, logLevel: "warn" });
      const site = await serve({ folders: [join(folder, "dist")] });
      await readAt(site.address).finally(site.close);
    });

    test("works on the development server", async () => {
      const server = await createServer({
        root: folder,
        configFile: false,
        logLevel: "warn",
        server: { host: "127.0.0.1", port: 0 },
      });
      await server.listen();
      await readAt(server.resolvedUrls?.local[0] ?? "").finally(() => server.close());
    });
  });

  test("exports types for its API", async () => {
    const use = join(folder, "use.ts");
    await writeFile(
      use,
      `import { LensError, Recognizer, type ErrorCode, type Grid, type ImageInput, type Character, type Progress, type Recognition } from "captcha-lens";
       import { centerOf } from "captcha-lens/overlay.js";
       const lens: Recognizer = await Recognizer.load({ backend: "cpu" });
       const told = ({ overall }: Progress): number | null => overall;
       const reading: Recognition = await lens.recognize(new Blob(), { alternatives: 3 });
       const [first]: Character[] = reading.characters;
       const grid: Grid = reading.grid;
       const center: number = centerOf(first.attention, grid);
       const [one] = await lens.recognizeAll([new Uint8Array()]);
       const text: string = one instanceof LensError ? one.code : one.text;
       const codes: ErrorCode[] = ["missing-code", "engine-crashed", "closed", "no-browser"];
       // @ts-expect-error there is no such code
       codes.push("no-such-code");
       const inputs: ImageInput[] = [new Image(), new OffscreenCanvas(1, 1), "data:,a"];
       const { alphabet, maxLength }: { alphabet: string; maxLength: number } = lens.config;
       const onStage = ({ stage }: Progress) => (stage === "weights" ? alphabet : maxLength);
       { using closed = lens; void closed; }
       // @ts-expect-error there is no such backend
       void Recognizer.load({ backend: "quantum" });
       export { center, codes, inputs, onStage, told, text };`,
    );
    const options = [
      "--noEmit",
      "--strict",
      "--skipLibCheck",
      "--target",
      "es2023",
      "--module",
      "esnext",
    ];
    await run(TYPESCRIPT, [
      ...options,
      "--moduleResolution",
      "bundler",
      "--ignoreConfig",
      use,
    ]).catch(({ stdout }) => assert.fail(stdout));
  });
});
