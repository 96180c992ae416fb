// Owns how a phone is told to pair: the code, the text to paste, and where neither may be written.

import { encodePairPayload, type PairPayload } from '@heddle/wire';
import type { CliContext } from './context.ts';
import { describeWindow, type ShownWindow } from './describe-window.ts';
import { hasColours } from './paint.ts';
import { renderQr } from './qr.ts';

/** Prints the QR code; says so when the terminal is too narrow for it. */
export function showQr(context: CliContext, payload: PairPayload): void {
  const qr = renderQr(payload, { hasColours: hasColours(context.stdout, context.env) });
  context.print(qr.text);
  const { columns } = context.stdout;
  if (columns !== undefined && columns < qr.columns) {
    context.note(
      `the code is ${qr.columns} columns wide, this terminal ${columns}`,
      'Widen the window, or paste the output of `heddle pair --json`.',
    );
  }
  if (qr.droppedAddresses > 0) context.note(`the code holds the first ${payload.addrs.length - qr.droppedAddresses} addresses only`);
}

/** Prints the QR code and, below it, the same as text; and how long they are good for, when a daemon runs. */
export function showPairing(context: CliContext, payload: PairPayload, window: ShownWindow | undefined): void {
  const { paintStdout: paint } = context;
  context.print(`Pair a phone with ${paint('bold', payload.host_name ?? 'this computer')}: scan this code,\n`);
  showQr(context, payload);
  context.print(`\nor paste this text:\n\n${encodePairPayload(payload)}\n`);
  if (window !== undefined) context.print(`The pairing window is ${describeWindow(window, Date.now())}.`);
  context.print(paint('yellow', 'Whoever pairs with the code or the text controls the agents on this computer.'));
}
