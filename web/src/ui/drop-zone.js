// @ts-check
/** Files that are dropped on the page. */

/**
 * Lets files be dropped on an element. Anything else that is dragged, such as text, is left alone.
 *
 * @param {EventTarget} element
 * @param {object} on
 * @param {(transfer: DataTransfer) => void} on.drop
 * @param {(isOver: boolean) => void} on.over called when files enter or leave the element
 */
export function dropZone(element, on) {
  let depth = 0; // each child element sends dragenter and dragleave, too
  const setDepth = (/** @type {number} */ value) => {
    depth = Math.max(value, 0);
    on.over(depth > 0);
  };
  /** @type {Record<string, (transfer: DataTransfer) => void>} */
  const handlers = {
    dragenter: () => setDepth(depth + 1),
    dragleave: () => setDepth(depth - 1),
    dragover: () => {},
    drop(transfer) {
      setDepth(0);
      on.drop(transfer);
    },
  };
  for (const [type, handle] of Object.entries(handlers)) {
    element.addEventListener(type, (event) => {
      const { dataTransfer } = /** @type {DragEvent} */ (event);
      if (!dataTransfer?.types.includes("Files")) return;
      event.preventDefault(); // else the browser opens the files
      handle(dataTransfer);
    });
  }
}
