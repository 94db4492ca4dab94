// @ts-check
/** The table of all images, which can be sorted, filtered and searched. */

import { confidenceOf } from "../../audit/statistics.js";
import { percent } from "../../common/format.js";
import { make, scrolling, section } from "./elements.js";

/** @import { EvaluatedItem } from "../../audit/types.js" */

/** Number of rows shown at a time, and maximum number of printed rows. */
const ROWS = 25;
const PRINTED = 1000;

const ORDER = new Intl.Collator("en", { numeric: true });
const byText =
  (/** @type {(one: EvaluatedItem) => string} */ of) =>
  (/** @type {EvaluatedItem} */ a, /** @type {EvaluatedItem} */ b) =>
    ORDER.compare(of(a), of(b));

/** The columns with their headings and sort orders. */
const COLUMNS = [
  { name: "Image", order: byText(({ item }) => item.path) },
  { name: "Label", order: byText(({ item }) => item.label ?? "") },
  { name: "Read as", order: byText(({ item }) => item.text ?? item.error ?? "") },
  {
    name: "Confidence",
    order: (/** @type {EvaluatedItem} */ a, /** @type {EvaluatedItem} */ b) =>
      confidenceOf(a.item) - confidenceOf(b.item),
  },
];

/** The filters of the table. */
const FILTERS = /** @type {Record<string, (one: EvaluatedItem) => boolean>} */ ({
  All: () => true,
  Wrong: ({ correct }) => correct === false,
  Correct: ({ correct }) => correct === true,
  "Label may be wrong": ({ labelDoubtful }) => labelDoubtful,
  "Not compared": ({ problems }) => problems.length > 0,
  Failed: ({ item }) => item.error !== undefined,
});

/** @param {EvaluatedItem[]} judged */
export function itemTable(judged) {
  let sort = { column: 0, descending: false };
  let filter = "All";
  let search = "";
  let shown = ROWS;
  const body = make("tbody", {}, []);
  const more = make("button", { type: "button", className: "button" }, ["Show more"]);
  const count = make("p", { className: "hint", role: "status" }, []);
  // Sorted only when the order changes, not on every key press.
  let sorted = judged;
  const texts = new Map(
    judged.map((one) => [
      one,
      `${one.item.path} ${one.item.label ?? ""} ${one.item.text ?? ""}`.toLowerCase(),
    ]),
  );
  const order = () => {
    const { order: by } = COLUMNS[sort.column];
    const sign = sort.descending ? -1 : 1;
    sorted = [...judged].sort((a, b) => sign * by(a, b));
  };

  const update = () => {
    const wanted = search.toLowerCase();
    const chosen = sorted.filter(
      (one) => FILTERS[filter](one) && (texts.get(one) ?? "").includes(wanted),
    );
    body.replaceChildren(...chosen.slice(0, shown).map(rowOf));
    more.hidden = chosen.length <= shown;
    count.textContent =
      chosen.length === 0
        ? "No matching images"
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
      order();
      update();
    });
    return make("th", { scope: "col" }, [button]);
  });
  const show = (/** @type {number} */ rows) => {
    shown = rows;
    update();
  };
  more.addEventListener("click", () => show(shown + ROWS));
  // Replaces the handlers of an earlier report.
  globalThis.onbeforeprint = () => {
    const before = shown;
    globalThis.onafterprint = () => show(before);
    show(Math.max(shown, PRINTED));
  };
  const filters = make(
    "select",
    { "aria-label": "Filter images" },
    Object.keys(FILTERS).map((name) => make("option", {}, [name])),
  );
  filters.addEventListener("change", () => {
    filter = /** @type {HTMLSelectElement} */ (filters).value;
    show(ROWS);
  });
  const searching = make("input", {
    type: "search",
    placeholder: "Search",
    "aria-label": "Search",
  });
  searching.addEventListener("input", () => {
    search = /** @type {HTMLInputElement} */ (searching).value.trim();
    show(ROWS);
  });
  order();
  update();
  return section("All images", [
    make("div", { className: "report-tools" }, [filters, searching, count]),
    scrolling(
      "All images",
      make("table", { className: "report-table" }, [
        make("thead", {}, [make("tr", {}, headers)]),
        body,
      ]),
    ),
    more,
  ]);
}

/** @param {EvaluatedItem} judged */
function rowOf({ item, correct, problems }) {
  const { path, label, text, error, confidence } = item;
  const sure = problems.length > 0 ? "not compared" : percent(confidence ?? 0);
  const row = make("tr", { translate: "no" }, [
    make("td", {}, [make("span", { className: "report-path" }, [path])]),
    make("td", { dir: "auto" }, [label ?? ""]),
    make("td", { dir: "auto" }, [error ?? (text || "no text found")]),
    make("td", {}, [text ? sure : ""]),
  ]);
  row.className = error ? "failed" : correct === false ? "wrong" : "";
  return row;
}
