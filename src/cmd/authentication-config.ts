import { readFileSync } from "node:fs";
import {
  type IssuerConfiguration,
  readIssuers,
} from "../apiserver/authentication/oidc/issuer-configuration.ts";
import { DEFAULT_ISSUER } from "../apiserver/token/token-issuer.ts";
import { decodeYaml } from "../format/yaml-decode.ts";
import { usage } from "./options.ts";

/** The outside issuers that a file names. @throws CommandError with exit code 2 */
export function readAuthenticationConfig(file: string | undefined): IssuerConfiguration[] {
  if (file === undefined) return [];
  try {
    return readIssuers(decodeYaml(readFileSync(file, "utf8")).value, DEFAULT_ISSUER);
  } catch (error) {
    throw usage(`--authentication-config "${file}": ${(error as Error).message}`);
  }
}
