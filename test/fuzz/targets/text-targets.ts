import assert from "node:assert/strict";
import { StatusError } from "../../../src/api/errors.ts";
import {
  formatFieldSelector,
  parseFieldSelector,
} from "../../../src/api/selection/field-selector.ts";
import { splitPath } from "../../../src/apiserver/request/query.ts";
import { parseTarget } from "../../../src/apiserver/request/target.ts";
import { decodeContinue, encodeContinue } from "../../../src/apiserver/rest/continue-token.ts";
import { parseToken } from "../../../src/apiserver/token/jwt-codec.ts";
import { readClaims } from "../../../src/apiserver/token/token-claims.ts";
import { formatReference, parseReference } from "../../../src/format/oci/reference.ts";
import { CronError, nextCronTime, parseCron } from "../../../src/lib/cron.ts";
import { evaluateJsonPath, JsonPathError, parseJsonPath } from "../../../src/lib/json-path.ts";
import {
  formatLabelSelector,
  LabelSelectorError,
  matchesLabels,
  parseLabelSelector,
} from "../../../src/lib/labels.ts";
import {
  canonicalQuantity,
  compareQuantities,
  parseQuantity,
  QuantityError,
} from "../../../src/lib/quantity.ts";
import { type AnyTarget, textTarget } from "../fuzz-target.ts";
import { SAMPLE_OBJECTS } from "./sample-objects.ts";

const PREFIX = "default/";
const LABELS = { a: "b", "example.com/c": "1", d: "" };

const base64url = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString("base64url");

const TOKEN = `${base64url({ alg: "ES256", kid: "k" })}.${base64url({
  iss: "i",
  sub: "system:serviceaccount:a:b",
  aud: ["x"],
  exp: 2,
  nbf: 1,
  iat: 1,
  jti: "j",
  "kubernetes.io": { namespace: "a", serviceaccount: { name: "b", uid: "u" } },
})}.c2ln`;

/** Short texts: selectors, tokens, quantities, paths. */
export function textTargets(): readonly AnyTarget[] {
  return [...selectorTargets(), ...tokenTargets(), ...valueTargets()];
}

function selectorTargets(): readonly AnyTarget[] {
  return [
    textTarget({
      name: "label selectors",
      seeds: [
        "a=b,c!=d",
        "e in (x,y),f notin (z),g,!h",
        "i>1,j<2",
        "example.com/a==b",
        "in in (in)",
      ],
      refusals: [LabelSelectorError],
      run: (text) => {
        const requirements = parseLabelSelector(text);
        const again = parseLabelSelector(formatLabelSelector(requirements));
        assert.deepEqual(
          matchesLabels(again, LABELS),
          matchesLabels(requirements, LABELS),
          "a selector that was written and read means something else",
        );
        assert.equal(formatLabelSelector(again), formatLabelSelector(requirements));
      },
    }),
    textTarget({
      name: "field selectors",
      seeds: ["metadata.name=a,spec.nodeName!=b", "a==b\\,c\\=d\\\\", "status.phase="],
      refusals: [StatusError],
      run: (text) => {
        const requirements = parseFieldSelector(text);
        const again = parseFieldSelector(formatFieldSelector(requirements));
        assert.deepEqual(again, requirements);
      },
    }),
    textTarget({
      name: "request paths",
      seeds: [
        "/api/v1/namespaces/a/pods/b/log?tailLines=1&follow",
        "/apis/apps/v1/watch/deployments?labelSelector=a%3Db&x=%E0%A4%A",
        "/api/v1/nodes/n/proxy/a/b?c=d+e",
      ],
      refusals: [StatusError],
      run: (text) => {
        const { path, query } = splitPath(text);
        parseTarget(path);
        query.all("labelSelector").forEach(String);
        query.flag("watch");
      },
    }),
  ];
}

function tokenTargets(): readonly AnyTarget[] {
  return [
    textTarget({
      name: "continue tokens",
      seeds: [
        encodeContinue({ revision: 7, start: `${PREFIX}a\0` }, PREFIX),
        encodeContinue({ revision: -1, start: `${PREFIX}é` }, PREFIX),
        base64url({ v: "meta.k8s.io/v1", rv: 1, start: "../other/a" }),
      ],
      refusals: [StatusError],
      run: (text) => {
        const point = decodeContinue(text, PREFIX);
        assert.ok(point.start.startsWith(PREFIX), "it leads out of the namespace");
        assert.deepEqual(decodeContinue(encodeContinue(point, PREFIX), PREFIX), point);
      },
    }),
    textTarget({
      name: "service account tokens",
      seeds: [TOKEN],
      refusals: [],
      run: (text) => {
        const parsed = parseToken(text);
        if (parsed) readClaims(parsed.claims);
      },
    }),
  ];
}

function valueTargets(): readonly AnyTarget[] {
  return [
    textTarget({
      name: "quantities",
      seeds: ["1", "500m", "1.5Gi", "-0.000001n", "12e6", "1E", "+.5k", "9223372036854775807Ei"],
      refusals: [QuantityError],
      run: (text) => {
        const canonical = canonicalQuantity(text);
        assert.equal(canonicalQuantity(canonical), canonical);
        const quantity = parseQuantity(text);
        assert.equal(compareQuantities(quantity, quantity), 0);
      },
    }),
    textTarget({
      name: "schedules",
      seeds: ["*/5 0-3,7 1 JAN MON", "@daily", "@every 1h30m", "0 0 31 2 *", "TZ=UTC 1 1 1 1 1"],
      refusals: [CronError],
      run: (text) => {
        const schedule = parseCron(text);
        const atMs = Date.UTC(2024, 0, 1);
        const next = nextCronTime(schedule, atMs);
        assert.ok(next === undefined || next > atMs);
      },
    }),
    textTarget({
      name: "JSON paths",
      seeds: [
        "{.spec.containers[*].name}",
        ".status.conditions[?(@.type=='Ready')].status",
        "$..a",
      ],
      refusals: [JsonPathError],
      run: (text) => {
        for (const object of SAMPLE_OBJECTS) evaluateJsonPath(parseJsonPath(text), object);
      },
    }),
    textTarget({
      name: "image references",
      seeds: ["nginx:1.25", `registry.example.com:5000/a/b:c@sha256:${"0".repeat(64)}`, "a/b"],
      refusals: [],
      run: (text) => {
        const reference = parseReference(text);
        if (!reference) return;
        assert.deepEqual(parseReference(formatReference(reference)), reference);
      },
    }),
  ];
}
