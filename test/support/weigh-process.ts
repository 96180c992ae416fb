// Loaded into a process with `--import`, in front of its program: asked over the IPC channel, it tells what the process
// holds once all garbage is gone. Needs `--expose-gc`. It keeps nobody alive; when whoever asks is gone, it asks its
// process to end, which would run on unseen.

import { ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { Socket } from 'node:net';
import { queryObjects } from 'node:v8';

/** What a process holds. */
export interface Weight {
  rssBytes: number;
  heapBytes: number;
  /** Open files, sockets and pipes. */
  descriptors: number;
  /** Living objects that stand for something that must be given back: unref'd timers too. */
  timers: number;
  sockets: number;
  childProcesses: number;
  abortSignals: number;
  eventTargets: number;
  /** Names of the warnings since the start: `MaxListenersExceededWarning`. */
  warnings: string[];
}

const Timeout = setTimeout(() => {}, 0).constructor as new () => NodeJS.Timeout;
const warnings: string[] = [];
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') warnings.push(`${warning.name}: ${warning.message}`);
});
process.on('message', (message) => {
  if (message === 'weigh') void weigh().then((weight) => process.send?.({ weight }));
});
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();

async function weigh(): Promise<Weight> {
  // What one collection finds to be finalized, such as a handle, only the next one frees.
  for (let round = 0; round < 3; round++) {
    await globalThis.gc?.({ type: 'major', execution: 'async', flavor: 'last-resort' }); // gives free pages back, too
    await new Promise((resolve) => setImmediate(resolve));
  }
  const count = (constructor: unknown) => queryObjects(constructor as new () => unknown, { format: 'count' });
  const counted = {
    timers: count(Timeout),
    sockets: count(Socket),
    childProcesses: count(ChildProcess),
    abortSignals: count(AbortSignal),
    eventTargets: count(EventTarget),
  };
  const { rss, heapUsed } = process.memoryUsage();
  return { rssBytes: rss, heapBytes: heapUsed, descriptors: readdirSync('/dev/fd').length, ...counted, warnings };
}
