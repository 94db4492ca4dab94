#!/usr/bin/env bash
# Builds, serves, checks and tests captcha-lens. --help lists the commands.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly WASM_TARGET=wasm32-unknown-unknown
readonly WASM_PACK_VERSION=0.15.1
export CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
export FIREFOX=${FIREFOX:-/usr/bin/firefox-esr}
readonly CHROMEDRIVER=${CHROMEDRIVER:-/usr/bin/chromedriver}
readonly TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
# Pinned tools are installed inside the target folder.
readonly TOOLS=$TARGET_DIR/tools
export PATH=$TOOLS/bin:$PATH

usage() {
  cat <<'END'
Usage: ./build.sh COMMAND

  setup   install what is missing: Rust target, wasm-bindgen, wasm-pack, npm packages, Chromium, Firefox
  web     build the page: its WebAssembly modules into web/pkg, all of it into web/dist
  serve   build, serve the page on this machine and print its address
  check   formatting and lints, Rust and JavaScript
  test    everything: setup, check, size, native tests, browser tests, end-to-end tests of the page
  bench   benchmarks
  size    build, print the sizes and check them against the budgets
END
}

# With the minutes and seconds since the start.
heading() { printf '\n== %s (%d:%02d)\n' "$*" $((SECONDS / 60)) $((SECONDS % 60)); }

die() {
  printf 'build.sh: %s\n' "$*" >&2
  exit 1
}

# limit MINUTES COMMAND...: ends a command that hangs, with all that it started.
limit() {
  local minutes=$1 status=0 options=(--kill-after=30s)
  shift
  # At a terminal, Ctrl+C must reach the command.
  if [[ -t 0 ]]; then options+=(--foreground); fi
  timeout "${options[@]}" "${minutes}m" "$@" || status=$?
  # 137: the command did not end after SIGTERM.
  if ((status == 124 || status == 137)); then die "Not done after $minutes minutes: $*"; fi
  return "$status"
}

# ---- setup

setup() {
  setup_build
  setup_browser_tests
}

# Installs the tools to build and serve the page.
setup_build() {
  heading "Setup: Rust, wasm-bindgen, npm packages"
  command -v rustup >/dev/null || die "Install rustup first."
  command -v npm >/dev/null || die "Install Node.js 20.19, 22.13, or 24 or later, with npm first."
  command -v cc >/dev/null || install_packages build-essential
  # The toolchain of rust-toolchain.toml, also if rustup does not install automatically.
  rustup show active-toolchain >/dev/null 2>&1 || rustup toolchain install
  grep -qx "$WASM_TARGET" <<<"$(rustup target list --installed)" || rustup target add "$WASM_TARGET"
  # The tool's version must equal the library's. `--locked` fails for 0.2.130.
  install_tool wasm-bindgen wasm-bindgen-cli "$(locked_version wasm-bindgen)"
  # npm writes a copy of the lock file after an installation.
  [[ node_modules/.package-lock.json -nt package-lock.json ]] || npm ci
}

# Installs the browser test tools.
setup_browser_tests() {
  heading "Setup: Chromium, Firefox, wasm-pack"
  local missing=() program
  [[ -x $CHROMIUM ]] || missing+=(chromium)
  [[ -x $CHROMEDRIVER ]] || missing+=(chromium-driver)
  [[ -x $FIREFOX ]] || missing+=(firefox-esr)
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
  for program in "$CHROMIUM" "$CHROMEDRIVER" "$FIREFOX"; do
    [[ -x $program ]] || die "$program does not exist. Set CHROMIUM, CHROMEDRIVER and FIREFOX to the paths of these programs."
  done
  install_tool wasm-pack wasm-pack "$WASM_PACK_VERSION" --locked
}

install_packages() {
  command -v apt-get >/dev/null || die "Install these packages first: $*"
  local sudo=()
  ((EUID == 0)) || sudo=(sudo)
  "${sudo[@]}" apt-get update
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
}

# install_tool COMMAND CRATE VERSION [OPTIONS FOR CARGO INSTALL]: with few optimizations, as the tools
# run for seconds.
install_tool() {
  local command=$1 crate=$2 version=$3
  [[ "$("$command" --version 2>/dev/null)" == "$command $version" ]] ||
    CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
      CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 cargo install "$crate" --version "$version" --root "$TOOLS" "${@:4}"
}

