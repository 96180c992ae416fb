// Shows what the daemon costs its user, and how soon a client has its session back.

import { measureDaemon } from './daemon-cost.ts';
import { printTable, say } from './print-table.ts';
import { measureReconnect } from './reconnect.ts';

export async function reportReconnect(): Promise<void> {
  const figures = await measureReconnect();
  say('\nfrom the return of the path until an echo arrives, ms');
  printTable(
    ['after', 'count', 'p50', 'p95', 'goal p95'],
    figures.map(({ name, count, p50Ms, p95Ms, goalP95Ms }) => [name, String(count), p50Ms.toFixed(0), p95Ms.toFixed(0), `≤ ${goalP95Ms}`]),
  );
}

export async function reportDaemon(): Promise<void> {
  const cost = await measureDaemon();
  say('\nthe daemon, as installed');
  printTable(
    ['', 'measured', 'goal'],
    [
      ['start to QR, ms', cost.startToQrMs.toFixed(0), '10000'],
      ['idle RSS, MB', cost.idleRssMb.toFixed(0), '120'],
      [`RSS per attached session, KiB (${cost.sessions} sessions)`, cost.rssPerSessionKib.toFixed(0), '128'],
    ],
  );
}
