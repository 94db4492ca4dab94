// @ts-check
/** The losses of a run over time, in a bounded number of points. Pure. */

/** @import { Losses, StepReport, Validation } from "./types.js" */

/** The most points of the training loss. With more, neighbours are merged. */
const MAX_POINTS = 400;
/** Steps in a point, before points are merged. */
const STEPS_PER_POINT = 5;

/** @returns {Losses} */
export function noLosses() {
  return {
    training: [],
    perPoint: STEPS_PER_POINT,
    rest: { steps: 0, sum: 0 },
    validations: [],
  };
}

/**
 * Adds the loss of a step to the mean of its neighbours.
 *
 * @param {Losses} losses
 * @param {Pick<StepReport, "loss" | "seconds">} report
 * @returns {Losses}
 */
export function addStep(losses, { loss, seconds }) {
  if (!Number.isFinite(loss)) return losses;
  const rest = { steps: losses.rest.steps + 1, sum: losses.rest.sum + loss };
  if (rest.steps < losses.perPoint) return { ...losses, rest };
  const training = [...losses.training, { seconds, loss: rest.sum / rest.steps }];
  const full = training.length > MAX_POINTS;
  return {
    ...losses,
    training: full ? merged(training) : training,
    perPoint: full ? 2 * losses.perPoint : losses.perPoint,
    rest: { steps: 0, sum: 0 },
  };
}

/**
 * @param {Losses} losses
 * @param {Validation} validation
 * @returns {Losses}
 */
export function addValidation(losses, validation) {
  return { ...losses, validations: [...losses.validations, validation] };
}

/**
 * Each two neighbours as one point; the last one alone where the number is odd.
 *
 * @param {Losses["training"]} points
 */
function merged(points) {
  return points.flatMap((point, i) => {
    if (i % 2 === 0) return i + 1 < points.length ? [] : [point];
    return [{ seconds: point.seconds, loss: (point.loss + points[i - 1].loss) / 2 }];
  });
}

/**
 * The upper end of an axis for values up to this, with a quarter that has few digits.
 *
 * @param {number} most
 */
export function niceCeiling(most) {
  if (!(most > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 4, 8, 10].find((factor) => factor * power >= most * 0.999) ?? 10) * power;
}
