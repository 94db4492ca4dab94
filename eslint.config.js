import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["target/", "web/dist/", "web/pkg/", "web/types/", "runs/"] },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  {
    files: ["web/src/**/*.js", "web/example/*.js"],
    languageOptions: { globals: globals.browser },
  },
  {
    // The document belongs to the view alone.
    files: ["web/src/**/*.js"],
    ignores: ["web/src/ui/**"],
    rules: { "no-restricted-globals": ["error", "document", "window"] },
  },
  {
    files: ["web/src/lib/rpc.js", "web/src/sw.js"],
    languageOptions: { globals: globals.worker },
  },
  {
    files: ["web/*.mjs", "web/vite.config.js", "web/vite/*.js", "tests/**/*.mjs"],
    languageOptions: { globals: globals.node },
    rules: { "no-console": "off" },
  },
  {
    files: ["tests/compare/*.mjs", "tests/e2e/**/*.mjs", "tests/e2e/fake/**"],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
];
