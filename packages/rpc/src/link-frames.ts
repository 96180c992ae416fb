// Owns the frames of a link: their kinds, and how each body is written and read. The table is explained in docs/wire.md.

import { closeCodes, type CloseCode, HeddleError } from '@heddle/wire';
import { encode as encodeVarint, encodingLength } from 'uint8-varint';
import type { CloseReason } from './channel.ts';

/** First byte of every frame after the handshake. */
export const frameKinds = {
  /** A whole message, or the last part of one. */
  message: 0,
  /** A part of a message; more follows, and no other message in between. */
  part: 1,
  /** How many messages were taken by their reader, counted from the session's beginning; 6 bytes, big-endian. */
  ack: 2,
  /** Answered with a pong that carries the same bytes. */
  ping: 3,
  pong: 4,
  /** The session is over, and why, as JSON `{code, message, hint?}`; the last frame of its direction. */
  close: 5,
} as const;

/** Largest body of one frame; a longer message travels in parts. */
export const MAX_FRAME_BODY_BYTES = 64 * 1024;
export const MAX_FRAME_BYTES = MAX_FRAME_BODY_BYTES + 1;

/** A frame that waits to be written. */
export interface Frame {
  kind: number;
  body: Uint8Array;
}

/** The bytes of several frames, ready for one write. */
export function encodeFrames(frames: readonly Frame[]): Uint8Array {
  let length = 0;
  for (const { body } of frames) length += encodingLength(body.byteLength + 1) + 1 + body.byteLength;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const { kind, body } of frames) {
    encodeVarint(body.byteLength + 1, bytes, offset);
    offset += encodingLength(body.byteLength + 1);
    bytes[offset] = kind;
    bytes.set(body, offset + 1);
    offset += 1 + body.byteLength;
  }
  return bytes;
}

/** A message as the frames that carry it. */
export function messageFrames(message: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  let offset = 0;
  for (; message.byteLength - offset > MAX_FRAME_BODY_BYTES; offset += MAX_FRAME_BODY_BYTES) {
    frames.push({ kind: frameKinds.part, body: message.subarray(offset, offset + MAX_FRAME_BODY_BYTES) });
  }
  frames.push({ kind: frameKinds.message, body: message.subarray(offset) });
  return frames;
}

export function ackFrame(count: number): Frame {
  const body = new DataView(new ArrayBuffer(6));
  body.setUint16(0, Math.floor(count / 2 ** 32));
  body.setUint32(2, count % 2 ** 32);
  return { kind: frameKinds.ack, body: new Uint8Array(body.buffer) };
}

/** @throws HeddleError `protocol_error` for a body that is no count. */
export function parseAck(body: Uint8Array): number {
  if (body.byteLength !== 6)
    throw new HeddleError('protocol_error', `an acknowledgement of ${body.byteLength} bytes was sent, 6 are expected`);
  const view = new DataView(body.buffer, body.byteOffset, 6);
  return view.getUint16(0) * 2 ** 32 + view.getUint32(2);
}

export function closeFrame(reason: CloseReason): Frame {
  return { kind: frameKinds.close, body: new TextEncoder().encode(JSON.stringify(reason)) };
}

/** A close is a close, whatever it says. */
export function parseClose(body: Uint8Array): CloseReason {
  try {
    const value = JSON.parse(new TextDecoder().decode(body)) as { code?: unknown; message?: unknown; hint?: unknown };
    if (typeof value.code === 'string' && isCloseCode(value.code) && typeof value.message === 'string') {
      return { code: value.code, message: value.message, hint: typeof value.hint === 'string' ? value.hint : undefined };
    }
  } catch {
    // told below
  }
  return { code: 'closed', message: 'the far side closed the session without a readable reason' };
}

function isCloseCode(code: string): code is CloseCode {
  return (closeCodes as readonly string[]).includes(code);
}
