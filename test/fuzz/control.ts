// What a local program may say to the daemon's control socket.

import assert from 'node:assert/strict';
import { encodeFrame, FrameReader, silentLog } from '@heddle/rpc';
import * as fc from 'fast-check';
import { controlAnswerSchema, controlOps } from '../../packages/control/src/protocol.ts';
import { serveConnection } from '../../packages/control/src/serve-connection.ts';
import { byteDuplexPair } from '../support/byte-duplex-pair.ts';
import { fakeHandlers } from '../unit/control/fixtures/handlers.ts';
import { within } from './within.ts';

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const request = fc
  .tuple(
    fc.dictionary(fc.string(), fc.jsonValue()),
    fc.record(
      {
        v: fc.oneof({ weight: 5, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.jsonValue() }),
        op: fc.oneof(fc.constantFrom(...Object.keys(controlOps), 'toString', '__proto__'), fc.jsonValue()),
        agent: fc.oneof(fc.constantFrom('echo', 'nobody'), fc.jsonValue()),
        id: fc.oneof(fc.string(), fc.jsonValue()),
        scope: fc.oneof(fc.constantFrom('drive', 'watch'), fc.jsonValue()),
        minutes: fc.oneof(fc.double(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([others, members]) => encodeFrame(bytesOf({ ...others, ...members })));
const said = fc.oneof(
  { weight: 5, arbitrary: request },
  { weight: 1, arbitrary: fc.jsonValue().map((value) => encodeFrame(bytesOf(value))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => encodeFrame(bytes)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
);

/** One answer that is an answer, and an end; a session, if one was opened, ends when its caller goes. */
export const controlAnswers = () =>
  fc.asyncProperty(said, fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 400 }), async (first, then, chunkBytes) => {
    const [caller, daemon] = byteDuplexPair({ chunkBytes });
    const context = {
      version: '1.2.3',
      handlers: fakeHandlers(),
      permission: 'admin' as const,
      log: { ...silentLog, error: (message: string, fields: unknown) => assert.fail(`${message}: ${JSON.stringify(fields)}`) },
      closing: new Promise<never>(() => {}),
    };
    const serving = serveConnection(daemon, context);
    await caller.write(first).catch(() => undefined); // refused before it was read to its end
    await caller.write(then).catch(() => undefined);
    await caller.closeWrite();
    const frames = new FrameReader(caller.source);
    const raw = await within('the answer', frames.next(256 * 1024));
    assert.ok(raw !== undefined, 'it was not answered');
    const answer = controlAnswerSchema.parse(JSON.parse(Buffer.from(raw).toString()));
    assert.equal(answer.version, '1.2.3');
    caller.abort(new Error('the caller has gone'));
    const end = await within('serveConnection', serving);
    assert.ok(end === 'served' || end === 'until-gone');
  });
