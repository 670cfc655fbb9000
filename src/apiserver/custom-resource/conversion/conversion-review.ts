import type { KubeObject } from "../../kube-object.ts";

const GROUP = "apiextensions.k8s.io";
const VERSIONS: readonly string[] = ["v1", "v1beta1"];

type Json = Record<string, unknown>;

/** The first version in the webhook's order that this server speaks. @throws Error */
export function conversionVersionOf(accepted: readonly string[]): string {
  const version = accepted.find((each) => VERSIONS.includes(each));
  if (version) return version;
  throw new Error("no supported conversion review versions");
}

/** The review to send. */
export function createConversionReview(
  objects: readonly KubeObject[],
  of: { uid: string; version: string; desiredAPIVersion: string },
): Json {
  const { uid, version, desiredAPIVersion } = of;
  return {
    kind: "ConversionReview",
    apiVersion: `${GROUP}/${version}`,
    request: { uid, desiredAPIVersion, objects },
  };
}

/** What came back, one for each object that was sent. @throws Error in the words of upstream */
export function readConversionReview(
  answer: unknown,
  asked: { uid: string; version: string; count: number },
): Json[] {
  const review = asObject(answer);
  if (asked.version === "v1") {
    const { apiVersion, kind } = review;
    if (apiVersion !== `${GROUP}/v1` || kind !== "ConversionReview") {
      const wanted = `${GROUP}/v1, Kind=ConversionReview`;
      throw new Error(
        `expected webhook response of ${wanted}, got ${textOf(apiVersion)}, Kind=${textOf(kind)}`,
      );
    }
  }
  if (!isObject(review["response"])) throw new Error("no response provided");
  const { uid, result, convertedObjects } = review["response"];
  if (asked.version === "v1" && uid !== asked.uid) {
    const [wanted, got] = [JSON.stringify(asked.uid), JSON.stringify(textOf(uid))];
    throw new Error(`expected response.uid=${wanted}, got ${got}`);
  }
  const { status, message } = asObject(result);
  if (status !== "Success") {
    throw new Error(
      textOf(message) || `response.result.status was '${textOf(status)}', not 'Success'`,
    );
  }
  const objects = Array.isArray(convertedObjects) ? (convertedObjects as unknown[]) : [];
  if (objects.length !== asked.count) {
    throw new Error(`returned ${objects.length} objects, expected ${asked.count}`);
  }
  return objects.map(asObject);
}

/**
 * A converted object with the metadata of the original: a webhook may change labels and
 * annotations, nothing else. @throws Error for one that became another object
 */
export function acceptConverted(
  converted: Json,
  original: KubeObject,
  desiredAPIVersion: string,
): KubeObject {
  const { apiVersion, kind } = converted;
  if (apiVersion !== desiredAPIVersion) {
    const versions = `(expected ${desiredAPIVersion}, received ${textOf(apiVersion)})`;
    throw new Error(`invalid groupVersion ${versions}`);
  }
  if (kind !== original.kind) {
    throw new Error(`invalid kind (expected ${original.kind}, received ${textOf(kind)})`);
  }
  const metadata = asObject(converted["metadata"]);
  for (const [field, name] of IDENTITY) {
    const [is, was] = [textOf(metadata[field]), textOf(original.metadata[field])];
    if (is !== was) throw new Error(`must have the same ${name}: ${is} != ${was}`);
  }
  const kept = { ...original.metadata };
  for (const field of ["labels", "annotations"] as const) {
    const texts = metadata[field] ?? undefined;
    if (texts === undefined) delete kept[field];
    else if (isTexts(texts)) kept[field] = texts;
    else throw new Error(`metadata.${field}: must be a map of texts`);
  }
  return { ...converted, apiVersion: desiredAPIVersion, metadata: kept };
}

const IDENTITY = [
  ["name", "name"],
  ["namespace", "namespace"],
  ["uid", "UID"],
] as const;

function isTexts(value: unknown): value is Record<string, string> {
  return isObject(value) && Object.values(value).every((text) => typeof text === "string");
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
