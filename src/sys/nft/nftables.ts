import koffi from "koffi";

// JUSTIFICATION: forking nft costs 3 ms a change and parses the whole ruleset's set of names anew;
// the library is the same code in this process. SAFETY: the context is freed on dispose, and the
// strings that it returns are copied before the next call.
type Libnftables = ReturnType<typeof load>;

/** Runs nft commands in this process. Not for concurrent use; a command is atomic. */
export interface Nftables extends Disposable {
  /**
   * Applies `commands` (the language of nft(8)) as one transaction in the network namespace of the
   * calling thread: all or nothing. @throws NftError with the library's own message
   */
  apply(commands: string): void;
  /** Output of a listing command. @throws NftError */
  query(command: string): string;
}

/** A refused transaction; the ruleset is as it was before. */
export class NftError extends Error {
  override name = "NftError";
}

function load() {
  const library = koffi.load("libnftables.so.1");
  return {
    create: library.func("void *nft_ctx_new(uint32_t flags)"),
    free: library.func("void nft_ctx_free(void *context)"),
    run: library.func("int nft_run_cmd_from_buffer(void *context, const char *commands)"),
    bufferOutput: library.func("int nft_ctx_buffer_output(void *context)"),
    bufferError: library.func("int nft_ctx_buffer_error(void *context)"),
    output: library.func("const char *nft_ctx_get_output_buffer(void *context)"),
    error: library.func("const char *nft_ctx_get_error_buffer(void *context)"),
    setOutputFlags: library.func("void nft_ctx_output_set_flags(void *context, uint32_t flags)"),
  };
}

const NUMERIC_ALL = 0x780; // protocols, priorities, symbols and times

/**
 * Opens libnftables. @throws NftError when the library is not installed: it is Debian's
 * package libnftables1. Source: libnftables(3).
 */
export function openNftables(): Nftables {
  let library: Libnftables;
  try {
    library = load();
  } catch (cause) {
    throw new NftError("Cannot load libnftables.so.1: install the package libnftables1", { cause });
  }
  const context: unknown = library.create(0);
  if (!context) throw new NftError("Cannot create an nftables context: out of memory");
  library.bufferOutput(context);
  library.bufferError(context);
  library.setOutputFlags(context, NUMERIC_ALL);
  let closed = false;
  const run = (commands: string): string => {
    if (closed) throw new NftError("Cannot apply nftables commands: the context is closed");
    const failed: number = library.run(context, commands);
    const output = String(library.output(context) ?? "");
    const error = String(library.error(context) ?? "");
    if (failed !== 0) throw new NftError(`Cannot apply nftables commands: ${error.trim()}`);
    return output;
  };
  return {
    apply: (commands) => {
      run(commands);
    },
    query: run,
    [Symbol.dispose]() {
      if (!closed) library.free(context);
      closed = true;
    },
  };
}
