// What the daemon costs its user: the bundle is built and run as an installed heddle would be.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dialHost } from '@heddle/client/node';
import { decodePairPayload } from '@heddle/wire';
import { build } from '../build.ts';

export interface DaemonCost {
  startToQrMs: number;
  idleRssMb: number;
  sessions: number;
  rssPerSessionKib: number;
}

const SESSIONS = 50;
const SETTLE_MS = 3_000;

/** Starts the bundled daemon in a home of its own and weighs it. */
export async function measureDaemon(): Promise<DaemonCost> {
  const bundle = await build();
  const home = mkdtempSync(join(tmpdir(), 'heddle-bench-'));
  const env = { ...process.env, HEDDLE_HOME: home };
  const startedMs = performance.now();
  const daemon = spawn(process.execPath, [bundle, 'serve'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await qrShown(daemon);
    const startToQrMs = performance.now() - startedMs;
    const payload = decodePairPayload(execFileSync(process.execPath, [bundle, 'pair', '--json'], { env, encoding: 'utf8' }));
    await settle();
    const idleKib = rssKib(daemon);
    const host = await dialHost(payload);
    const open = () => host.openChannel('demo');
    const first = await open(); // the first one pays for what all share
    await settle();
    const oneKib = rssKib(daemon);
    const channels = [first];
    for (let n = 0; n < SESSIONS; n++) channels.push(await open());
    await settle();
    const rssPerSessionKib = (rssKib(daemon) - oneKib) / SESSIONS;
    for (const channel of channels) channel.close();
    await host.close();
    return { startToQrMs, idleRssMb: (idleKib * 1024) / 1e6, sessions: SESSIONS, rssPerSessionKib };
  } finally {
    daemon.kill();
    await new Promise((resolve) => daemon.once('exit', resolve));
    rmSync(home, { recursive: true, force: true });
  }
}

/** A QR code is drawn with half blocks. */
function qrShown(daemon: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    daemon.stdout?.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
      if (/[▀▄█]{20}/.test(seen)) resolve();
    });
    daemon.once('exit', (code) => reject(new Error(`the daemon ended with ${code} before its QR was shown`)));
  });
}

function rssKib(daemon: ChildProcess): number {
  const status = readFileSync(`/proc/${daemon.pid}/status`, 'utf8'); // Linux only, as is the figure
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
}

/** Lets garbage be collected; this is a measurement, nothing waits for it to be ready. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
