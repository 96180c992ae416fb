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
  // The QR code is shown on a terminal only: `script` (util-linux) makes one.
  const command = `exec '${process.execPath}' '${bundle}' serve`;
  const terminal = spawn('script', ['-qfec', command, '/dev/null'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const heddle = (...args: string[]) => execFileSync(process.execPath, [bundle, ...args], { env, encoding: 'utf8' });
  try {
    await qrShown(terminal);
    const startToQrMs = performance.now() - startedMs;
    const payload = decodePairPayload(heddle('pair', '--json'));
    const { pid } = JSON.parse(heddle('status', '--json')) as { pid: number };
    await settle();
    const idleKib = rssKib(pid);
    const host = await dialHost(payload);
    const open = () => host.openChannel('demo');
    const first = await open(); // the first one pays for what all share
    await settle();
    const oneKib = rssKib(pid);
    const channels = [first];
    for (let n = 0; n < SESSIONS; n++) channels.push(await open());
    await settle();
    const rssPerSessionKib = (rssKib(pid) - oneKib) / SESSIONS;
    for (const channel of channels) channel.close();
    await host.close();
    return { startToQrMs, idleRssMb: (idleKib * 1024) / 1e6, sessions: SESSIONS, rssPerSessionKib };
  } finally {
    heddle('stop');
    rmSync(home, { recursive: true, force: true });
  }
}

/** A QR code is drawn with half blocks. */
function qrShown(terminal: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    terminal.stdout?.setEncoding('utf8').on('data', (text: string) => {
      seen += text;
      if (/[▀▄█]{20}/.test(seen)) resolve();
    });
    terminal.once('exit', (code) => reject(new Error(`the daemon ended with ${code} before its QR was shown`)));
  });
}

function rssKib(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8'); // Linux only, as is the figure
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
}

/** Lets garbage be collected; this is a measurement, nothing waits for it to be ready. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}
