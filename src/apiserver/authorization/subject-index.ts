import type { Subject } from "../../api/generated/types/rbac-v1.ts";
import type { UserInfo } from "../contract.ts";
import { userNameOf } from "../token/service-account-user.ts";

/** The part of a RoleBinding and a ClusterRoleBinding that they share. */
export interface Binding {
  metadata?: { name?: string; namespace?: string };
  subjects?: Subject[];
  roleRef: { kind: string; name: string };
}

/** Finds the bindings that name a user or a group. */
export interface SubjectIndex<B extends Binding> {
  of(user: UserInfo): B[];
}

/** Index key of a subject; a service account is the user that it acts as. */
function keyOf(subject: Subject, namespace: string): string | undefined {
  switch (subject.kind) {
    case "User":
      return `u:${subject.name}`;
    case "Group":
      return `g:${subject.name}`;
    case "ServiceAccount": {
      const home = subject.namespace || namespace;
      return home ? `u:${userNameOf({ namespace: home, name: subject.name })}` : undefined;
    }
    default:
      return undefined;
  }
}

function build<B extends Binding>(bindings: readonly B[]): Map<string, B[]> {
  const index = new Map<string, B[]>();
  for (const binding of bindings) {
    const namespace = binding.metadata?.namespace ?? "";
    for (const subject of binding.subjects ?? []) {
      const key = keyOf(subject, namespace);
      if (key === undefined) continue;
      const entry = index.get(key);
      if (entry) entry.push(binding);
      else index.set(key, [binding]);
    }
  }
  return index;
}

function isSame<T>(left: readonly T[], right: readonly T[]): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false;
  return true;
}

/**
 * An index over what `list` returns now. Objects of a reader never change in place, so that
 * comparing identities tells whether the index is still good, without any notification.
 */
export function subjectIndex<B extends Binding>(list: () => readonly B[]): SubjectIndex<B> {
  let source: readonly B[] = [];
  let index = new Map<string, B[]>();
  return {
    of: (user) => {
      const current = list();
      if (!isSame(source, current)) {
        source = [...current];
        index = build(source);
      }
      if (index.size === 0) return [];
      const found = new Set(index.get(`u:${user.name}`));
      for (const group of user.groups) {
        for (const binding of index.get(`g:${group}`) ?? []) found.add(binding);
      }
      return [...found];
    },
  };
}
