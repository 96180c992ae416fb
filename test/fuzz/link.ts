// The link's promise under arbitrary misfortune: each message once and in order, or an end that says why.

import assert from 'node:assert/strict';
import { clientLinkLimits, encodeFrame, FrameReader, Link } from '@heddle/rpc';
import * as fc from 'fast-check';
import { byteDuplexPair } from '../support/byte-duplex-pair.ts';
import { within } from './within.ts';

type Name = 'a' | 'b';
type Step =
  | { do: 'send'; from: Name; sizes: number[] }
  | { do: 'cut'; by: Name }
  | { do: 'endHalf'; by: Name }
  | { do: 'connect'; chunkBytes: number; isTight: boolean }
  | { do: 'take'; by: Name; count: number }
  | { do: 'junk'; to: Name; bytes: Uint8Array }
  | { do: 'ping'; by: Name }
  | { do: 'turns'; count: number }
  | { do: 'close'; by: Name };

const name = fc.constantFrom<Name>('a', 'b');
const connect = fc.record({
  do: fc.constant('connect' as const),
  chunkBytes: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 100_000 })),
  isTight: fc.boolean(),
});
/** Mostly small; sometimes one that travels in parts, or that alone fills half the window. */
const messageSize = fc.oneof(
  { weight: 40, arbitrary: fc.nat({ max: 300 }) },
  { weight: 4, arbitrary: fc.integer({ min: 65_000, max: 200_000 }) },
  { weight: 1, arbitrary: fc.constant(2 * 1024 * 1024) },
);
const misfortunes: fc.WeightedArbitrary<Step>[] = [
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('send' as const), from: name, sizes: fc.array(messageSize, { minLength: 1, maxLength: 25 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cut' as const), by: name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('endHalf' as const), by: name }) },
  { weight: 6, arbitrary: connect },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('take' as const), by: name, count: fc.integer({ min: 1, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('ping' as const), by: name }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('turns' as const), count: fc.nat({ max: 30 }) }) },
];
const junk = fc.oneof(
  fc.constant(encodeFrame(new Uint8Array(0))),
  fc.uint8Array({ maxLength: 9 }).map((bytes) => encodeFrame(Uint8Array.of(6 + ((bytes[0] ?? 0) % 250)), bytes)), // no such kind
  fc.constant(encodeFrame(Uint8Array.of(2, 255, 255, 255, 255, 255, 255))), // an acknowledgement of what was never sent
  fc.constant(Uint8Array.of(255, 255, 255, 255, 255)),
);
const ends: fc.WeightedArbitrary<Step>[] = [
  { weight: 1, arbitrary: fc.record({ do: fc.constant('junk' as const), to: name, bytes: junk }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), by: name }) },
];

/** Two megabytes in single bytes would take all the time there is and show nothing new. */
const MAX_PIECES = 500;

/** A message says which it is; the rest is filled with it, so that parts of two messages can't be mixed unseen. */
function message(number: number, size: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(4, size)).fill(number % 251);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

/** One end of the session and what is known of it. */
class Side {
  readonly link = new Link({ ...clientLinkLimits, whenDetached: 'wait' });
  readonly #sizes: number[] = [];
  #wanted = 0;
  #wake: () => void = () => {};
  #taken = 0;
  readonly reading: Promise<void>;

  constructor(far: () => Side) {
    this.reading = this.#read(far);
  }

  get sent(): number {
    return this.#sizes.length;
  }

  get taken(): number {
    return this.#taken;
  }

  send(sizes: readonly number[]): void {
    for (const size of sizes) {
      void this.link.send(message(this.sent, size)).catch((error: unknown) => assert.ok(error instanceof Error));
      this.#sizes.push(size);
    }
  }

  take(count: number): void {
    this.#wanted += count;
    this.#wake();
  }

