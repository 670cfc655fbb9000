import { test } from "node:test";
import type { MetricSpec, MetricTarget } from "../../api/generated/types/autoscaling-v2.ts";
import {
  ACTIVE,
  DONE,
  GOT,
  KEPT,
  NOW,
  TOO_MANY,
  look,
  quickly,
  type Adapted,
  type Look,
} from "./autoscaler-look-fixture.ts";

// The facts of these rows are upstream's (docs/conformance/controller-tables.md).

const value = (text: string): MetricTarget => ({ type: "Value", value: text });
const average = (text: string): MetricTarget => ({ type: "AverageValue", averageValue: text });
const metric = { name: "qps" };
const ofPods = (text: string): MetricSpec[] => [
  { type: "Pods", pods: { metric, target: average(text) } },
];
const describedObject = { apiVersion: "apps/v1", kind: "Deployment", name: "some" };
const ofObject = (target: MetricTarget): MetricSpec[] => [
  { type: "Object", object: { metric, describedObject, target } },
];
const external = (target: MetricTarget): MetricSpec[] => [
  { type: "External", external: { metric: { ...metric, selector: {} }, target } },
];
const ofContainer = (averageUtilization: number): MetricSpec[] => {
  const target = { type: "Utilization", averageUtilization };
  return [
    { type: "ContainerResource", containerResource: { name: "cpu", container: "c", target } },
  ];
};
const podValues = (...values: string[]): Adapted => [
  "namespaces/default/pods/*/qps?labelSelector=app%3Dweb",
  values,
];
const objectValue = (text: string): Adapted => [
  "namespaces/default/deployments.apps/some/qps",
  [text],
];
const externalValue = (text: string): Adapted => ["namespaces/default/qps", [text]];

const MORE = [300, 500, 700];
const LESS = [100, 300, 500, 250, 250];
const fresh = { isNew: true };
const both = { isUnready: true, isNew: true };

