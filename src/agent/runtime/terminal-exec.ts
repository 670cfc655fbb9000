import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { sleep } from "../../lib/clock.ts";
import { openProcess } from "../../sys/process.ts";
import { openAttachSession } from "./attach.ts";
import { startMonitor } from "./conmon.ts";
import { readJson, writeJson } from "./container-record.ts";
import { startExitCode } from "./container-start.ts";
import type { StreamSession } from "./contract.ts";
import type { ExecDirectory } from "./exec-directory.ts";
import { lastLogged } from "./oci-command.ts";
import { monitorTools } from "./placement.ts";
import { driverOf, type RuntimeContext } from "./runtime-context.ts";

/** Clients tell the size of their terminal right after the connection stands. */
const SIZE_WAIT_MS = 100;
const EXIT_FILE_RETRY_MS = 5;
const EXIT_FILE_RETRIES = 200;
const UNKNOWN_EXIT_CODE = 137;

type Size = Parameters<StreamSession["resize"]>[0];

/**
 * With a terminal, conmon opens and keeps it: Node.js cannot make a pseudo-terminal. The command
 * starts when its terminal has the client's size, or when none came for a moment.
 */
export function terminalSession(
  context: RuntimeContext,
  id: string,
  { exec, stdin }: { exec: ExecDirectory; stdin: boolean },
): Promise<StreamSession> {
  const exitDirectory = path.join(exec.path, "exit");
  mkdirSync(exitDirectory);
  const sized = new AbortController();
  let size: Size | undefined;
  return new Promise((resolve, reject) => {
    const attach = async () => {
      const session = openAttachSession(exec.path, {
        tty: true,
        streams: { stdin, stdout: true, stderr: false },
        outcome: () =>
          outcomeOf(context, { started, exec, exitFile: path.join(exitDirectory, id) }),
        atEnd: () => exec[Symbol.dispose](),
      });
      resolve({
        ...session,
        resize(wanted) {
          size = wanted;
          if (sized.signal.aborted) session.resize(wanted);
          else sized.abort();
        },
        async [Symbol.asyncDispose]() {
          sized.abort();
          const pid = await started.catch(() => undefined);
          using process = pid === undefined ? undefined : openProcess(pid);
          process?.signal("SIGKILL");
          await session[Symbol.asyncDispose]();
        },
      });
      await sleep(context.clock, SIZE_WAIT_MS, sized.signal);
      sized.abort();
      if (size) giveSize(exec.specPath, size);
    };
    const { status, cgroup } = context.table.container(id);
    const driver = driverOf(context, status.sandboxId);
    // On a terminal, the monitor loses the words of crun.
    const logged = ["--log", runtimeLog(exec), "--log-format", "json"];
    const command = driver.execution(logged);
    const started = startMonitor(monitorTools(context, { driver, cgroup, command }), {
      id,
      bundle: exec.path,
      pidFile: exec.pidFile,
      exitDirectory,
      tty: true,
      stdin,
      leaveStdinOpen: false,
      execSpecPath: exec.specPath,
      attach,
    });
    // Once the session is open, its end tells of the failure.
    started.catch(reject);
  });
}

/** The OCI runtime reads the process specification only when conmon starts the command. */
function giveSize(specPath: string, { columns, rows }: Size): void {
  const spec = readJson<object>(specPath);
  if (spec) writeJson(specPath, { ...spec, consoleSize: { height: rows, width: columns } });
}

async function outcomeOf(
  context: RuntimeContext,
  of: { started: Promise<number>; exec: ExecDirectory; exitFile: string },
): Promise<{ exitCode: number; lastWords?: string }> {
  try {
    await of.started;
  } catch (error) {
    const words = lastLogged(runtimeLog(of.exec)) ?? (error as Error).message;
    return { exitCode: startExitCode(words), lastWords: `${words.trim()}\r\n` };
  }
  return { exitCode: await readExitCode(context, of.exitFile) };
}

function runtimeLog({ path: directory }: ExecDirectory): string {
  return path.join(directory, "runtime.log");
}

/** The monitor closes its socket shortly before, or after, it writes the file. */
async function readExitCode(context: RuntimeContext, file: string): Promise<number> {
  for (let attempt = 0; attempt < EXIT_FILE_RETRIES; attempt++) {
    try {
      const code = Number.parseInt(readFileSync(file, "utf8"), 10);
      if (Number.isInteger(code)) return code;
    } catch {
      // not yet
    }
    await sleep(context.clock, EXIT_FILE_RETRY_MS);
  }
  return UNKNOWN_EXIT_CODE;
}
