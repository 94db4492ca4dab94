// @ts-check
/** The audit page: connects its parts. */

import { parseBackend, parseWeights } from "../common/recognizer-loader.js";
import { registerServiceWorker } from "../common/service-worker.js";
import { AuditView } from "../ui/audit/audit-view.js";
import { AuditController } from "./controller.js";
import { filesFromList, filesFromDrop } from "./files.js";

const query = new URLSearchParams(location.search);
const weights = query.get("weights");
const view = new AuditView({
  choose: (files) => void controller.receive(Promise.resolve(filesFromList(files))),
  drop: (transfer) => void controller.receive(filesFromDrop(transfer)),
  pause: () => controller.togglePause(),
  cancel: () => controller.cancel(),
  labels: (named) => controller.useNames(named),
  ignoreCase: (ignored) => controller.ignoreCase(ignored),
  compareSaved: (file) => void controller.compareWith(file),
  learningCurve: (file) => void controller.addLearningCurve(file),
  compareNext: () => controller.compareNext(),
  compareEnd: () => controller.endComparison(),
  backend(backend) {
    query.set("backend", backend);
    history.replaceState(null, "", `?${query}`);
    controller.changeBackend(backend);
  },
});
const controller = new AuditController(view, {
  backend: parseBackend(query.get("backend")),
  weightsName: weights ? weights.replace(/^.*\//, "") : "built-in",
  weights: () => parseWeights(weights),
});
registerServiceWorker();
