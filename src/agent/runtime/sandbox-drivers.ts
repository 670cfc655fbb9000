import { accessSync, constants } from "node:fs";
import path from "node:path";
import { RuntimeError, type RuntimeHandler } from "./contract.ts";
import { gvisorDriver } from "./gvisor-driver.ts";
import { nativeDriver } from "./native-driver.ts";
import type { DriverContext, SandboxDriver } from "./sandbox-driver.ts";

/** A handler that Nephos knows. */
interface HandlerRow {
  /** Debian package that installs its program, which is named like the handler. */
  package: string;
  create(context: DriverContext): SandboxDriver;
}

const HANDLERS: Readonly<Record<string, HandlerRow>> = {
  crun: { package: "crun", create: nativeDriver },
  runc: { package: "runc", create: nativeDriver },
  runsc: { package: "runsc", create: gvisorDriver },
};

/** The drivers of this machine, each opened when it is first asked for. */
export interface SandboxDrivers extends Disposable {
  /** @throws RuntimeError "handler-missing", which says what to install */
  of(handler: string | undefined): SandboxDriver;
  /** All whose programs are installed. */
  installed(): RuntimeHandler[];
}

/** `defaultHandler` runs pods without a runtime class. */
export function createDrivers(
  context: Omit<DriverContext, "program" | "handler">,
  defaultHandler: string,
): SandboxDrivers {
  const opened = new Map<string, SandboxDriver>();
  const drivers: SandboxDrivers = {
    installed: () =>
      Object.keys(HANDLERS)
        .filter((name) => locate(name) !== undefined)
        .map((name) => {
          const { hasOwnKernel, hasUserNamespaces, hasRecursiveReadOnly } = drivers.of(name);
          const isDefault = name === defaultHandler;
          return { name, isDefault, hasOwnKernel, hasUserNamespaces, hasRecursiveReadOnly };
        }),
    of(handler) {
      const name = handler || defaultHandler;
      const known = opened.get(name);
      if (known) return known;
      const row = Object.hasOwn(HANDLERS, name) ? HANDLERS[name] : undefined;
      if (!row) {
        const all = Object.keys(HANDLERS).join(", ");
        const message = `no runtime for "${name}" is configured: a RuntimeClass may name ${all}`;
        throw new RuntimeError("handler-missing", message);
      }
      const program = findProgram(name, row.package);
      const driver = row.create({ ...context, program, handler: name });
      opened.set(name, driver);
      return driver;
    },
    [Symbol.dispose]() {
      for (const driver of opened.values()) driver[Symbol.dispose]();
      opened.clear();
    },
  };
  return drivers;
}

/** conmon wants absolute paths. @throws RuntimeError when the program is not installed */
export function findProgram(name: string, packageName: string): string {
  const file = locate(name);
  if (file !== undefined) return file;
  const message = `Cannot run containers with "${name}": install the package ${packageName}`;
  throw new RuntimeError("handler-missing", message);
}

function locate(name: string): string | undefined {
  if (name.startsWith("/")) return name;
  for (const directory of (process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin").split(":")) {
    const file = path.join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue;
    }
  }
  return undefined;
}
