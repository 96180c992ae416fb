// Owns the QR code of a pair payload as text for a terminal. What the code says is decided in @heddle/wire.

import { encodePairPayload, type PairPayload } from '@heddle/wire';
import qrcode from 'qrcode-terminal';

const MAX_COLUMNS = 80;
/** ISO/IEC 18004 asks for 4 light modules around the code; cameras do with 2, and a terminal is short of lines. */
const QUIET_ZONE = 2;
/** White on black whatever the terminal's theme: not every camera reads a code whose colours are swapped. */
const WHITE_ON_BLACK = '\u001B[38;5;231;48;5;16m';
const RESET = '\u001B[0m';

export interface RenderedQr {
  /** Lines, without a line end after the last. */
  text: string;
  columns: number;
  /** Addresses that were left out, the last ones, because the code would have been too wide. */
  droppedAddresses: number;
}

/** Draws the code at most 80 columns wide; a character is one module wide and two high. */
export function renderQr(payload: PairPayload, options: { hasColours: boolean }): RenderedQr {
  for (let addresses = payload.addrs.length; ; addresses--) {
    const modules = qrModules(encodePairPayload({ ...payload, addrs: payload.addrs.slice(0, addresses) }));
    const columns = modules.length + 2 * QUIET_ZONE;
    if (columns > MAX_COLUMNS && addresses > 1) continue;
    const lines = draw(modules).map((line) => (options.hasColours ? `${WHITE_ON_BLACK}${line}${RESET}` : line));
    return { text: lines.join('\n'), columns, droppedAddresses: payload.addrs.length - addresses };
  }
}

/** The modules of the smallest code that holds a text, row by row; `true` is dark. */
function qrModules(text: string): boolean[][] {
  qrcode.setErrorLevel('L'); // a screen has no scratches
  let drawn = '';
  // The library writes one byte for each UTF-16 unit, so it is given units that are bytes of UTF-8.
  qrcode.generate(Buffer.from(text, 'utf8').toString('latin1'), { small: true }, (code) => {
    drawn = code;
  });
  // It gives no modules, only its drawing: a border of one light module around them, two rows a line.
  const rows = drawn
    .split('\n')
    .slice(1)
    .filter((line) => line !== '');
  const modules = rows.flatMap((line) => {
    const cells = line.split('').slice(1, -1);
    return [cells.map((cell) => cell === ' ' || cell === '▄'), cells.map((cell) => cell === ' ' || cell === '▀')];
  });
  return modules.slice(0, modules[0]?.length); // the number of rows is odd: the last line is half border
}

function draw(modules: boolean[][]): string[] {
  const size = modules.length;
  const isDark = (row: number, column: number) => modules[row]?.[column] === true;
  const lines: string[] = [];
  for (let row = -QUIET_ZONE; row < size + QUIET_ZONE; row += 2) {
    let line = '';
    for (let column = -QUIET_ZONE; column < size + QUIET_ZONE; column++) {
      const upper = isDark(row, column);
      const lower = isDark(row + 1, column);
      line += upper ? (lower ? ' ' : '▄') : lower ? '▀' : '█';
    }
    lines.push(line);
  }
  return lines;
}
