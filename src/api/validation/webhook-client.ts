import { dns1123SubdomainErrors } from "../../lib/names.ts";
import type { WebhookClientConfig } from "../generated/types/admissionregistration-v1.ts";
import type { FieldErrors } from "./field-errors.ts";
import { PORT_RANGE } from "./values.ts";

const FORM = "; desired format: https://host[/path]";

/** Where a webhook of admission or conversion is: a URL, or a Service. */
export function validateWebhookClient(
  errors: FieldErrors,
  field: string,
  config: WebhookClientConfig | undefined,
): void {
  const { url, service } = config ?? {};
  if ((url === undefined) === (service === undefined)) {
    errors.required(field, "exactly one of url or service is required");
  } else if (url !== undefined) validateUrl(errors, `${field}.url`, url);
  else if (service) validateService(errors, `${field}.service`, service);
}

function validateUrl(errors: FieldErrors, field: string, text: string): void {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1] ?? "";
  if (scheme.toLowerCase() !== "https") {
    errors.invalid(field, scheme, `'https' is the only allowed URL scheme${FORM}`);
  }
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#]/i.test(text)) {
    errors.invalid(field, "", `host must be specified${FORM}`);
    return;
  }
  if (!URL.canParse(text)) {
    errors.required(field, `url must be a valid URL: parse ${JSON.stringify(text)}${FORM}`);
    return;
  }
  const { username, password, hash, search } = new URL(text);
  const user = password ? `${username}:${password}` : username;
  if (user) errors.invalid(field, user, "user information is not permitted in the URL");
  if (hash) errors.invalid(field, hash.slice(1), "fragments are not permitted in the URL");
  if (search) {
    errors.invalid(field, search.slice(1), "query parameters are not permitted in the URL");
  }
}

function validateService(
  errors: FieldErrors,
  field: string,
  service: NonNullable<WebhookClientConfig["service"]>,
): void {
  const { name, namespace, port = 443, path } = service;
  if (!name) errors.required(`${field}.name`, "service name is required");
  if (!namespace) errors.required(`${field}.namespace`, "service namespace is required");
  const [first, last] = PORT_RANGE;
  if (port < first || port > last) {
    const why = `port is not valid: must be between ${first} and ${last}, inclusive`;
    errors.invalid(`${field}.port`, port, why);
  }
  if (path) validatePath(errors, `${field}.path`, path);
}

function validatePath(errors: FieldErrors, field: string, path: string): void {
  if (path === "/") return;
  if (!path.startsWith("/")) errors.invalid(field, path, "must start with a '/'");
  const steps = path.slice(1).replace(/\/$/, "").split("/");
  for (const [at, step] of steps.entries()) {
    const complaints = step === "" ? ["may not be empty"] : dns1123SubdomainErrors(step);
    const separator = step === "" ? " " : ": ";
    for (const text of complaints) errors.invalid(field, path, `segment[${at}]${separator}${text}`);
  }
}
