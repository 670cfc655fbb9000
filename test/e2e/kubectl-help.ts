// Which commands and flags kubectl's own help lists, and which of them a text of commands uses.
import { execFileSync } from "node:child_process";

/** A command as its help shows it. */
export interface HelpedCommand {
  /** "rollout status". */
  name: string;
  flags: readonly HelpedFlag[];
}

/** A flag and its one-letter name, where it has one. */
export interface HelpedFlag {
  name: string;
  letter?: string;
}

/** Groups that can be used by themselves too. */
const ALSO_COMMANDS: ReadonlySet<string> = new Set(["apply", "cluster-info", "create"]);

/** Every command of the help that does something itself, down to the deepest. */
export function helpedCommands(words: readonly string[] = []): HelpedCommand[] {
  const help = execFileSync("kubectl", [...words, "--help"], { encoding: "utf8" });
  const name = words.join(" ");
  const below = subcommandsIn(help).flatMap((word) => helpedCommands([...words, word]));
  const isOwn = words.length > 0 && (below.length === 0 || ALSO_COMMANDS.has(name));
  return isOwn ? [{ name, flags: flagsIn(help) }, ...below] : below;
}

function subcommandsIn(help: string): string[] {
  const sections = help
    .split(/\n(?=\S)/)
    .filter((text) => /^[^\n]*[Cc]ommands[^\n]*:\n/.test(text));
  return sections.flatMap((text) =>
    [...text.matchAll(/^ {2}([a-z][a-z-]*) +\S/gm)].map(([, word = ""]) => word),
  );
}

function flagsIn(help: string): HelpedFlag[] {
  const options = /\nOptions:\n((?:\s.*\n|\n)*)/.exec(help)?.[1] ?? "";
  return [...options.matchAll(/^ +(?:-(\w), )?--([a-z0-9-]+)=/gm)].map(([, letter, name = ""]) => ({
    name,
    ...(letter ? { letter } : {}),
  }));
}

/** Whether one of the commands runs `command`, and with the flag where one is given. */
export function isUsed(commands: readonly string[], command: string, flag?: HelpedFlag): boolean {
  const [first = ""] = command.split(" ");
  return commands.some((text) => {
    const at = new RegExp(`kubectl (?:-\\S+ )*${command}(?![\\w-])`).exec(text)?.index;
    // A loop over what to create names the rest of the command elsewhere.
    const rest = command.slice(first.length + 1);
    const looped = text.includes(`kubectl ${first} $`) && new RegExp(`"${rest} `).test(text);
    if (at === undefined && !looped) return false;
    if (!flag) return true;
    const line = text.slice(looped ? 0 : at);
    const letter = flag.letter ? `|-[a-zA-Z]*${flag.letter}` : "";
    return new RegExp(`\\s(?:--${flag.name}${letter})(?![\\w-])`).test(line);
  });
}
