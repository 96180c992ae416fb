// A TCP proxy with bad manners: it cuts, stalls, half-closes and delays, at random from a seed that is printed, so
// that a failure can be had again.

import { connect, createServer, type Socket } from 'node:net';

/** mulberry32: small, seeded, good enough to choose misfortunes. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface FlakyProxy {
  port: number;
  /** How many pairs of connections have been harmed so far. */
  readonly cuts: number;
  /** From now on a misfortune befalls one of the open connections, this often. */
  harmEvery(ms: number): void;
  /** Cuts everything that is open now. */
  cutAll(): void;
  /** From now on bytes are swallowed and dials hang, or pass again. */
  setSilent(isSilent: boolean): void;
  close(): Promise<void>;
}

interface Pair {
  near: Socket;
  far: Socket;
}

export async function startFlakyProxy(targetPort: number, options: { seed: number }): Promise<FlakyProxy> {
  const random = randomFrom(options.seed);
  const pairs = new Set<Pair>();
  let cuts = 0;
  let isSilent = false;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const pair = { near, far };
    pairs.add(pair);
    const forward = (from: Socket, to: Socket) => {
      from.on('data', (chunk) => {
        if (isSilent) return;
        if (!to.write(chunk)) from.pause();
      });
      to.on('drain', () => from.resume());
      from.on('end', () => !isSilent && to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => {
        pairs.delete(pair);
        if (!isSilent) to.destroy();
      });
    };
    forward(near, far);
    forward(far, near);
  });

  const misfortunes: ((pair: Pair) => void)[] = [
    ({ near, far }) => {
      near.resetAndDestroy();
      far.resetAndDestroy();
    },
    ({ near, far }) => {
      // The two ends learn of it at different times, in either order.
      const [first, second] = random() < 0.5 ? [near, far] : [far, near];
      first.destroy();
      setTimeout(() => second.destroy(), random() * 30);
    },
    ({ near }) => near.end(),
    ({ far }) => far.end(),
    ({ near, far }) => {
      near.pause();
      far.pause();
      setTimeout(() => {
        near.destroy();
        far.destroy();
      }, random() * 20);
    },
    ({ near, far }) => {
      near.pause();
      setTimeout(() => near.resume(), random() * 10); // only a delay
      far.pause();
      setTimeout(() => far.resume(), random() * 10);
    },
  ];
  const harm = () => {
    const all = [...pairs];
    const pair = all[Math.floor(random() * all.length)];
    if (pair === undefined) return;
    cuts += 1;
    misfortunes[Math.floor(random() * misfortunes.length)]?.(pair);
  };
  let timer: NodeJS.Timeout | undefined;

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cutAll = () => {
    for (const { near, far } of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  return {
    port: (server.address() as { port: number }).port,
    get cuts() {
      return cuts;
    },
    harmEvery(ms) {
      clearInterval(timer);
      timer = setInterval(harm, ms);
    },
    cutAll,
    setSilent: (silent) => {
      isSilent = silent;
    },
    async close() {
      clearInterval(timer);
      isSilent = false;
      cutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
