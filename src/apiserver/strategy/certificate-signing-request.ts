import { copyJson } from "../../lib/json-copy.ts";
import { fieldOf } from "../kube-object.ts";
import type { Strategy } from "./strategy.ts";

/** Who asks is recorded by the server; what was asked for never changes. */
export const CERTIFICATE_SIGNING_REQUEST: Partial<Strategy> = {
  prepareCreate: (request, { user }) => {
    request["spec"] = {
      ...fieldOf(request, "spec"),
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: [...user.groups],
      ...(user.extra ? { extra: copyJson(user.extra) } : {}),
    };
    request["status"] = {};
  },
  prepareUpdate: (request, old) => {
    request["spec"] = copyJson(old["spec"]);
  },
};