locked_version() {
  awk -v name="\"$1\"" '$1 == "name" { found = $3 == name } $1 == "version" && found { gsub(/"/, "", $3); print $3 }' Cargo.lock
}

# ---- the page

web() {
  heading "Web: the WebAssembly modules"
  web_module captcha_wasm captcha-wasm-webgpu
  web_module captcha_wasm_cpu captcha-wasm-cpu
  web_module captcha_learning_wasm captcha-learning-wasm
  # It has no kernels that link-time optimization would make slow.
  web_module captcha_synth_wasm captcha-synth-wasm --config 'profile.web.lto="fat"'
  wait_for_modules
  heading "Web: the page"
  npx --no-install vite build web
}

# Process ids of the modules that are being finished.
finishing=()

# web_module NAME PACKAGE [OPTIONS FOR CARGO]: compiles a module, and finishes it in the background unless it is up to
# date. Separate builds use the features of the tests, so that nothing is compiled twice.
web_module() {
  local name=$1 package=$2
  local built=$TARGET_DIR/$WASM_TARGET/web/${package//-/_}.wasm
  cargo build --locked --profile web --target "$WASM_TARGET" -p "$package" "${@:3}"
  if [[ web/pkg/${name}_bg.wasm -nt $built ]]; then
    echo "web/pkg/$name is up to date"
    return
  fi
  finish_module "$name" "$built" &
  finishing+=($!)
}

# finish_module NAME BUILT: makes the JavaScript of a module, and makes the module smaller.
finish_module() {
  local name=$1 built=$2 stage
  stage=$(mktemp --directory "$TARGET_DIR/$name.XXXXXX")
  wasm-bindgen --target web --out-name "$name" --out-dir "$stage" "$built"
  # Feature by feature: with --all-features it writes encodings that browsers do not read yet.
  npx --no-install wasm-opt -Oz \
    --enable-bulk-memory --enable-bulk-memory-opt --enable-multivalue --enable-mutable-globals \
    --enable-nontrapping-float-to-int --enable-reference-types --enable-sign-ext --enable-simd \
    --output "$stage/${name}_bg.wasm" "$stage/${name}_bg.wasm"
  mkdir -p web/pkg
  # The module comes last, so that only a complete set counts as up to date.
  mv "$stage/$name.js" "$stage"/*.d.ts web/pkg
  mv "$stage/${name}_bg.wasm" web/pkg
  rmdir "$stage"
  echo "web/pkg/$name is finished"
}

wait_for_modules() {
  local process
  for process in "${finishing[@]}"; do wait "$process"; done
  finishing=()
}

# Ends them with the script if a command fails.
stop_finishing() {
  if ((${#finishing[@]} > 0)); then kill "${finishing[@]}" 2>/dev/null || true; fi
}
trap stop_finishing EXIT

serve() {
  setup_build
  web
  heading "Serve"
  exec npx --no-install vite preview web "$@"
}

# ---- checks and tests

check() {
  local package
  setup_build
  heading "Check: formatting"
  cargo fmt --all --check
  heading "Check: clippy, native"
  # Includes the GPU feature, which no test compiles.
  cargo clippy --locked --workspace --all-targets --features captcha-cli/gpu -- -D warnings
  heading "Check: clippy, command line without training"
  cargo clippy --locked -p captcha-cli --no-default-features --all-targets -- -D warnings
  heading "Check: clippy, WebAssembly"
  # The web profile shares build scripts and macros with the build.
  for package in captcha-wasm captcha-wasm-webgpu captcha-learning-wasm captcha-synth-wasm; do
    cargo clippy --locked --profile web --target "$WASM_TARGET" -p "$package" --all-targets -- -D warnings
  done
  # The types of the modules are part of the page's types.
  web
  heading "Check: JavaScript"
  npm run --silent lint
}

test_native() {
  heading "Test: native"
  limit 40 cargo test --locked --workspace --no-run
  limit 20 cargo test --locked --workspace
}

test_browser() {
  heading "Test: generator in WebAssembly"
  limit 20 cargo test --locked --profile web --target "$WASM_TARGET" -p captcha-synth --test bytes
  heading "Test: fine-tuning in WebAssembly"
  limit 20 cargo test --locked --profile web --target "$WASM_TARGET" -p captcha-learning --test run
  heading "Test: module in Chromium, WebGPU"
  # The web profile shares its dependencies with the page.
  limit 30 wasm-pack test --headless --chrome --chromedriver "$CHROMEDRIVER" crates/wasm --locked --profile web
}

test_page() {
  heading "Test: page in Chromium and Firefox"
  # The program that the native tests built.
  CAPTCHA_LENS=$TARGET_DIR/debug/captcha-lens limit 30 npm run --silent e2e
}

run_tests() {
  setup
  check
  sizes
  test_native
  test_browser
  test_page
  heading "All tests passed"
}

# ---- measurements

bench() {
  setup
  heading "Bench: generator"
  cargo bench --locked -p captcha-synth
  heading "Bench: the encoder, in a training step and alone"
  cargo bench --locked -p captcha-trainer --bench encoder
  heading "Bench: a training step"
  cargo bench --locked -p captcha-trainer --bench step
  web
  heading "Bench: the page"
  node tests/e2e/bench.mjs
  heading "Bench: the page on a slow line"
  node tests/e2e/bench-network.mjs
}

# Maximum sizes of the modules after brotli, in bytes.
readonly SIZE_BUDGET=1900000
readonly CPU_SIZE_BUDGET=550000
readonly LEARNING_SIZE_BUDGET=1100000
readonly SYNTH_SIZE_BUDGET=500000
# Largest scripts and styles of a page, without its workers, after brotli, in bytes.
readonly PAGE_SIZE_BUDGET=40000
# The teach page has the audit's files and labels, and its own: labelling, runs, what the browser keeps.
readonly TEACH_SIZE_BUDGET=42000

size() {
  setup_build
  web
  sizes
}

sizes() {
  heading "Size"
  size_of captcha_wasm "$SIZE_BUDGET"
  size_of captcha_wasm_cpu "$CPU_SIZE_BUDGET"
  size_of captcha_learning_wasm "$LEARNING_SIZE_BUDGET"
  size_of captcha_synth_wasm "$SYNTH_SIZE_BUDGET"
  page_size_of index.html "$PAGE_SIZE_BUDGET"
  page_size_of audit.html "$PAGE_SIZE_BUDGET"
  page_size_of teach.html "$TEACH_SIZE_BUDGET"
}

# size_of MODULE BUDGET
size_of() {
  node - "web/pkg/$1_bg.wasm" "$2" <<'END'
const { readFileSync } = require("node:fs");
const { brotliCompressSync, gzipSync } = require("node:zlib");
const [path, budget] = process.argv.slice(2);
const bytes = readFileSync(path);
const brotli = brotliCompressSync(bytes).length;
console.log(`${path}: raw ${bytes.length}, gzip ${gzipSync(bytes, { level: 9 }).length}, brotli ${brotli}, budget ${budget}`);
if (brotli > Number(budget)) {
  console.error(`${path} is larger than its budget. Make it smaller, or raise the budget in build.sh and explain why.`);
  process.exitCode = 1;
}
END
}

# page_size_of PAGE BUDGET
page_size_of() {
  node - "web/dist/$1" "$2" <<'END'
const { readFileSync, statSync } = require("node:fs");
const { dirname, join } = require("node:path");
const [page, budget] = process.argv.slice(2);
const files = [...readFileSync(page, "utf8").matchAll(/assets\/[\w-]+\.(?:js|css)/g)].map(([path]) => path);
const sizeOf = (ending) =>
  files.reduce((sum, path) => sum + statSync(join(dirname(page), path + ending)).size, 0);
const brotli = sizeOf(".br");
console.log(`${page}: ${files.length} scripts and styles, raw ${sizeOf("")}, brotli ${brotli}, budget ${budget}`);
if (brotli > Number(budget)) {
  console.error(`${page} is larger than its budget. Make it smaller, or raise the budget in build.sh and explain why.`);
  process.exitCode = 1;
}
END
}

case "${1:-}" in
  setup | serve | check | bench | size) "$@" ;;
  web)
    setup_build
    web
    ;;
  test) run_tests ;;
  -h | --help | help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
