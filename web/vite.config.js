// @ts-check
/** Builds the page into `dist`, and serves it: `vite build web`, `vite preview web`. */

import { env } from "node:process";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";
import { compress } from "./vite/compress.js";
import { parts } from "./vite/parts.js";
import { preloadEngine } from "./vite/preload.js";
import { serveBuilt } from "./vite/serve.js";

const page = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));

export default defineConfig({
  root: page("."),
  // Relative addresses: the site may be put under any path.
  base: "./",
  appType: "mpa",
  build: {
    // The policy forbids scripts and styles inside of the page, so no file is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: [page("index.html"), page("audit.html"), page("teach.html")],
      output: {
        codeSplitting: {
          groups: [
            // Only the teach page loads modules on demand. Without a group of its own, vite's helper
            // for them is part of a chunk that the other pages load as well.
            { name: "preload-helper", test: /preload-helper/ },
            { name: "common", test: /web[\\/]src/, minShareCount: 3 },
          ],
        },
      },
    },
  },
  worker: { format: "es" },
  preview: {
    host: env.HOST ?? "127.0.0.1",
    port: Number(env.PORT ?? 8080),
    strictPort: true,
  },
  plugins: [
    parts(),
    preloadEngine(),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src",
      filename: "sw.js",
      // The page registers it, after its first result.
      injectRegister: false,
      manifest: false,
      injectManifest: {
        globPatterns: ["*.{html,svg,png,webmanifest}", "assets/*"],
        dontCacheBustURLsMatching: /^assets\//,
        maximumFileSizeToCacheInBytes: 30_000_000,
      },
    }),
    compress(),
    serveBuilt(),
  ],
});
