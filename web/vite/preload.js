// @ts-check
/** Preloads the CPU module and the weights in parallel with the script of the lens page. */

/** @import { Plugin } from "vite" */

/** Names of the files that the first reading needs. */
const ENGINE = [/^captcha_wasm_cpu_bg-.+\.wasm$/, /^compact-.+\.safetensors$/];

/** @returns {Plugin} */
export function preloadEngine() {
  return {
    name: "preload-engine",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_, { filename, bundle = {} }) {
        if (!filename.endsWith("index.html")) return [];
        const paths = Object.keys(bundle);
        return ENGINE.map((pattern) => {
          const path = paths.find((path) => pattern.test(path.replace(/^assets\//, "")));
          if (!path) throw new Error(`The build has no ${pattern}.`);
          const attrs = { rel: "preload", href: `./${path}`, as: "fetch", crossorigin: true };
          return { tag: "link", attrs, injectTo: "head" };
        });
      },
    },
  };
}
