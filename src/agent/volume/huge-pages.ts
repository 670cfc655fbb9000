import type { Pod } from "../../api/generated/types/core-v1.ts";
import { quantityToNumber } from "../../lib/quantity.ts";
import { VolumeError } from "./contract.ts";

const MEDIUM = "HugePages";
const RESOURCE = "hugepages-";

/** Whether an emptyDir is to lie in huge pages. */
export function isHugePagesMedium(medium: string | undefined): boolean {
  return medium === MEDIUM || (medium?.startsWith(`${MEDIUM}-`) ?? false);
}

/**
 * Options to mount a hugetlbfs with: the page size that the medium names, or the only one that the
 * pod asks for, and as much as its containers may use of it. @throws VolumeError
 */
export function hugePagesMount(pod: Pod, medium: string): string {
  const limits = limitsOf(pod);
  const named = medium === MEDIUM ? undefined : medium.slice(MEDIUM.length + 1);
  const asked = [...limits.keys()];
  if (named === undefined && asked.length !== 1) {
    const found = asked.length === 0 ? "none" : asked.join(", ");
    throw new VolumeError(
      "invalid",
      `medium "${MEDIUM}" needs containers that ask for pages of one size, found ${found}`,
    );
  }
  const size = named ?? asked[0] ?? "";
  const limit = limits.get(size);
  if (limit === undefined) {
    throw new VolumeError("invalid", `no container asks for pages of size ${size}`);
  }
  return `pagesize=${quantityToNumber(size)},size=${limit}`;
}

/** Bytes by page size. */
function limitsOf({ spec }: Pod): Map<string, number> {
  const limits = new Map<string, number>();
  for (const { resources } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    for (const [name, quantity] of Object.entries(resources?.limits ?? {})) {
      if (!name.startsWith(RESOURCE)) continue;
      const size = name.slice(RESOURCE.length);
      limits.set(size, (limits.get(size) ?? 0) + quantityToNumber(quantity));
    }
  }
  return limits;
}
