// @ts-check
/** Creates the elements of a report. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {keyof HTMLElementTagNameMap} tag
 * @param {Record<string, unknown>} properties
 * @param {(Node | string)[]} [content]
 * @returns {HTMLElement}
 */
export function make(tag, properties, content = []) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    // Attributes, because not every browser reflects ARIA attributes as properties.
    if (/^(aria-|role$|translate$)/.test(name)) made.setAttribute(name, String(value));
    else Object.assign(made, { [name]: value });
  }
  made.append(...content);
  return made;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {(Node | string)[]} [content]
 */
export function draw(tag, attributes, content = []) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...content);
  return made;
}

/**
 * @param {string} title
 * @param {(Node | string)[]} content
 */
export function section(title, content) {
  return make("section", {}, [make("h2", { className: "overline" }, [title]), ...content]);
}

/**
 * A table with a header cell in each row.
 *
 * @param {string} className
 * @param {string[]} names of the columns
 * @param {(Node | string)[][]} rows
 */
export function tableOf(className, names, rows) {
  return make("table", { className }, [
    make("thead", {}, [
      make(
        "tr",
        {},
        names.map((name) => make(name ? "th" : "td", name ? { scope: "col" } : {}, [name])),
      ),
    ]),
    make(
      "tbody",
      {},
      rows.map(([first, ...rest]) =>
        make("tr", {}, [
          make("th", { scope: "row" }, [first]),
          ...rest.map((cell) => make("td", {}, [cell])),
        ]),
      ),
    ),
  ]);
}
