// Bytes as a network hands them over: cut anywhere.

import * as fc from 'fast-check';

/** Sizes of chunks; used in turn, over and over. */
export const chunkSizes: fc.Arbitrary<number[]> = fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 5_000 })), {
  minLength: 1,
  maxLength: 8,
});

/** @param onPull called before each chunk is given out, as its reader asks for it. */
export async function* inChunks(bytes: Uint8Array, sizes: readonly number[], onPull: () => void = () => {}): AsyncGenerator<Uint8Array> {
  let n = 0;
  for (let at = 0; at < bytes.byteLength; ) {
    const size = sizes[n++ % sizes.length] ?? 1;
    onPull();
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
