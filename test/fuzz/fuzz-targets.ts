import type { AnyTarget } from "./fuzz-target.ts";
import { binaryTargets } from "./targets/binary-targets.ts";
import { certificateTargets } from "./targets/certificate-targets.ts";
import { documentTargets } from "./targets/document-targets.ts";
import { expressionTargets } from "./targets/expression-targets.ts";
import { objectTargets } from "./targets/object-targets.ts";
import { patchTargets } from "./targets/patch-targets.ts";
import { serverTarget } from "./targets/server-target.ts";
import { textTargets } from "./targets/text-targets.ts";

/** Everything that reads what others write. */
export function fuzzTargets(): readonly AnyTarget[] {
  return [
    ...documentTargets(),
    ...textTargets(),
    ...patchTargets(),
    ...objectTargets(),
    serverTarget(),
    ...binaryTargets(),
    ...certificateTargets(),
    ...expressionTargets(),
  ];
}
