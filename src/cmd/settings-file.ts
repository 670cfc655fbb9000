import { readFileSync } from "node:fs";
import { decodeYaml } from "../format/yaml-decode.ts";

/** What a file of settings says. @throws Error that tells why it cannot be read */
export function readSettingsFile(file: string): unknown {
  return decodeSettings(readFileSync(file, "utf8"));
}

/** YAML or JSON in which no key stands twice: nobody could tell which one is meant. */
export function decodeSettings(text: string): unknown {
  const { value, duplicates } = decodeYaml(text);
  if (duplicates.length > 0) throw new Error(duplicates.join("; "));
  return value;
}
