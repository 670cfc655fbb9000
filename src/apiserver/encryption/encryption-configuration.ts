import { ConfigurationReader } from "../../lib/configuration-reader.ts";
import type {
  EncryptionEntry,
  EncryptionProvider,
} from "../../store/encryption/encryption-rules.ts";
import type { KmsConfiguration } from "./kms-provider.ts";
import { AES_KEY_BYTES } from "../../store/encryption/value-cipher.ts";

/** As it stands in the file: a service of keys is not connected yet. */
export type ConfiguredProvider =
  | Exclude<EncryptionProvider, { type: "kms" }>
  | ({ type: "kms" } & KmsConfiguration);

const KMS_TIMEOUT_MS = 3_000;
const SUBJECT = "the encryption configuration";
const PROVIDERS = ["kms", "aesgcm", "aescbc", "secretbox", "identity"] as const;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** What is kept beside objects, and no resource. */
const NO_RESOURCES: readonly string[] = [
  "apiserveripinfo",
  "serviceipallocations",
  "servicenodeportallocations",
];

/**
 * Reads an `EncryptionConfiguration` of `apiserver.config.k8s.io/v1` from decoded YAML or JSON, by
 * the rules of kube-apiserver 1.32. Keys never stand in messages.
 * @throws ConfigurationFileError that says which field wants what
 */
export function readEncryptionConfiguration(
  document: unknown,
): EncryptionEntry<ConfiguredProvider>[] {
  const root = new ConfigurationReader(document, { subject: SUBJECT });
  root.requireKind({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "EncryptionConfiguration",
  });
  const entries = root.list("resources");
  if (entries.length === 0) throw root.error("resources", "must have at least one item");
  root.refuseOthers();
  const names = new Set<string>();
  return entries.map((from) => {
    const resources = readResources(from);
    const providers = from.list("providers");
    if (providers.length === 0) throw from.error("providers", "must have at least one item");
    from.refuseOthers();
    return { resources, providers: providers.map((each) => readProvider(each, names)) };
  });
}

function readResources(from: ConfigurationReader): string[] {
  const resources = from.texts("resources");
  if (resources.length === 0) throw from.error("resources", "must have at least one item");
  for (const [at, resource] of resources.entries()) {
    const complaint = complaintAbout(resource);
    if (complaint) throw from.error(`resources[${at}]`, complaint);
  }
  const names = resources.map((resource) => (resource.includes(".") ? resource : `${resource}.`));
  if (new Set(names).size < names.length) {
    throw from.error("resources", "must not name a resource twice");
  }
  const isCovered = names.some((name) => {
    const group = name.slice(name.indexOf(".") + 1);
    return (
      (name !== "*.*" && names.includes("*.*")) ||
      (name !== `*.${group}` && names.includes(`*.${group}`))
    );
  });
  if (isCovered) {
    throw from.error("resources", "must not name a resource beside a wildcard that covers it");
  }
  return resources;
}

function complaintAbout(resource: string): string | undefined {
  const [name = "", ...groups] = resource.split(".");
  const group = groups.join(".");
  if (resource !== resource.toLowerCase()) return "must not have capital letters";
  if (resource === "*") return 'must be "*." for the core group or "*.*" for all resources';
  if (name === "") return "must name a resource";
  if (NO_RESOURCES.includes(resource)) return "must be a resource of the API";
  if (group === "events.k8s.io") return 'must be "events", under which these objects are stored';
  if (group === "extensions") return "must not be of the group extensions, which is gone";
  if (group === "*" && name !== "*") return "must not be one resource of all groups";
  return undefined;
}

function readProvider(from: ConfigurationReader, kmsNames: Set<string>): ConfiguredProvider {
  const given = PROVIDERS.filter((name) => from.value(name) !== undefined);
  from.refuseOthers();
  const [type] = given;
  if (type === undefined) throw from.error("", `must have one of ${PROVIDERS.join(", ")}`);
  if (given.length > 1) throw from.error("", "must have one provider; list the others apart");
  const provider = from.object(type);
  if (type === "kms") return readKms(provider, kmsNames);
  if (type === "identity") {
    provider.refuseOthers();
    return { type };
  }
  const keys = provider.list("keys");
  provider.refuseOthers();
  if (keys.length === 0) throw provider.error("keys", "must have at least one item");
  const sizes = type === "secretbox" ? [32] : AES_KEY_BYTES;
  return { type, keys: keys.map((key) => readKey(key, sizes)) };
}

function readKms(from: ConfigurationReader, names: Set<string>): ConfiguredProvider {
  if (from.text("apiVersion") !== "v2") {
    throw from.error("apiVersion", "must be v2; v1 is off in Kubernetes since 1.29");
  }
  const name = from.requiredText("name");
  if (name.includes(":")) throw from.error("name", 'must not contain ":"');
  if (names.has(name)) throw from.error("name", "must not be that of another provider");
  names.add(name);
  const [, socketPath] = /^unix:\/\/(\/.+)$/.exec(from.requiredText("endpoint")) ?? [];
  if (!socketPath) throw from.error("endpoint", 'must be a socket such as "unix:///run/kms.sock"');
  const timeoutMs = from.durationMs("timeout") ?? KMS_TIMEOUT_MS;
  if (timeoutMs <= 0) throw from.error("timeout", "must be longer than nothing");
  from.refuseOthers();
  return { type: "kms", name, socketPath, timeoutMs };
}

function readKey(
  from: ConfigurationReader,
  sizes: readonly number[],
): { name: string; secret: Uint8Array } {
  const name = from.requiredText("name");
  const text = from.requiredText("secret");
  from.refuseOthers();
  if (!BASE64.test(text)) throw from.error("secret", "must be encoded in base64");
  const secret = Buffer.from(text, "base64");
  if (!sizes.includes(secret.length)) {
    const wanted = sizes.join(" or ");
    throw from.error("secret", `must have ${wanted} bytes, not ${secret.length}`);
  }
  return { name, secret };
}
