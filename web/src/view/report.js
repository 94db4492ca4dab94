// @ts-check
/**
 * The report of an audit, built into any document. Free of imports but for types: `captcha-lens
 * audit` puts this file, behind `statistics.js`, into its reports as it is.
 */

/** @import { AuditItem, AuditReport } from "../types.js" */
/** @import * as Statistics from "../audit/statistics.js" */

/** Cases shown of each kind. */
const CASES = 8;
/** Rows of the table shown at a time, and printed at most. */
const ROWS = 25;
const PRINTED = 1000;
/** Confusions shown. */
const CONFUSIONS = 12;

/** The table's columns: how each is headed, filled and sorted. */
const COLUMNS = /** @type {const} */ ([
  { name: "Image", of: (/** @type {AuditItem} */ item) => item.path },
  { name: "Label", of: (/** @type {AuditItem} */ item) => item.label ?? "" },
  { name: "Read as", of: (/** @type {AuditItem} */ item) => item.text ?? item.error ?? "" },
  { name: "Confidence", of: (/** @type {AuditItem} */ item) => item.confidence ?? -1 },
]);

/** What the table can be narrowed to. */
const FILTERS =
  /** @type {Record<string, (item: AuditItem, right: boolean | null) => boolean>} */ ({
    All: () => true,
    Wrong: (_, right) => right === false,
    Right: (_, right) => right === true,
    Failed: (item) => item.error !== undefined,
  });

/**
 * Builds a report in place of what `root` holds.
 *
 * @param {HTMLElement} root
 * @param {AuditReport} report
 * @param {typeof Statistics} statistics
 */
export function renderReport(root, report, statistics) {
  const { items, about } = report;
  const summary = statistics.summarize(items);
  const { percent } = statistics;
  root.replaceChildren(
    make("div", { className: "report-head" }, [
      make("div", {}, [
        make("p", { className: "overline" }, [summary.labelled ? "Read whole" : "Read"]),
        make("p", { className: "report-rate" }, [
          summary.labelled ? percent(summary.rate) : summary.read.toLocaleString("en"),
        ]),
        make("p", { className: "hint" }, [
          summary.labelled
            ? `${summary.exact} of ${summary.labelled} images; 95\u202f% interval ${percent(summary.interval[0])} to ${percent(summary.interval[1])}`
            : `of ${summary.images} images, without labels`,
        ]),
      ]),
      make(
        "div",
        { className: "report-verdict" },
        statistics.verdict(summary).map((sentence) => make("p", {}, [sentence])),
      ),
    ]),
    facts(summary, percent, about),
    ...(summary.labelled ? [lengths(summary, percent), confusions(summary)] : []),
    cases(report, statistics),
    table(report, statistics),
    downloads(report, statistics),
  );
}

/**
 * The items as a CSV table.
 *
 * @param {AuditItem[]} items
 * @param {typeof Statistics} statistics
 */
