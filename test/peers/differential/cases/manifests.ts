import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseAllDocuments } from "yaml";
import { BUILT_IN_RESOURCES } from "../../../../src/api/generated/resources.ts";
import { apiVersionOf, type Resource } from "../../../../src/api/resource.ts";
import { apply, type Case, type CaseRequest, get, patch, post, put, remove } from "../case.ts";
import { additionsOf, type Definitions, statusesOf } from "./additions.ts";
import { type Manifest, mutationsOf } from "./mutations.ts";

const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";
const FOLDER = path.resolve(import.meta.dirname, "../../../../../test/peers/manifests");

/** A manifest with what serves it. */
interface Served {
  title: string;
  manifest: Manifest;
  resource: Resource;
}

function readManifests(): Served[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".yaml"))
    .sort()
    .flatMap((file) =>
      parseAllDocuments(readFileSync(path.join(FOLDER, file), "utf8")).map((document) => {
        const manifest = document.toJS() as Manifest;
        const { apiVersion, kind, metadata } = manifest;
        const resource = BUILT_IN_RESOURCES.find(
          (one) => one.kind === kind && apiVersionOf(one) === apiVersion,
        );
        if (!resource) throw new Error(`${file}: nobody serves ${apiVersion} ${kind}`);
        return { title: `${path.parse(file).name} ${kind} ${metadata.name}`, manifest, resource };
      }),
    );
}

function collectionOf({ group, version, plural, namespaced }: Resource): string {
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`;
  return `${root}/${namespaced ? "namespaces/$ns/" : ""}${plural}`;
}

/** What happens to every object in its life. */
function lifeOf({ manifest, resource }: Served): CaseRequest[] {
  const collection = collectionOf(resource);
  const object = `${collection}/${manifest.metadata.name}`;
  const labels = { ...manifest.metadata.labels, seen: "yes" };
  const hasStatus = resource.subresources?.includes("status") ?? false;
  return [
    post(collection, manifest),
    get(object),
    get(object, TABLE),
    put(object, { ...manifest, metadata: { ...manifest.metadata, labels } }),
    patch(object, { metadata: { labels: { seen: null } } }),
    patch(object, { metadata: { annotations: { note: "1" } } }, "strategic"),
    apply(object, manifest, "fieldManager=applier&force=true"),
    ...(hasStatus
      ? [get(`${object}/status`), patch(`${object}/status`, { metadata: { labels: { s: "t" } } })]
      : []),
    remove(object, { gracePeriodSeconds: 0 }),
    get(object),
  ];
}

/** Every manifest created, changed in each way, and deleted. */
export function manifestCases(): Case[] {
  return readManifests().map((served) => ({ name: served.title, steps: lifeOf(served) }));
}

/** What 1.20 refuses in every form: mixed protocols, volumes that pods make themselves. */
const REFUSED_ANYWAY: readonly string[] = ["ingress Service edge", "monitoring Pod scratch"];

function mutable(): Served[] {
  return readManifests().filter(({ title }) => !REFUSED_ANYWAY.includes(title));
}

/** Every manifest with one thing wrong at a time; nothing of it is stored. */
export function mutationCases(): Case[] {
  return mutable().map(({ title, manifest, resource }) => ({
    name: `${title} mutated`,
    steps: mutationsOf(manifest).map(({ what, mutated }) =>
      post(`${collectionOf(resource)}?${dryRun(what)}`, mutated),
    ),
  }));
}

/** The same as changes of what is stored: what may be changed, and what it may become. */
export function updateCases(): Case[] {
  return mutable().map(({ title, manifest, resource }) => {
    const collection = collectionOf(resource);
    const object = `${collection}/${manifest.metadata.name}`;
    const changes = mutationsOf(manifest).map(({ what, mutated }, at) => {
      const query = dryRun(what);
      if (at % 3 === 0) return apply(object, mutated, `fieldManager=a&force=true&${query}`);
      return at % 3 === 1
        ? patch(`${object}?${query}`, mutated)
        : put(`${object}?${query}`, mutated);
    });
    return { name: `${title} updated`, steps: [post(collection, manifest), ...changes] };
  });
}

/** The manifest of each kind that says most. */
function representatives(): Served[] {
  const byKind = new Map<string, Served>();
  for (const served of mutable()) {
    const known = byKind.get(served.manifest.kind);
    if (known && sizeOf(known) >= sizeOf(served)) continue;
    byKind.set(served.manifest.kind, served);
  }
  return [...byKind.values()];
}

function sizeOf({ manifest }: Served): number {
  return JSON.stringify(manifest).length;
}

/** One manifest of each kind with one member more at a time, of all that 1.20 knows. */
export function additionCases(definitions: Definitions): Case[] {
  return representatives().map(({ title, manifest, resource }) => ({
    name: `${title} added to`,
    steps: additionsOf(manifest, definitions).map(({ what, mutated }) =>
      post(`${collectionOf(resource)}?${dryRun(what)}`, mutated),
    ),
  }));
}

/** What the status of one object of each kind may become. */
export function statusCases(definitions: Definitions): Case[] {
  const reporting = representatives().filter(({ resource }) =>
    resource.subresources?.includes("status"),
  );
  return reporting.map(({ title, manifest, resource }) => {
    const collection = collectionOf(resource);
    const status = `${collection}/${manifest.metadata.name}/status`;
    const steps = statusesOf(manifest, definitions).map(({ what, mutated }) =>
      patch(`${status}?${dryRun(what)}`, mutated),
    );
    return { name: `${title} reported`, steps: [post(collection, manifest), ...steps] };
  });
}

function dryRun(what: string): string {
  return `dryRun=All&mutation=${encodeURIComponent(what)}`;
}
