import type { ServiceSpec } from "../generated/types/core-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { goStrings } from "./go-text.ts";
import { isIp, isIpv4, validateIp } from "./values.ts";

const FAMILIES: readonly string[] = ["IPv4", "IPv6"];
const POLICIES: readonly string[] = ["PreferDualStack", "RequireDualStack", "SingleStack"];
const FIELD = "spec.clusterIPs";

/** Addresses of a Service and what is said of their families. */
export function validateClusterIps(errors: FieldErrors, spec: ServiceSpec): void {
  if (spec.type === "ExternalName") return;
  const { clusterIP = "", clusterIPs = [], ipFamilies = [] } = spec;
  const shown = goStrings(clusterIPs);
  if (clusterIP !== "" && clusterIPs.length === 0) errors.required(FIELD);
  else if (clusterIP !== "" && clusterIPs[0] !== clusterIP) {
    errors.invalid(FIELD, shown, "first value must match `clusterIP`");
  } else if (clusterIP === "" && clusterIPs.length > 0) {
    errors.invalid(FIELD, shown, "must be empty when `clusterIP` is not specified");
  }
  for (const [index, family] of ipFamilies.entries()) {
    errors.oneOf(`spec.ipFamilies[${index}]`, family, FAMILIES);
    if (ipFamilies.indexOf(family) < index) {
      errors.duplicate(`spec.ipFamilies[${index}]`, family);
    }
  }
  errors.oneOf("spec.ipFamilyPolicy", spec.ipFamilyPolicy, POLICIES);
  if (clusterIPs.length > 0) validateList(errors, clusterIPs, ipFamilies);
}

function validateList(
  errors: FieldErrors,
  ips: readonly string[],
  families: readonly string[],
): void {
  const shown = goStrings(ips);
  const headless = ips[0] === "None";
  let fine = true;
  if (headless && ips.length > 1) {
    errors.invalid(FIELD, shown, "'None' must be the first and only value");
    fine = false;
  }
  for (const [index, ip] of ips.entries()) {
    if (isIp(ip) || (headless && index === 0)) continue;
    validateIp(errors, `${FIELD}[${index}]`, ip);
    fine = false;
  }
  if (ips.length > 2) errors.invalid(FIELD, shown, "may only hold up to 2 values");
  if (!fine || headless) return;
  if (ips.length > 1 && ips.map(isIpv4).every((isV4, _, all) => isV4 === all[0])) {
    errors.invalid(FIELD, shown, "may specify no more than one IP for each IP family");
  }
  for (const [index, ip] of ips.entries()) {
    const family = families[index];
    if (!family || (family === "IPv4") === isIpv4(ip)) continue;
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
    errors.invalid(`${FIELD}[${index}]`, ip, detail);
  }
}

/** Addresses and families stay; a second one may come and go. */
export function validateClusterIpsUpdate(
  errors: FieldErrors,
  spec: ServiceSpec,
  old: ServiceSpec,
): void {
  if (spec.type === "ExternalName" || old.type === "ExternalName") return;
  const [headless, wasHeadless] = [isHeadless(spec), isHeadless(old)];
  if (!headless || !wasHeadless) {
    const of = { now: spec.clusterIPs ?? [], old: old.clusterIPs ?? [], spec };
    validateKept(errors, FIELD, { ...of, what: "clusterIP", at: (index) => index });
  }
  if (headless || wasHeadless) return;
  const of = { now: spec.ipFamilies ?? [], old: old.ipFamilies ?? [], spec };
  // Whichever family it is, the first is told.
  validateKept(errors, "spec.ipFamilies", { ...of, what: "ipFamily", at: () => 0 });
}

function isHeadless({ clusterIPs = [] }: ServiceSpec): boolean {
  return clusterIPs.length === 1 && clusterIPs[0] === "None";
}

/** A list whose first value stays, and whose second goes only when one family is asked for. */
function validateKept(
  errors: FieldErrors,
  field: string,
  of: {
    now: readonly string[];
    old: readonly string[];
    spec: ServiceSpec;
    what: "clusterIP" | "ipFamily";
    at(index: number): number;
  },
): void {
  const { now, old, what } = of;
  const shown = goStrings(now);
  const same = Math.min(now.length, old.length, now.length === old.length ? 2 : 1);
  for (let index = 0; index < same; index += 1) {
    if (now[index] === old[index]) continue;
    errors.invalid(`${field}[${of.at(index)}]`, shown, "may not change once set");
  }
  if (now.length >= old.length) return;
  if (now.length === 0) errors.invalid(`${field}[0]`, shown, `primary ${what} can not be unset`);
  if (now.length !== 1 || of.spec.ipFamilyPolicy === "SingleStack") return;
  const detail = `must be set to 'SingleStack' when releasing the secondary ${what}`;
  errors.invalid("spec.ipFamilyPolicy", of.spec.ipFamilyPolicy, detail);
}
