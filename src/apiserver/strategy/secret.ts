import type { KubeObject } from "../kube-object.ts";
import type { Strategy } from "./strategy.ts";

/** `stringData` is write-only: it moves into `data` as base64 and wins over it. */
function moveStringData(secret: KubeObject): void {
  const plain = secret["stringData"];
  if (typeof plain !== "object" || plain === null) return;
  const data = { ...(secret["data"] as Record<string, string> | undefined) };
  for (const [key, value] of Object.entries(plain)) {
    data[key] = Buffer.from(String(value)).toString("base64");
  }
  secret["data"] = data;
  delete secret["stringData"];
}

export const SECRET: Partial<Strategy> = {
  prepareCreate: moveStringData,
  prepareUpdate: moveStringData,
};
