import type {
  CustomResourceDefinition,
  CustomResourceDefinitionSpec,
} from "../generated/types/apiextensions-v1.ts";
import type { APIService } from "../generated/types/apiregistration-v1.ts";
import { type Defaulters, defaulter } from "./defaulter.ts";

const HTTPS_PORT = 443;

/** Defaults of apiextensions.k8s.io/v1. */
export const API_EXTENSIONS_DEFAULTS: Defaulters = {
  CustomResourceDefinition: defaulter<CustomResourceDefinition>(({ spec }) => {
    if (spec) defaultDefinition(spec);
  }),
};

/** Defaults of apiregistration.k8s.io/v1. */
export const API_REGISTRATION_DEFAULTS: Defaulters = {
  APIService: defaulter<APIService>(({ spec }) => {
    if (spec?.service) spec.service.port ??= HTTPS_PORT;
  }),
};

function defaultDefinition(spec: CustomResourceDefinitionSpec): void {
  const { names } = spec;
  if (names?.kind) {
    names.singular ||= names.kind.toLowerCase();
    names.listKind ||= `${names.kind}List`;
  }
  const conversion = (spec.conversion ??= { strategy: "None" });
  const service = conversion.webhook?.clientConfig?.service;
  if (service) service.port ??= HTTPS_PORT;
}
