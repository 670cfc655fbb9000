import { SCORE_MAX } from "../framework/contract.ts";
import type { ResourceScore } from "../framework/resource-scorer.ts";

/** Prefers emptier nodes: the mean free share. */
export const leastAllocatedScore: ResourceScore = (parts, count) => {
  let sum = 0;
  let weights = 0;
  for (let at = 0; at < count; at++) {
    const { allocatable, requested, weight } = parts[at] as (typeof parts)[number];
    if (allocatable === 0) continue;
    weights += weight;
    if (requested > allocatable) continue;
    sum += weight * Math.floor(((allocatable - requested) * SCORE_MAX) / allocatable);
  }
  return weights === 0 ? 0 : Math.floor(sum / weights);
};

/** Prefers fuller nodes: the mean used share. */
export const mostAllocatedScore: ResourceScore = (parts, count) => {
  let sum = 0;
  let weights = 0;
  for (let at = 0; at < count; at++) {
    const { allocatable, requested, weight } = parts[at] as (typeof parts)[number];
    if (allocatable === 0) continue;
    weights += weight;
    sum += weight * Math.floor((Math.min(requested, allocatable) * SCORE_MAX) / allocatable);
  }
  return weights === 0 ? 0 : Math.floor(sum / weights);
};

/** Scores of a shape go to 10, those of nodes to 100. */
const SHAPE_FACTOR = 10;

/** Scores the used share by straight lines between the points of a shape. */
export function capacityRatioScore(
  shape: readonly { utilization: number; score: number }[],
): ResourceScore {
  const points = shape.map(({ utilization, score }) => ({
    x: utilization,
    y: score * SHAPE_FACTOR,
  }));
  const valueAt = (x: number): number => {
    for (const [at, point] of points.entries()) {
      if (x > point.x) continue;
      const before = points[at - 1];
      if (!before) return point.y;
      return before.y + Math.trunc(((point.y - before.y) * (x - before.x)) / (point.x - before.x));
    }
    return points.at(-1)?.y ?? 0;
  };
  return (parts, count) => {
    let sum = 0;
    let weights = 0;
    for (let at = 0; at < count; at++) {
      const { allocatable, requested, weight } = parts[at] as (typeof parts)[number];
      const isFull = allocatable === 0 || requested > allocatable;
      const score = valueAt(isFull ? 100 : Math.trunc((requested * 100) / allocatable));
      if (score <= 0) continue;
      sum += score * weight;
      weights += weight;
    }
    return weights === 0 ? 0 : Math.round(sum / weights);
  };
}

/** Prefers nodes whose resources are used up alike: the standard deviation of the used shares. */
export const balancedScore: ResourceScore = (parts, count) => {
  let known = 0;
  let total = 0;
  let first = 0;
  let second = 0;
  for (let at = 0; at < count; at++) {
    const { allocatable, requested } = parts[at] as (typeof parts)[number];
    if (allocatable === 0) continue;
    const share = Math.min(1, requested / allocatable);
    if (known === 0) first = share;
    else if (known === 1) second = share;
    known++;
    total += share;
  }
  let deviation = 0;
  if (known === 2) deviation = Math.abs((first - second) / 2);
  else if (known > 2) deviation = deviationFrom(total / known, { parts, count, known });
  return Math.floor((1 - deviation) * SCORE_MAX);
};

function deviationFrom(
  mean: number,
  of: { parts: Parameters<ResourceScore>[0]; count: number; known: number },
): number {
  let squares = 0;
  for (let at = 0; at < of.count; at++) {
    const { allocatable, requested } = of.parts[at] as (typeof of.parts)[number];
    if (allocatable === 0) continue;
    squares += (Math.min(1, requested / allocatable) - mean) ** 2;
  }
  return Math.sqrt(squares / of.known);
}
