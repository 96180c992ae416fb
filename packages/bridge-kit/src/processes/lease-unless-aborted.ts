// Owns the wait for a process that may not be wanted any more when it is there.

import type { Lease } from './process-pool.ts';

/**
 * Waits for a lease, but not beyond the signal; one that comes later is given back at once.
 * @returns undefined when the signal was first
 * @throws what `starting` rejects with, before that
 */
export async function leaseUnlessAborted<T>(signal: AbortSignal, starting: Promise<Lease<T>>): Promise<Lease<T> | undefined> {
  const { promise: cut, resolve } = Promise.withResolvers<undefined>();
  const onAbort = () => resolve(undefined);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const lease = await Promise.race([starting, cut]).finally(() => signal.removeEventListener('abort', onAbort));
  if (lease === undefined) starting.then((late) => late.release()).catch(() => {}); // nobody waits for it any more
  return lease;
}
