// What a stranger may say as the first thing on a stream, and what a camera may read.

import assert from 'node:assert/strict';
import { encodeFrame, FrameReader } from '@heddle/rpc';
import { decodePairPayload, encodePairPayload, handshakeAnswerSchema, HeddleError } from '@heddle/wire';
import * as fc from 'fast-check';
import { assertToken, readHandshake } from '../../packages/endpoint/src/handshake.ts';
import { byteDuplexPair } from '../support/byte-duplex-pair.ts';
import { within } from './within.ts';

const TOKEN = 'ab'.repeat(32);

/** Members as the protocol has them, right and wrong, beside any others. */
const request = fc
  .tuple(
    fc.dictionary(fc.string(), fc.jsonValue()),
    fc.record(
      {
        v: fc.oneof(fc.constant(1), fc.jsonValue()),
        token: fc.oneof(fc.constant(TOKEN), fc.jsonValue()),
        op: fc.oneof(fc.constantFrom('connect', 'list_agents', 'restart_agent', 'toString', '__proto__'), fc.jsonValue()),
        agent: fc.oneof(fc.string(), fc.jsonValue()),
        device: fc.oneof(fc.record({ name: fc.string({ unit: 'binary' }) }), fc.jsonValue()),
        resume: fc.oneof(fc.record({ session: fc.string(), received: fc.oneof(fc.nat(), fc.double()) }), fc.jsonValue()),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([others, members]) => ({ ...others, ...members }));

const bytesOf = (text: string) => new TextEncoder().encode(text);
export const requestBytes = fc.oneof(
  { weight: 6, arbitrary: request.map((value) => encodeFrame(bytesOf(JSON.stringify(value)))) },
  { weight: 2, arbitrary: fc.jsonValue().map((value) => encodeFrame(bytesOf(JSON.stringify(value)))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => encodeFrame(bytes)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
);

const codes = ['bad_request', 'unsupported_version', 'unauthorized', 'protocol_error', 'message_too_large', 'connection_lost'];

/** A request is understood or refused with a code that is told; only who has the token gets through. */
export const handshakeIsDecidedUpon = () =>
  fc.asyncProperty(requestBytes, fc.integer({ min: 1, max: 400 }), async (bytes, chunkBytes) => {
    const [phone, daemon] = byteDuplexPair({ chunkBytes });
    await phone.write(bytes);
    await phone.closeWrite();
    try {
      const reading = readHandshake(new FrameReader(daemon.source), daemon, (theirs) => assertToken(theirs, TOKEN));
      const understood = await within('readHandshake', reading);
      assert.equal(understood.token, TOKEN);
      assert.equal(understood.v, 1);
      assert.ok(understood.op === 'list_agents' || typeof understood.agent === 'string');
    } catch (error) {
      assert.ok(error instanceof HeddleError, String(error));
      assert.ok(codes.includes(error.code), error.code);
      assert.ok(!error.message.includes(TOKEN), 'a refusal tells the token');
    }
  });

/** The client's side: whatever a computer answers is an answer or is not one; nothing throws. */
export const answersAreChecked = () =>
  fc.property(
    fc.oneof(
      fc.jsonValue(),
      fc.record({
        v: fc.jsonValue(),
        ok: fc.oneof(fc.boolean(), fc.jsonValue()),
        session: fc.jsonValue(),
        error: fc.jsonValue(),
        agents: fc.jsonValue(),
      }),
    ),
    (value) => {
      handshakeAnswerSchema.safeParse(value);
    },
  );

/** Any text is a payload or `payload_invalid`; a payload survives its own text. */
export const pairTextIsChecked = () =>
  fc.property(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc
        .record(
          {
            v: fc.constantFrom(1, 2),
            peer_id: fc.constantFrom('12D3KooWGRUqbmzs5vMgnpbpp2rPEuYbFmTMvcA1YWqPcGFnGTxe', 'x'),
            token: fc.constantFrom(TOKEN, 'ab'),
            addrs: fc.array(fc.oneof(fc.constant('/ip4/127.0.0.1/tcp/1'), fc.string()), { maxLength: 3 }),
            host_name: fc.oneof(fc.string(), fc.jsonValue()),
          },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
    ),
    (text) => {
      try {
        const payload = decodePairPayload(text);
        assert.deepEqual(decodePairPayload(encodePairPayload(payload)), payload);
      } catch (error) {
        assert.ok(error instanceof HeddleError && error.code === 'payload_invalid', String(error));
      }
    },
  );
