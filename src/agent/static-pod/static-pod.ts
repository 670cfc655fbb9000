import { createHash } from "node:crypto";
import { PODS } from "../../api/generated/resources.ts";
import type { Pod, PodSpec } from "../../api/generated/types/core-v1.ts";
import { builtInModel } from "../../api/schema/built-in-model.ts";
import { createDecoder } from "../../api/schema/decode.ts";
import { applyDefaults } from "../../api/schema/defaults.ts";
import { validateObject } from "../../api/validation/validate-object.ts";
import { decodeYaml } from "../../format/yaml-decode.ts";
import { formatTime } from "../../lib/clock.ts";
import { CONFIG_HASH, CONFIG_SOURCE } from "./contract.ts";

const UID_LENGTH = 32;

/** A file that is no pod; the message says what is wrong with it. */
export class ManifestError extends Error {
  override name = "ManifestError";
}

/** Reads a manifest, in YAML or JSON, as the pod that `nodeName` runs. @throws ManifestError */
export function staticPodOf(
  text: string,
  of: { file: string; nodeName: string; nowMs: number },
): Pod {
  const { file, nodeName, nowMs } = of;
  const pod = decodePod(text);
  const hash = createHash("sha256").update(`${nodeName}\0${file}\0${text}`).digest("hex");
  const uid = hash.slice(0, UID_LENGTH);
  const { name = "", namespace = "default", labels, annotations } = pod.metadata ?? {};
  const told: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `${name}-${nodeName}`,
      namespace,
      uid,
      ...(labels ? { labels } : {}),
      annotations: {
        ...annotations,
        [CONFIG_HASH]: uid,
        [CONFIG_SOURCE]: "file",
        "kubernetes.io/config.seen": formatTime(nowMs),
      },
    },
    spec: {
      ...(pod.spec as PodSpec),
      nodeName,
      tolerations: [...(pod.spec?.tolerations ?? []), { operator: "Exists", effect: "NoExecute" }],
    },
    status: { phase: "Pending" },
  };
  const [problem] = validateObject(PODS, told);
  if (problem) throw new ManifestError(`${problem.field}: ${problem.message}`);
  return told;
}

function decodePod(text: string): Pod {
  let value: unknown;
  try {
    value = decodeYaml(text).value;
  } catch (error) {
    throw new ManifestError((error as Error).message, { cause: error });
  }
  const { apiVersion, kind } = (value ?? {}) as { apiVersion?: unknown; kind?: unknown };
  if (apiVersion !== "v1" || kind !== "Pod") {
    throw new ManifestError(`the file must hold one Pod of v1, not "${kind}" of "${apiVersion}"`);
  }
  const { object, errors, unknownFields } = createDecoder(builtInModel()).decode(
    "core/v1.Pod",
    value,
  );
  const [problem] = [...errors, ...unknownFields];
  if (problem !== undefined) throw new ManifestError(problem);
  applyDefaults({ group: "", version: "v1", kind: "Pod" }, object);
  return object;
}
