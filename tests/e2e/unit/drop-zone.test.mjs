// @ts-check
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { dropZone } from "../../../web/src/ui/drop-zone.js";

/** A drop zone that records its calls. */
function zone() {
  const element = new EventTarget();
  /** @type {unknown[]} */
  const calls = [];
  dropZone(element, {
    over: (isOver) => calls.push(isOver),
    drop: (transfer) => calls.push(transfer),
  });
  /** @type {(type: string, dataTransfer: { types: string[] } | null) => boolean} whether it was handled */
  const send = (type, dataTransfer) => {
    const event = Object.assign(new Event(type, { cancelable: true }), { dataTransfer });
    return !element.dispatchEvent(event);
  };
  return { calls, send };
}

const FILES = { types: ["Files"] };

describe("drop zone", () => {
  test("tells when files enter and leave it, whatever its child elements send", () => {
    const { calls, send } = zone();
    for (const type of ["dragenter", "dragenter", "dragleave"]) send(type, FILES);
    assert.deepEqual(calls, [true, true, true]);
    send("dragleave", FILES);
    send("dragleave", FILES);
    assert.deepEqual(calls.slice(3), [false, false]);
  });

  test("takes files that are dropped", () => {
    const { calls, send } = zone();
    send("dragenter", FILES);
    assert.ok(send("dragover", FILES), "else the browser does not allow the drop");
    assert.ok(send("drop", FILES), "else the browser opens the files");
    assert.deepEqual(calls, [true, false, FILES]);
  });

  test("ignores text that is dragged", () => {
    const { calls, send } = zone();
    for (const type of ["dragenter", "dragover", "drop", "dragleave"]) {
      assert.ok(!send(type, { types: ["text/plain"] }));
      assert.ok(!send(type, null));
    }
    assert.deepEqual(calls, []);
  });
});