  async #read(far: () => Side): Promise<void> {
    for await (const bytes of this.link.incoming) {
      const expected = far().#sizes[this.#taken];
      assert.ok(expected !== undefined, 'a message arrived that was never sent');
      assert.equal(Buffer.compare(bytes, message(this.#taken, expected)), 0, `what arrived is not message ${this.#taken}`);
      this.#taken += 1;
      while (this.#taken >= this.#wanted) await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

class World {
  readonly a: Side = new Side(() => this.b);
  readonly b: Side = new Side(() => this.a);
  #duplexes: ReturnType<typeof byteDuplexPair> | undefined;
  /** Half a write may be under way: what is written beside the link would land in the middle of a frame. */
  #isTight = false;
  #isEnded = false;

  get isOver(): boolean {
    return !this.a.link.canResume(this.a.sent) || !this.b.link.canResume(this.b.sent);
  }

  async run(step: Step): Promise<void> {
    const duplex = (side: Name) => this.#duplexes?.[side === 'a' ? 0 : 1];
    switch (step.do) {
      case 'send':
        return this[step.from].send(step.sizes);
      case 'take':
        return this[step.by].take(step.count);
      case 'cut':
        return duplex(step.by)?.abort(new Error('cut'));
      case 'endHalf':
        return duplex(step.by)?.closeWrite();
      case 'connect':
        return this.connect(step);
      case 'ping':
        return this[step.by].link.ping();
      case 'close':
        return this[step.by].link.close({ code: 'closed', message: 'enough' });
      case 'junk':
        if (!this.#isTight)
          await duplex(step.to === 'a' ? 'b' : 'a')
            ?.write(step.bytes)
            .catch(() => undefined); // it was cut
        return;
      case 'turns':
        for (let n = 0; n < step.count; n++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** As a handshake does it: the daemon lets go of its stream, then each says how much it has. */
  connect({ chunkBytes, isTight }: { chunkBytes: number; isTight: boolean }): void {
    const { a, b } = this;
    b.link.detach(new Error('the client has come back'));
    const received = { a: a.link.received, b: b.link.received };
    if (!a.link.canResume(received.b) || !b.link.canResume(received.a)) return;
    this.#duplexes = byteDuplexPair({ chunkBytes, maxPieces: MAX_PIECES, highWater: isTight ? 1_000 : Number.POSITIVE_INFINITY });
    this.#isTight = isTight;
    const [left, right] = this.#duplexes;
    a.link.attach(left, new FrameReader(left.source), received.b);
    b.link.attach(right, new FrameReader(right.source), received.a);
  }

  async allArrived(): Promise<void> {
    this.a.take(Number.POSITIVE_INFINITY);
    this.b.take(Number.POSITIVE_INFINITY);
    const { a, b } = this;
    while (!this.#isEnded && (a.taken < b.sent || b.taken < a.sent)) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    for (const { link } of [this.a, this.b]) link.close();
    this.a.take(Number.POSITIVE_INFINITY);
    this.b.take(Number.POSITIVE_INFINITY);
    await Promise.all([this.a.reading, this.b.reading]);
  }
}

/** Cuts, half closes, replaced streams, slow readers: after a last healthy stream everything is there. */
export const linkDelivers = () =>
  fc.asyncProperty(fc.array(fc.oneof(...misfortunes), { maxLength: 60 }), connect, async (steps, last) => {
    const world = new World();
    try {
      for (const step of steps) await within(`step ${step.do}`, world.run(step));
      assert.ok(!world.isOver, 'a session ended that nobody ended');
      world.connect(last);
      await within(`the last stream: ${JSON.stringify(last)}`, Promise.race([world.allArrived(), world.a.reading, world.b.reading]));
      assert.deepEqual([world.a.taken, world.b.taken], [world.b.sent, world.a.sent]);
    } finally {
      await within('the end', world.end());
    }
  });

/** With a side that closes or breaks the protocol: nothing twice, nothing out of order, and an end with a reason. */
export const linkEndsWithReason = () =>
  fc.asyncProperty(fc.array(fc.oneof(...misfortunes, ...ends), { maxLength: 60 }), connect, async (steps, last) => {
    const world = new World();
    try {
      for (const step of steps) await within(`step ${step.do}`, world.run(step));
      world.connect(last);
      if (!world.isOver) {
        const closed = Promise.race([world.a.link.closed, world.b.link.closed]);
        await within('a session that is not over', Promise.race([world.allArrived(), closed, world.a.reading, world.b.reading]));
      }
    } finally {
      await within('the end', world.end());
    }
    for (const { link } of [world.a, world.b]) {
      const { code } = await within('a reason', link.closed);
      assert.ok(['closed', 'protocol_error', 'message_too_large', 'replaced'].includes(code), code);
    }
  });