const rows: Look[] = [
  { title: "more use of a container", from: 3, use: MORE, metrics: ofContainer(30), to: 5 },
  {
    title: "more of each pod",
    from: 3,
    metrics: ofPods("15"),
    adapted: podValues("20", "10", "30"),
    to: 4,
  },
  {
    title: "more of each pod, one just started and not ready",
    from: 3,
    metrics: ofPods("15"),
    adapted: podValues("50", "10", "30"),
    facts: [{}, {}, both],
    to: 6,
  },
  {
    title: "much more of each pod, two just started and not ready",
    from: 3,
    metrics: ofPods("15"),
    adapted: podValues("50", "15", "30"),
    facts: [both, {}, both],
    to: 6,
    conditions: [DONE, ACTIVE, TOO_MANY],
  },
  {
    title: "much more of each pod, two just started",
    from: 3,
    metrics: ofPods("15"),
    adapted: podValues("50", "15", "30"),
    facts: [fresh, {}, fresh],
    to: 6,
    conditions: [DONE, ACTIVE, TOO_MANY],
  },
  {
    title: "more of an object",
    from: 3,
    metrics: ofObject(value("15")),
    adapted: objectValue("20"),
    to: 4,
  },
  {
    title: "more of an object than none should do",
    bounds: [0, 6],
    from: 0,
    metrics: ofObject(value("15")),
    adapted: objectValue("20"),
    to: 2,
  },
  {
    title: "as much of an object as one should do, and there is none",
    bounds: [0, 6],
    from: 0,
    metrics: ofObject(value("1")),
    adapted: objectValue("1"),
    to: 1,
  },
  {
    title: "more of an object for each pod",
    from: 3,
    metrics: ofObject(average("10")),
    adapted: objectValue("40"),
    to: 4,
  },
  {
    title: "more from outside",
    from: 3,
    metrics: external(value("6666m")),
    adapted: externalValue("8600m"),
    to: 4,
  },
  {
    title: "more from outside for each pod",
    from: 3,
    metrics: external(average("2222m")),
    adapted: externalValue("8600m"),
    to: 4,
  },
  {
    title: "less use of a container",
    from: 5,
    use: LESS,
    metrics: ofContainer(50),
    spec: quickly,
    to: 3,
  },
  {
    title: "less of each pod",
    from: 5,
    metrics: ofPods("20"),
    adapted: podValues("12", "12", "12", "12", "12"),
    spec: quickly,
    to: 3,
  },
  {
    title: "less of an object",
    from: 5,
    metrics: ofObject(value("20")),
    adapted: objectValue("12"),
    spec: quickly,
    to: 3,
  },
  {
    title: "nothing of an object",
    bounds: [0, 6],
    from: 5,
    metrics: ofObject(value("20")),
    adapted: objectValue("0"),
    spec: quickly,
    to: 0,
  },
  {
    title: "less of an object for each pod",
    from: 5,
    metrics: ofObject(average("20")),
    adapted: objectValue("60"),
    spec: quickly,
    to: 3,
  },
  {
    title: "less from outside",
    from: 5,
    metrics: external(value("14400m")),
    adapted: externalValue("8600m"),
    spec: quickly,
    to: 3,
  },
  {
    title: "nothing from outside",
    bounds: [0, 6],
    from: 5,
    metrics: external(value("14400m")),
    adapted: externalValue("0"),
    spec: quickly,
    to: 0,
  },
  {
    title: "less from outside for each pod",
    from: 5,
    metrics: external(average("3")),
    adapted: externalValue("8600m"),
    spec: quickly,
    to: 3,
  },
  {
    title: "about as much of each pod as wanted",
    bounds: [1, 5],
    from: 3,
    metrics: ofPods("20"),
    adapted: podValues("20", "20001m", "21"),
    to: 3,
    conditions: KEPT,
  },
  {
    title: "about as much of an object as wanted",
    bounds: [1, 5],
    from: 3,
    metrics: ofObject(value("20")),
    adapted: objectValue("20050m"),
    to: 3,
    conditions: KEPT,
  },
  {
    title: "about as much from outside as wanted",
    from: 4,
    metrics: external(value("8666m")),
    adapted: externalValue("8600m"),
    to: 4,
    conditions: KEPT,
  },
  {
    title: "about as much of an object for each pod as wanted",
    from: 4,
    metrics: ofObject(average("2200m")),
    adapted: objectValue("8600m"),
    to: 4,
    conditions: KEPT,
  },
  {
    title: "about as much from outside for each pod as wanted",
    from: 4,
    metrics: external(average("2200m")),
    adapted: externalValue("8600m"),
    to: 4,
    conditions: KEPT,
  },
  {
    title: "nobody tells of each pod",
    from: 3,
    metrics: ofPods("15"),
    to: 3,
    conditions: [GOT, "False FailedGetPodsMetric"],
  },
  {
    title: "nobody tells of the object",
    from: 3,
    metrics: ofObject(value("15")),
    to: 3,
    conditions: [GOT, "False FailedGetObjectMetric"],
  },
  {
    title: "nobody outside tells",
    from: 3,
    metrics: external(value("300m")),
    to: 3,
    conditions: [GOT, "False FailedGetExternalMetric"],
  },
  {
    title: "more of each pod, just after a change",
    bounds: [1, 5],
    from: 3,
    metrics: ofPods("15"),
    adapted: podValues("20", "10", "30"),
    lastScaleTime: NOW,
    to: 4,
  },
  {
    title: "more of each pod and much more use, just after a change",
    bounds: [1, 5],
    from: 3,
    use: [20_000, 10_000, 30_000],
    percent: 10,
    metrics: ofPods("15"),
    adapted: podValues("20", "10", "30"),
    lastScaleTime: NOW,
    to: 5,
    conditions: [DONE, ACTIVE, TOO_MANY],
  },
  {
    title: "more use, and nobody outside tells",
    from: 3,
    use: [300, 400, 500],
    percent: 30,
    metrics: external(value("100m")),
    to: 4,
    told: 40,
  },
  {
    title: "less use, and nobody outside tells",
    from: 5,
    use: LESS,
    percent: 50,
    metrics: external(value("1")),
    spec: quickly,
    to: 5,
    conditions: [GOT, "False FailedGetExternalMetric"],
  },
];

for (const row of rows) test(`one look: ${row.title}`, () => look(row));
