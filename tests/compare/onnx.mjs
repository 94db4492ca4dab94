// @ts-check
/** onnxruntime-web with the network of captcha-lens and the usual preprocessing. */

import { fileURLToPath } from "node:url";

/** What a site serves for {@link openOnnx}; see `serve` in tests/e2e/site.mjs. */
export const ONNX_MOUNTS = {
  peers: fileURLToPath(new URL("node_modules", import.meta.url)),
  "compact.onnx": fileURLToPath(new URL("compact.onnx", import.meta.url)),
};

/**
 * Runs in a page of such a site: makes the function `readWithOnnx`, from an image to its text. One
 * thread.
 *
 * @param {"wasm" | "webgpu"} provider
 */
export async function openOnnx(provider) {
  const at = (/** @type {string} */ path) => new URL(path, location.href).href;
  const ort = await import(at(`/peers/onnxruntime-web/dist/ort.${provider}.min.mjs`));
  ort.env.wasm.wasmPaths = at("/peers/onnxruntime-web/dist/");
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(at("/compact.onnx"), {
    executionProviders: [provider],
    logSeverityLevel: 3,
  });
  const [width, height] = [388, 196];
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    canvas.getContext("2d", { willReadFrequently: true })
  );
  context.imageSmoothingQuality = "high";
  Object.assign(globalThis, {
    readWithOnnx: async (/** @type {Blob} */ image) => {
      context.drawImage(await createImageBitmap(image), 0, 0, width, height);
      const { data } = context.getImageData(0, 0, width, height);
      const values = new Float32Array(3 * width * height);
      for (let i = 0; i < width * height; i++) {
        for (let channel = 0; channel < 3; channel++) {
          values[channel * width * height + i] = (255 - data[4 * i + channel]) / 255;
        }
      }
      const input = new ort.Tensor("float32", values, [1, 3, height, width]);
      const { tokens } = await session.run({ image: input });
      let text = "";
      for (const token of tokens.data) {
        if (token < 3n) break; // <end>
        text += String.fromCharCode(94 + Number(token));
      }
      return text;
    },
  });
}
