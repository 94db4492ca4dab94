// @ts-check
/** The audit page: connects its parts. */

import { nameOfWeights, parseBackend, parseWeights } from "../common/recognizer-loader.js";
import { BUILT_IN, ModelChoice } from "../common/model-choice.js";
import { registerServiceWorker } from "../common/service-worker.js";
import { AuditView } from "../ui/audit/audit-view.js";
import { ModelMenu } from "../ui/model-menu.js";
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
  otherModel(id) {
    models.choose(id);
    controller.readAgain();
  },
  compareSaved: (file) => void controller.compareWith(file),
  learningCurve: (file) => void controller.addLearningCurve(file),
  compareNext: () => controller.compareNext(),
  compareEnd: () => controller.endComparison(),
  backend(backend) {
    setQuery("backend", backend);
    controller.changeBackend(backend);
  },
});
const menu = new ModelMenu({
  choose: (id) => models.choose(id),
  open: (file) => void models.add(file),
  remove: () => void models.remove(),
});
const models = new ModelChoice(menu, {
  id: query.get("model") ?? "",
  builtInName: nameOfWeights(weights) ?? BUILT_IN,
  onChange(id, by) {
    setQuery("model", id);
    controller.changeModel(by);
  },
});
const controller = new AuditController(view, {
  backend: parseBackend(query.get("backend")),
  weights: () => parseWeights(weights),
  models,
});
void models.start();
registerServiceWorker();

/**
 * @param {string} name
 * @param {string} value empty if it is the default
 */
function setQuery(name, value) {
  if (value) query.set(name, value);
  else query.delete(name);
  history.replaceState(null, "", `?${query}`);
}
