// @ts-check
/** A small network with random answers and any alphabet, length and input size. */

import { readFile } from "node:fs/promises";

/** A small network; its convolutions take images of any size. */
const BASE = new URL("../golden/weights.safetensors", import.meta.url);
/** Token ids before those of the alphabet. */
const SPECIAL_TOKENS = 3;

/**
 * A weights file.
 *
 * @param {{ alphabet: string, maxLength: number, height: number, width: number }} network
 * @returns {Promise<Buffer>}
 */
export async function tinyWeights({ alphabet, maxLength, height, width }) {
  const base = await readFile(BASE);
  const start = 8 + Number(base.readBigUInt64LE(0));
  const header = JSON.parse(base.subarray(8, start).toString());
  const config = JSON.parse(header.__metadata__.config);
  Object.assign(config, { alphabet, max_letters: maxLength });
  Object.assign(config.input, { height, width });
  header.__metadata__.config = JSON.stringify(config);

  const vocabulary = SPECIAL_TOKENS + [...alphabet].length;
  const { embedding, units } = config.decoder;
  const shapes = /** @type {Record<string, number[]>} */ ({
    "decoder.embedding.weight": [vocabulary, embedding],
    "decoder.output.weight": [units, vocabulary],
    "decoder.output.bias": [vocabulary],
  });
  const random = randomNumbers(7);
  const parts = [];
  let offset = 0;
  for (const [name, tensor] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [from, to] = tensor.data_offsets;
    let bytes = base.subarray(start + from, start + to);
    if (shapes[name]) {
      tensor.shape = shapes[name];
      const size = shapes[name].reduce((a, b) => a * b, 1);
      bytes = Buffer.from(Float32Array.from({ length: size }, () => 6 * random()).buffer);
      // Texts have the maximum length.
      if (name === "decoder.output.bias") {
        for (let id = 0; id < SPECIAL_TOKENS; id++) bytes.writeFloatLE(-40, 4 * id);
      }
    }
    tensor.data_offsets = [offset, offset + bytes.length];
    offset += bytes.length;
    parts.push(bytes);
  }
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(text.length + 8 - (Buffer.byteLength(text) % 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...parts]);
}

/**
 * Numbers from -1 to 1, always the same for a seed (Park and Miller 1988).
 *
 * @param {number} seed
 */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
}
