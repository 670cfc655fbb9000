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
  if (ips.length > 1 && ips.includes("None")) {
    errors.invalid(FIELD, shown, "'None' must be the first and only value");
  }
  if (ips[0] === "None") return;
  let fine = true;
  for (const [index, ip] of ips.entries()) {
    if (isIp(ip) || ip === "None") continue;
    validateIp(errors, `${FIELD}[${index}]`, ip);
    fine = false;
  }
  if (ips.length > 2) errors.invalid(FIELD, shown, "may only hold up to 2 values");
  if (!fine) return;
  if (ips.length === 2 && isIpv4(ips[0] ?? "") === isIpv4(ips[1] ?? "")) {
    errors.invalid(FIELD, shown, "may specify no more than one IP for each IP family");
  }
  for (const [index, ip] of ips.entries()) {
    const family = families[index];
    if (!family || ip === "None" || (family === "IPv4") === isIpv4(ip)) continue;
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
  const [now, before] = [spec.clusterIPs ?? [], old.clusterIPs ?? []];
  const shown = goStrings(now);
  if (before[0]) {
    if (now.length === 0) {
      errors.invalid(`${FIELD}[0]`, shown, "primary clusterIP can not be unset");
    } else if (now[0] !== before[0]) {
      errors.invalid(`${FIELD}[0]`, shown, "may not change once set");
    }
  }
  if (now.length > 1 && before.length > 1 && now[1] !== before[1]) {
    errors.invalid(`${FIELD}[1]`, shown, "may not change once set");
  }
  const single = spec.ipFamilyPolicy === undefined || spec.ipFamilyPolicy === "SingleStack";
  if (before.length > 1 && now.length < 2 && !single) {
    const detail =
      "must be empty when `ipFamilyPolicy` is not 'SingleStack' to release the secondary clusterIP";
    errors.invalid(`${FIELD}[0]`, shown, detail);
  }
  const [families, oldFamilies] = [spec.ipFamilies ?? [], old.ipFamilies ?? []];
  if (!oldFamilies[0]) return;
  const list = goStrings(families);
  if (families.length === 0) {
    errors.invalid("spec.ipFamilies[0]", list, "primary ipFamily can not be unset");
  } else if (families[0] !== oldFamilies[0]) {
    errors.invalid("spec.ipFamilies[0]", list, "may not change once set");
  } else if (families.length > 1 && oldFamilies.length > 1 && families[1] !== oldFamilies[1]) {
    errors.invalid("spec.ipFamilies[0]", list, "may not change once set");
  }
}
