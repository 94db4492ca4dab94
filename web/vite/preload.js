// @ts-check
/** Has the lens page download its engine beside its script, not after it. */

/** @import { Plugin } from "vite" */

/** What the first reading takes, by the names of the files. */
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
