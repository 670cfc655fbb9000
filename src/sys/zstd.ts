import koffi from "koffi";

// JUSTIFICATION: zlib of Node.js 20 has no zstd; libzstd is the reference decoder, and dpkg itself
// depends on it. SAFETY: each call is synchronous, so that koffi holds both buffers while it runs;
// the library keeps no pointer to them. The decoder is freed when the iteration ends.
// Loaded once, as koffi keeps each declaration for good; what is missing is told when it is needed.
const libzstd: ReturnType<typeof load> | undefined = tryLoad();

/** Bytes that are no whole zstd frames, or a library that is missing; the message says which. */
export class ZstdError extends Error {
  override readonly name = "ZstdError";
}

interface OutBuffer {
  dst: Uint8Array;
  size: number;
  pos: number;
}

interface InBuffer {
  src: Uint8Array;
  size: number;
  pos: number;
}

const MAGIC = 0xfd2fb528;
/** Skippable frames, which may stand before others, have 16 magic numbers from here on. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const OUTPUT_BYTES = 256 * 1024;
/** 128 MiB, what `zstd --ultra` asks for; a frame that wants more memory is refused. */
const WINDOW_LOG_MAX = 27;
const PARAMETER_WINDOW_LOG_MAX = 100;

function load() {
  // Node.js from 22.15 on exports the same functions of another release, which must not be mixed in.
  const library = koffi.load("libzstd.so.1", { deep: true });
  const size = "size_t" as const;
  const output = koffi.struct({ dst: "void *", size, pos: size });
  const input = koffi.struct({ src: "const void *", size, pos: size });
  return {
    create: library.func("void *ZSTD_createDCtx()"),
    free: library.func("size_t ZSTD_freeDCtx(void *decoder)"),
    set: library.func("size_t ZSTD_DCtx_setParameter(void *decoder, int parameter, int value)"),
    isError: library.func("unsigned int ZSTD_isError(size_t code)"),
    errorName: library.func("const char *ZSTD_getErrorName(size_t code)"),
    decompress: library.func("ZSTD_decompressStream", size, [
      "void *",
      koffi.inout(koffi.pointer(output)),
      koffi.inout(koffi.pointer(input)),
    ]),
  };
}

function tryLoad(): ReturnType<typeof load> | undefined {
  try {
    return load();
  } catch {
    return undefined;
  }
}

/** Whether bytes that begin so are zstd frames; four bytes tell. */
export function isZstd(head: Uint8Array): boolean {
  if (head.length < 4) return false;
  const magic = Buffer.from(head.buffer, head.byteOffset, 4).readUInt32LE();
  return magic === MAGIC || (magic & ~0xf) >>> 0 === SKIPPABLE_MAGIC;
}

/**
 * Decompresses frames that follow one another, checksums included, in pieces of 256 KiB: memory is
 * bounded by the window (at most 128 MiB), however much comes out. Blocks for less than 1 ms a
 * piece. @throws ZstdError
 * Source: RFC 8878; zstd.h, "Streaming decompression".
 */
export async function* decompressZstd(
  stream: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const library = libzstd;
  if (!library) throw new ZstdError("Cannot load libzstd.so.1: install the package libzstd1");
  const decoder: unknown = library.create();
  if (!decoder) throw new ZstdError("Cannot decompress zstd: out of memory");
  // An error is a code near the end of the range, as which it comes as a bigint.
  const checked = (code: number | bigint): number => {
    if (library.isError(code) === 0) return Number(code);
    throw new ZstdError(`Cannot decompress zstd: ${library.errorName(code)}`);
  };
  try {
    checked(library.set(decoder, PARAMETER_WINDOW_LOG_MAX, WINDOW_LOG_MAX));
    // Zero when a frame has ended, else a hint of how much is to come.
    let expected = 0;
    for await (const chunk of stream) {
      const input: InBuffer = { src: chunk, size: chunk.length, pos: 0 };
      for (let isFull = true; isFull || input.pos < chunk.length; ) {
        const dst = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
        const output: OutBuffer = { dst, size: dst.length, pos: 0 };
        // The library's structures hold pointers, which koffi writes back into these objects.
        input.src = chunk;
        expected = checked(library.decompress(decoder, output, input));
        isFull = output.pos === dst.length && expected > 0;
        if (output.pos > 0) yield dst.subarray(0, output.pos);
      }
    }
    if (expected > 0) throw new ZstdError("Cannot decompress zstd: the last frame is cut short");
  } finally {
    library.free(decoder);
  }
}