export function toCsv(items, { isRight }) {
  // A spreadsheet runs a text that starts like a formula, unless there is an apostrophe before it
  // (OWASP, CSV Injection). Numbers are ours, and stay numbers.
  const cell = (/** @type {string | null | undefined} */ text) => {
    const safe = (text ?? "").replace(/^[=+\-@\t\r\n]/, "'$&");
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const rows = items.map((item) => [
    cell(item.path),
    cell(item.label),
    cell(item.text),
    item.confidence?.toFixed(4),
    isRight(item),
    cell(item.error),
  ]);
  return [["file", "label", "text", "confidence", "right", "error"], ...rows]
    .map((row) => row.join(","))
    .join("\r\n");
}

/**
 * @param {import("../types.js").AuditSummary} summary
 * @param {(value: number) => string} percent
 * @param {[string, string][]} about
 */
function facts(summary, percent, about) {
  const all = /** @type {[string, string][]} */ ([
    ["Images", summary.images.toLocaleString("en")],
    ...(summary.failed ? [["Not readable", summary.failed.toLocaleString("en")]] : []),
    ...(summary.labelled && summary.labelled < summary.read
      ? [["Without label", (summary.read - summary.labelled).toLocaleString("en")]]
      : []),
    ...(summary.labelled ? [["Letters read right", percent(summary.letterRate)]] : []),
    ["Mean confidence", percent(summary.confidence)],
    ...about,
  ]);
  return make(
    "dl",
    { className: "report-facts" },
    all.map(([name, value]) => make("div", {}, [make("dt", {}, [name]), make("dd", {}, [value])])),
  );
}

/**
 * @param {import("../types.js").AuditSummary} summary
 * @param {(value: number) => string} percent
 */
function lengths({ byLength }, percent) {
  const rows = byLength.map(({ length, images, exact }) =>
    make("tr", {}, [
      make("th", { scope: "row" }, [String(length)]),
      make("td", {}, [
        make("meter", {
          min: 0,
          max: 1,
          value: exact / images,
          ariaLabel: percent(exact / images),
        }),
      ]),
      make("td", {}, [percent(exact / images)]),
      make("td", {}, [`${exact} of ${images}`]),
    ]),
  );
  return section("By length of the label", [
    make("table", { className: "report-lengths" }, [
      head(["Letters", "", "Read whole", ""]),
      make("tbody", {}, rows),
    ]),
  ]);
}

/** @param {import("../types.js").AuditSummary} summary */
function confusions({ confusions: all }) {
  if (all.length === 0) return "";
  const shown = all
    .slice(0, CONFUSIONS)
    .map(({ label, text, count }) =>
      make("li", {}, [misreading(label, text), make("b", {}, [` ${count}`])]),
    );
  return section("Letters misread", [make("ul", { className: "report-chips" }, shown)]);
}

/**
 * @param {string} label
 * @param {string} text
 */
function misreading(label, text) {
  if (!text) return `${label} left out`;
  return label ? `${label} as ${text}` : `${text} added`;
}

/**
 * @param {AuditReport} report
 * @param {typeof Statistics} statistics
 */
function cases({ items, picture }, statistics) {
  const groups = statistics.tellingCases(items, CASES).map(({ title, items: some }) =>
    section(title, [
      make(
        "ul",
        { className: "report-cases" },
        some.map((item) => {
          const image = make("img", {
            alt: `Image ${item.path}`,
            loading: "lazy",
            draggable: false,
          });
          void picture(item).then((address) => {
            if (address && image instanceof HTMLImageElement) image.src = address;
            else image.remove();
          });
          return make("li", {}, [
            make("figure", {}, [image, make("figcaption", {}, caption(item, statistics))]),
          ]);
        }),
      ),
    ]),
  );
  return make("div", { className: "report-groups" }, groups);
}

/**
 * @param {AuditItem} item
 * @param {typeof Statistics} statistics
 */
function caption({ text, label, confidence }, { percent }) {
  const read = make("b", {}, [text || "no letters"]);
  const wrong = (label ?? null) !== null && text !== label;
  return [read, ...(wrong ? [` for ${label}`] : []), ` ${percent(confidence ?? 0)}`];
}

/**
 * @param {AuditReport} report
 * @param {typeof Statistics} statistics
 */
function table({ items }, { isRight, percent }) {
  let sort = { column: 0, descending: false };
  let filter = "All";
  let search = "";
  let shown = ROWS;
  const body = make("tbody", {}, []);
  const more = make("button", { type: "button", className: "button" }, ["Show more"]);
  const count = make("p", { className: "hint", role: "status" }, []);
  const order = new Intl.Collator("en", { numeric: true });

  const update = () => {
    const { of } = COLUMNS[sort.column];
    const chosen = items
      .filter((item) => FILTERS[filter](item, isRight(item)))
      .filter(({ path, label, text }) =>
        `${path} ${label ?? ""} ${text ?? ""}`.toLowerCase().includes(search.toLowerCase()),
      )
      .sort((a, b) => {
        const [x, y] = [of(a), of(b)];
        const sign = sort.descending ? -1 : 1;
        return sign * (typeof x === "number" ? x - Number(y) : order.compare(x, String(y)));
      });
    body.replaceChildren(
      ...chosen.slice(0, shown).map((item) => {
        const right = isRight(item);
        const row = make("tr", {}, [
          make("td", {}, [item.path]),
          make("td", {}, [item.label ?? ""]),
          make("td", {}, [item.error ?? (item.text || "no letters")]),
          make("td", {}, [item.confidence === undefined ? "" : percent(item.confidence)]),
        ]);
        row.className = item.error ? "failed" : right === false ? "wrong" : "";
        return row;
      }),
    );
    more.hidden = chosen.length <= shown;
    count.textContent =
      chosen.length === 0
        ? "No image is like that"
        : `${Math.min(shown, chosen.length)} of ${chosen.length}`;
    headers.forEach((header, i) => {
      const direction = sort.descending ? "descending" : "ascending";
      if (i === sort.column) header.setAttribute("aria-sort", direction);
      else header.removeAttribute("aria-sort");
    });
  };
  const headers = COLUMNS.map(({ name }, column) => {
    const button = make("button", { type: "button" }, [name]);
    button.addEventListener("click", () => {
      sort = { column, descending: sort.column === column && !sort.descending };
      update();
    });
    return make("th", { scope: "col" }, [button]);
  });
  const show = (/** @type {number} */ rows) => {
    shown = rows;
    update();
  };
  more.addEventListener("click", () => show(shown + ROWS));
  // Of one report at a time.
  globalThis.onbeforeprint = () => {
    const before = shown;
    globalThis.onafterprint = () => show(before);
    show(Math.max(shown, PRINTED));
  };
  const filters = make(
    "select",
    { ariaLabel: "Which images" },
    Object.keys(FILTERS).map((name) => make("option", {}, [name])),
  );
  filters.addEventListener("change", () => {
    filter = /** @type {HTMLSelectElement} */ (filters).value;
    show(ROWS);
  });
  const searching = make("input", { type: "search", placeholder: "Find", ariaLabel: "Find" });
  searching.addEventListener("input", () => {
    search = /** @type {HTMLInputElement} */ (searching).value.trim();
    show(ROWS);
  });
  update();
  return section("Every image", [
    make("div", { className: "report-tools" }, [filters, searching, count]),
    make(
      "div",
      { className: "report-scroll", tabIndex: 0, role: "region", ariaLabel: "Every image" },
      [
        make("table", { className: "report-table" }, [
          make("thead", {}, [make("tr", {}, headers)]),
          body,
        ]),
      ],
    ),
    more,
  ]);
}

/**
 * @param {AuditReport} report
 * @param {typeof Statistics} statistics
 */
function downloads({ items, about }, statistics) {
  // With a byte order mark, without which Excel takes names for another encoding.
  const csv = () => new Blob(["\ufeff", toCsv(items, statistics)], { type: "text/csv" });
  const json = () => {
    const content = {
      about: Object.fromEntries(about),
      summary: statistics.summarize(items),
      items,
    };
    return new Blob([JSON.stringify(content, null, 1)], { type: "application/json" });
  };
  const print = make("button", { type: "button", className: "button" }, ["Print"]);
  print.addEventListener("click", () => globalThis.print());
  return make("div", { className: "report-downloads" }, [
    download("CSV", "audit.csv", csv),
    download("JSON", "audit.json", json),
    print,
  ]);
}

/**
 * @param {string} words
 * @param {string} name
 * @param {() => Blob} content
 */
function download(words, name, content) {
  const button = make("button", { type: "button", className: "button" }, [words]);
  button.addEventListener("click", () => {
    const address = URL.createObjectURL(content());
    const link = make("a", { href: address, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  });
  return button;
}

/**
 * @param {string} title
 * @param {(Node | string)[]} content
 */
function section(title, content) {
  return make("section", {}, [make("h2", { className: "overline" }, [title]), ...content]);
}

/** @param {string[]} names */
function head(names) {
  return make("thead", {}, [
    make(
      "tr",
      {},
      names.map((name) => make(name ? "th" : "td", {}, [name])),
    ),
  ]);
}

/**
 * @param {keyof HTMLElementTagNameMap} tag
 * @param {Record<string, unknown>} properties
 * @param {(Node | string)[]} [content]
 * @returns {HTMLElement}
 */
function make(tag, properties, content = []) {
  const made = document.createElement(tag);
  Object.assign(made, properties);
  made.append(...content);
  return made;
}
