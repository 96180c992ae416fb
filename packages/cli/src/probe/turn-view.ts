// Owns where the cursor stands while a turn is shown: blocks, lines, and what was shown already. Pure.

import type { TokenUsage } from '@heddle/wire';
import type { Paint, Style } from '../paint.ts';
import { printable } from '../printable.ts';

export interface TurnView {
  /** What the cursor stands in: an item, or a part of one. */
  readonly block: string | undefined;
  readonly isAtLineStart: boolean;
  /** Text that was shown already, by item. */
  readonly shown: Readonly<Record<string, string>>;
  readonly usage: TokenUsage | undefined;
  readonly lastError: string | undefined;
}

export const emptyTurnView: TurnView = { block: undefined, isAtLineStart: true, shown: {}, usage: undefined, lastError: undefined };

export interface Step {
  view: TurnView;
  out: string;
}

interface StreamStyle {
  style: Style;
  paint: Paint;
  isIndented?: boolean;
}

/** Continues a block, or begins it; remembers the text under the item. */
export function stream(view: TurnView, itemId: string, block: string, text: string, styled?: StreamStyle): Step {
  if (text === '') return { view: { ...view, shown: { [itemId]: '', ...view.shown } }, out: '' };
  const begun = beginBlock(view, block);
  const lines = printable(text).split('\n');
  const out = lines
    .map((line, at) => {
      const indent = styled?.isIndented === true && line !== '' && (at > 0 || begun.view.isAtLineStart) ? '  ' : '';
      return indent + (styled === undefined ? line : styled.paint(styled.style, line));
    })
    .join('\n');
  const shown = { ...view.shown, [itemId]: (view.shown[itemId] ?? '') + text };
  const isAtLineStart = lines.at(-1) === '' && (lines.length > 1 || begun.view.isAtLineStart);
  return { view: { ...begun.view, shown, isAtLineStart }, out: begun.out + out };
}

/** Begins a block and writes whole lines into it. */
export function writeBlock(view: TurnView, block: string, lines: string): Step {
  const begun = beginBlock({ ...view, block: undefined }, block, view.block !== undefined);
  const shown = block in view.shown ? view.shown : { ...view.shown, [block]: '' };
  return { view: { ...begun.view, shown, isAtLineStart: true }, out: begun.out + lines };
}

/** Writes whole lines into a block, on a line of their own. */
export function write(view: TurnView, block: string, lines: string): Step {
  const begun = view.block === block ? endLine(view) : beginBlock(view, block);
  return { view: { ...begun.view, isAtLineStart: true }, out: begun.out + lines };
}

/** An empty line stands between two blocks. */
function beginBlock(view: TurnView, block: string, hasBefore = view.block !== undefined): Step {
  if (view.block === block) return { view, out: '' };
  const ended = endLine(view);
  return { view: { ...ended.view, block }, out: hasBefore ? `${ended.out}\n` : ended.out };
}

/** Ends the line that the cursor stands in. */
export function endLine(view: TurnView): Step {
  return view.isAtLineStart ? { view, out: '' } : { view: { ...view, isAtLineStart: true }, out: '\n' };
}

export function join(first: Step, second: (view: TurnView) => Step): Step {
  const then = second(first.view);
  return { view: then.view, out: first.out + then.out };
}
