import { dns1123SubdomainErrors } from "../../../lib/names.ts";
import type { PodSpec, WindowsSecurityContextOptions } from "../../generated/types/core-v1.ts";
import type { FieldErrors } from "../field-errors.ts";
import { containersOf } from "./operating-system.ts";

const SPEC_KIB_MAX = 64;
const DOMAIN_MAX = 256;
const USER_MAX = 104;
const NET_BIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const DNS_DOMAIN = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);

/** Who a container of Windows runs as. */
export function validateWindowsOptions(
  errors: FieldErrors,
  field: string,
  options: WindowsSecurityContextOptions | undefined,
): void {
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: credentials } = options ?? {};
  if (name !== undefined) {
    errors.complaints(`${field}.gmsaCredentialSpecName`, name, dns1123SubdomainErrors(name));
  }
  const refuse = (detail: string) =>
    errors.invalid(`${field}.gmsaCredentialSpec`, credentials, `gmsaCredentialSpec ${detail}`);
  if (credentials === "") refuse("cannot be an empty string");
  else if (credentials !== undefined && Buffer.byteLength(credentials) > SPEC_KIB_MAX * 1024) {
    refuse(`size must be under ${SPEC_KIB_MAX} KiB`);
  }
  if (options?.runAsUserName !== undefined) {
    validateUserName(errors, `${field}.runAsUserName`, options.runAsUserName);
  }
}

/** `USER`, or `DOMAIN\USER`. */
function validateUserName(errors: FieldErrors, field: string, name: string): void {
  const refuse = (detail: string) => errors.invalid(field, name, `runAsUserName${detail}`);
  if (name === "") return refuse(" cannot be an empty string");
  if (/\p{Cc}/u.test(name)) return refuse(" cannot contain control characters");
  const parts = name.split("\\");
  if (parts.length > 2) return refuse(" cannot contain more than one backslash");
  const user = parts.at(-1) ?? "";
  const domain = parts.length === 2 ? (parts[0] ?? "") : undefined;
  if ((domain ?? "").length >= DOMAIN_MAX) {
    refuse(`'s Domain length must be under ${DOMAIN_MAX} characters`);
  }
  if (domain !== undefined && !NET_BIOS.test(domain) && !DNS_DOMAIN.test(domain)) {
    refuse("'s Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === "") refuse("'s User cannot be empty");
  else if (user.length > USER_MAX) {
    refuse(`'s User length must not be longer than ${USER_MAX} characters`);
  }
  if (/^[. ]+$/.test(user)) refuse("'s User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    refuse("'s User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  }
}

/** Either all containers of a pod run as processes of a Windows host, on its network, or none. */
export function validateHostProcess(errors: FieldErrors, field: string, spec: PodSpec): void {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const containers = containersOf(spec, field);
  let count = 0;
  for (const [path, { securityContext }] of containers) {
    const own = securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${ofPod}`;
      errors.invalid(`${path}.securityContext.windowsOptions.hostProcess`, own, detail);
    }
    if (own ?? ofPod) count += 1;
  }
  if (count === 0) return;
  if (count !== containers.length) {
    const detail =
      "If pod contains any hostProcess containers then all containers must be HostProcess " +
      "containers";
    errors.invalid(field, "", detail);
  }
  if (spec.hostNetwork) return;
  const detail = "hostNetwork must be true if pod contains any hostProcess containers";
  errors.invalid(`${field}.hostNetwork`, false, detail);
}
