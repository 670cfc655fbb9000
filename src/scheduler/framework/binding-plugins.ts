import type { SchedulerPlugin } from "./contract.ts";
import type { EnabledPlugin } from "./plan.ts";

type Point = "reserve" | "unreserve" | "permit" | "preBind" | "bind" | "postBind";

/**
 * The plugins of each extension point after the decision. Most have none, and every pod passes all
 * of them: none is asked that has nothing to say.
 */
export type BindingPlugins = Readonly<Record<Point, readonly SchedulerPlugin[]>>;

/** Sorts plugins by what they have; those that give back come in reverse. */
export function bindingPlugins(enabled: readonly EnabledPlugin[]): BindingPlugins {
  const plugins = enabled.map(({ plugin }) => plugin);
  const having = (point: Point) => plugins.filter((plugin) => plugin[point] !== undefined);
  return {
    reserve: having("reserve"),
    unreserve: having("unreserve").toReversed(),
    permit: having("permit"),
    preBind: having("preBind"),
    bind: having("bind"),
    postBind: having("postBind"),
  };
}
