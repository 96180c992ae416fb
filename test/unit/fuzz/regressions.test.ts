// Cases that fuzzing found, as small as they became.

import { FrameReader } from '@heddle/rpc';
import { expect, it } from 'vitest';
import { inChunks } from '../../fuzz/chunks.ts';

const readerOf = (...bytes: number[]) => new FrameReader(inChunks(Uint8Array.from(bytes), [100]));

it('an end right after a length is an end in the middle of a frame', async () => {
  await expect(readerOf(5).next(100)).rejects.toMatchObject({ code: 'connection_lost' });
});

it('a length that is not in its shortest form is refused: its spare bytes would be read as frames', async () => {
  await expect(readerOf(0x81, 0x00, 0x41).next(100)).rejects.toMatchObject({ code: 'protocol_error' });
});

it('a length of five bytes is refused even when it comes whole', async () => {
  await expect(readerOf(0x80, 0x80, 0x80, 0x80, 0x01).next(2 ** 40)).rejects.toMatchObject({ code: 'protocol_error' });
});
