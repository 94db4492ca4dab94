// @ts-check
/** Images with a CAPTCHA in them, which the browser draws. */

import { png } from "./lens-page.mjs";

/** @import { Browser } from "playwright-core" */
/** @import { FileGiven } from "./lens-page.mjs" */

export const SCREEN = { width: 1200, height: 900 };
/** The position of the sample in the screenshot. */
export const AT = { x: 300, y: 265, width: 600, height: 320 };

/**
 * Draws an image around another one, in the browser.
 *
 * @param {Browser} browser
 * @param {FileGiven} file
 * @param {string} body of a function of the image, the context and the canvas
 * @returns {Promise<FileGiven>}
 */
export async function draw(browser, file, body) {
  const page = await browser.newPage();
  const address = `data:image/png;base64,${file.buffer.toString("base64")}`;
  const drawn = await page.evaluate(
    async ([source, drawing]) => {
      const picture = new Image();
      picture.src = source;
      await picture.decode();
      const canvas = document.createElement("canvas");
      new Function("picture", "canvas", "context", drawing)(
        picture,
        canvas,
        canvas.getContext("2d"),
      );
      return canvas.toDataURL();
    },
    [address, body],
  );
  await page.close();
  return png(Buffer.from(drawn.split(",")[1], "base64"));
}

/**
 * A page of this size with lines of text and the image.
 *
 * @param {{ width: number, height: number }} size
 * @param {{ x: number, y: number, width: number, height: number }} at
 */
export const screenOf = (size, at) => `
  Object.assign(canvas, ${JSON.stringify(size)});
  const { width, height } = canvas;
  const fill = (colour, ...place) => {
    context.fillStyle = colour;
    context.fillRect(...place);
  };
  fill("#fff", 0, 0, width, height);
  for (let y = 100; y < height - 40; y += 30) {
    if (y > ${at.y - 40} && y < ${at.y + at.height + 10}) continue;
    for (let x = Math.round(width / 5); x < 0.8 * width; x += 13) {
      if (x % 5) fill("#333", x, y, 8, 12 + (x % 4));
    }
  }
  context.drawImage(picture, ${at.x}, ${at.y}, ${at.width}, ${at.height});`;

/** A page with a header, lines of text, the image, an input field and a button. */
export const screen = `
  Object.assign(canvas, ${JSON.stringify(SCREEN)});
  const fill = (colour, ...at) => { context.fillStyle = colour; context.fillRect(...at); };
  fill("#fff", 0, 0, 1200, 900);
  fill("#183860", 0, 0, 1200, 60);
  for (const y of [120, 150, 180, 210, 240, 720, 750, 780, 810, 840]) {
    for (let x = 300; x < 860; x += 13) if (x % 5) fill("#333", x, y, 8, 12 + (x % 4));
  }
  context.drawImage(picture, ${AT.x}, ${AT.y}, ${AT.width}, ${AT.height});
  context.strokeRect(300.5, 600.5, 300, 40);
  fill("#1e5ac8", 300, 655, 120, 40);`;

/** The image, rotated clockwise. */
export const side = `
  Object.assign(canvas, { width: picture.height, height: picture.width });
  context.translate(canvas.width, 0);
  context.rotate(Math.PI / 2);
  context.drawImage(picture, 0, 0);`;
