/**
 * Facts of one group-version as text, one line an enum, a struct or (indented) a field:
 *
 *     enum RestartPolicy Always|OnFailure|Never
 *     struct PodSpec
 *      containers []Container ! + #2 ~merge:name
 *
 * Types: `int32`, `quantity`, ... (the scalars of model.ts); `[]T` a list; `{}T` a map; a name of
 * this group-version, or "meta/v1.ObjectMeta". After a struct: `root` (has apiVersion and kind),
 * `atomic`, `namespaced` or `cluster` (is a resource). After a field: `!` required, `+` written
 * even when zero, `*` a zero value differs from none, `#2.7` protobuf number within inlined
 * messages, `%` a list that is a protobuf message of its own, `=set` `=atomic` `=granular` `=map:a,b` for
 * server-side apply, `~merge:key` patch strategy, `default:JSON`.
 */
export interface GroupVersionFacts {
  /** Short name of the group: "core", "rbac". */
  short: string;
  /** "" for the core group. */
  group: string;
  version: string;
  text: string;
}
