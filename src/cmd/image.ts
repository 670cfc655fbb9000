import { constants, existsSync, readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { ImageError, type ImageStore, type LocalImage } from "../agent/image/contract.ts";
import { createImageStore } from "../agent/image/image-store.ts";
import { readProxyEnvironment } from "../agent/image/registry/proxy-rules.ts";
import { type KeyringEntry, parseDockerConfig } from "../format/oci/registry-credentials.ts";
import { silentLogger } from "../lib/logger.ts";
import { systemClock } from "../sys/clock.ts";
import { systemRandom } from "../sys/random.ts";
import { CommandError } from "./command-error.ts";
import { type DataDirectory, openDataDirectory } from "./data-directory.ts";
import { createImageUse } from "./images-in-use.ts";
import { readInstance } from "./instance.ts";
import { requireRoot } from "./require-root.ts";
import { commonFlags, parseFlagsAndWords, usage } from "./options.ts";

/** `nephos image import|pull|list|remove`: works on the store itself, whether Nephos runs or not. */
export async function image(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseFlagsAndWords(args, {
    ...commonFlags,
    name: { type: "string" },
    output: { type: "string", short: "o" },
    credentials: { type: "string" },
  });
  const [verb = "", operand = "", ...rest] = positionals;
  if (rest.length > 0) throw usage(`unexpected "${rest[0]}"`);
  requireRoot("work on images");
  requireWords(verb, operand);
  if (verb === "import") await requireReadable(operand);
  // What only looks, or takes away, makes nothing.
  const create = verb === "import" || verb === "pull";
  const directory = openDataDirectory(`${values["data-dir"]}`, { create });
  if (create) refuseForeign(directory, operand);
  if (!create && !existsSync(directory.images)) {
    if (verb === "list") return list([], values["output"] === "json");
    throw new CommandError(`Image "${operand}" is absent: there are none in ${directory.root}`);
  }
  const images = await createImageStore({
    directory: directory.images,
    registriesFile: directory.registries,
    proxies: readProxyEnvironment(process.env),
    isInUse: createImageUse(directory),
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  });
  try {
    switch (verb) {
      case "list":
        return list(images.list(), values["output"] === "json");
      case "import":
        return await importFile(images, operand, values["name"] as string | undefined);
      case "remove":
        await images.remove(operand);
        return 0;
      default:
        return await pull(images, operand, values["credentials"] as string | undefined);
    }
  } catch (error) {
    if (error instanceof ImageError) {
      const message =
        verb === "pull" ? `Cannot pull "${operand}": ${error.message}` : error.message;
      throw new CommandError(message, { cause: error });
    }
    throw error;
  }
}

/** Nobody would run it. @throws CommandError where another runtime has images of its own */
function refuseForeign({ instance, root }: DataDirectory, operand: string): void {
  const endpoint = readInstance(instance)?.settings?.["container-runtime-endpoint"];
  if (!endpoint) return;
  const why = `the pods of ${root} are run by ${endpoint}, with its own images`;
  const hint = "of containerd's, see: ctr --namespace k8s.io images import|pull";
  throw new CommandError(`Cannot bring "${operand}": ${why}; ${hint}`);
}

const OPERANDS: Readonly<Record<string, string>> = { import: "FILE", pull: "REF", remove: "REF" };

/** @throws CommandError for what is no command, or lacks a word */
function requireWords(verb: string, operand: string): void {
  if (verb === "push" || verb === "build") {
    throw new CommandError(`"image ${verb}" is not built yet; import an archive instead`);
  }
  const wanted = OPERANDS[verb];
  if (wanted === undefined && verb !== "list") {
    throw usage(`"image ${verb}" is not a command: use import, pull, list or remove`);
  }
  if (wanted !== undefined && operand === "") throw usage(`image ${verb} needs a ${wanted}`);
}

/** Before anything is created for it. @throws CommandError */
async function requireReadable(file: string): Promise<void> {
  try {
    await access(file, constants.R_OK);
  } catch (cause) {
    const message = `Cannot read image archive "${file}": ${(cause as Error).message}`;
    throw new CommandError(message, { cause });
  }
}

async function importFile(images: ImageStore, file: string, name?: string): Promise<number> {
  const imported = await images.import(file, name ? { name } : {});
  for (const { id, references } of imported) {
    process.stdout.write(`${references.join(", ") || "<none>"} ${id}\n`);
  }
  return 0;
}

/** `file` is a `config.json` as `docker login` writes it. */
async function pull(images: ImageStore, reference: string, file?: string): Promise<number> {
  let keyring: KeyringEntry[] = [];
  try {
    if (file !== undefined) keyring = parseDockerConfig(readFileSync(file, "utf8"));
  } catch (cause) {
    const message = `Cannot read credentials from "${file}": ${(cause as Error).message}`;
    throw new CommandError(message, { cause });
  }
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort(new CommandError("interrupted; a later pull goes on")));
  const image = await images.pull(reference, { keyring, signal: stop.signal });
  process.stdout.write(`${image.repoDigests?.[0] ?? reference} ${image.id}\n`);
  return 0;
}

function list(found: readonly LocalImage[], json: boolean): number {
  if (json) {
    const rows = found.map(({ id, references, sizeBytes }) => ({ id, references, sizeBytes }));
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return 0;
  }
  process.stdout.write(`${"IMAGE".padEnd(48)}${"ID".padEnd(16)}SIZE\n`);
  for (const { id, references, sizeBytes } of found) {
    for (const reference of references.length > 0 ? references : ["<none>"]) {
      const size = `${(sizeBytes / 1_048_576).toFixed(1)} MiB`;
      process.stdout.write(`${reference.padEnd(48)}${id.slice(7, 19).padEnd(16)}${size}\n`);
    }
  }
  return 0;
}
