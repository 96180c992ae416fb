// Owns where `probe` takes the pair payload from, so that its token need not stand in a command line, which every
// process of this computer can read.

import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { asError, decodePairPayload, HeddleError, type PairPayload } from '@heddle/wire';

/** No payload is larger; a wrong file must not be read whole. */
const MAX_BYTES = 64 * 1024;

/**
 * @param source the payload itself, `@FILE`, or `-` for stdin
 * @throws HeddleError `payload_invalid`
 */
export async function readPayloadFrom(source: string, stdin: Readable): Promise<PairPayload> {
  if (source === '-') return decodePairPayload(await readAll(stdin));
  if (!source.startsWith('@')) return decodePairPayload(source);
  const file = source.slice(1);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (caught) {
    const cause = asError(caught);
    throw new HeddleError('payload_invalid', `can't read the payload from ${file}: ${cause.message}`, { cause });
  }
  return decodePairPayload(text);
}

async function readAll(stdin: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new HeddleError('payload_invalid', `stdin holds more than ${MAX_BYTES} bytes, which is no pair payload`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
