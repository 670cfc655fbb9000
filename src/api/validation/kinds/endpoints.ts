import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  qualifiedNameErrors,
} from "../../../lib/names.ts";
import type { Endpoints } from "../../generated/types/core-v1.ts";
import type { KindRules } from "../kind-rules.ts";
import { PROTOCOLS, validateIp, validateNonSpecialIp, validatePort } from "../values.ts";

export const ENDPOINTS: KindRules<Endpoints> = {
  validate(errors, { subsets = [] }) {
    for (const [
      index,
      { addresses = [], notReadyAddresses = [], ports = [] },
    ] of subsets.entries()) {
      const path = `subsets[${index}]`;
      if (addresses.length + notReadyAddresses.length === 0) {
        errors.required(path, "must specify `addresses` or `notReadyAddresses`");
      }
      for (const [name, list] of [
        ["addresses", addresses],
        ["notReadyAddresses", notReadyAddresses],
      ] as const) {
        for (const [at, { ip, hostname, nodeName }] of list.entries()) {
          const place = `${path}.${name}[${at}]`;
          validateIp(errors, `${place}.ip`, ip ?? "");
          if (hostname) {
            errors.complaints(`${place}.hostname`, hostname, dns1123LabelErrors(hostname));
          }
          if (nodeName !== undefined) {
            errors.complaints(`${place}.nodeName`, nodeName, dns1123SubdomainErrors(nodeName));
          }
          validateNonSpecialIp(errors, `${place}.ip`, ip ?? "");
        }
      }
      for (const [at, port] of ports.entries()) {
        const place = `${path}.ports[${at}]`;
        if (port.name) errors.complaints(`${place}.name`, port.name, dns1123LabelErrors(port.name));
        else if (ports.length > 1) errors.required(`${place}.name`);
        validatePort(errors, `${place}.port`, port.port);
        errors.oneOf(`${place}.protocol`, port.protocol, PROTOCOLS);
        const { appProtocol } = port;
        if (appProtocol !== undefined) {
          errors.complaints(`${place}.appProtocol`, appProtocol, qualifiedNameErrors(appProtocol));
        }
      }
    }
  },
};
