// Owns how a turn looks while it runs: notifications in, text out. Pure: no clock, no I/O, no ids of its own.

import type {
  CommandExecutionItem,
  CommandStatus,
  FileChangeItem,
  PlanStep,
  ServerNotificationMethod,
  ServerNotificationParams,
  ThreadItem,
  Turn,
  TurnStatus,
} from '@heddle/wire';
import { formatDuration } from '../format-duration.ts';
import type { Paint, Style } from '../paint.ts';
import { printable } from '../printable.ts';
import { renderChange } from './render-diff.ts';
import { endLine, join, type Step, stream, type TurnView, write, writeBlock } from './turn-view.ts';

export type Notice = { [M in ServerNotificationMethod]: { method: M; params: ServerNotificationParams<M> } }[ServerNotificationMethod];

/** Takes one notification of the thread. Methods that are not shown change nothing. */
export function renderNotice(view: TurnView, notice: Notice, paint: Paint): Step {
  switch (notice.method) {
    case 'item/started':
      return renderItemStarted(view, notice.params.item, paint);
    case 'item/completed':
      return renderItemCompleted(view, notice.params.item, paint);
    case 'item/agentMessage/delta':
      return stream(view, notice.params.itemId, notice.params.itemId, notice.params.delta);
    case 'item/reasoning/summaryTextDelta':
    case 'item/reasoning/textDelta': {
      const { itemId, delta } = notice.params;
      const part =
        notice.method === 'item/reasoning/textDelta' ? `text ${notice.params.contentIndex}` : `summary ${notice.params.summaryIndex}`;
      return stream(view, itemId, `${itemId} ${part}`, delta, { style: 'dim', paint });
    }
    case 'item/commandExecution/outputDelta':
      return stream(view, notice.params.itemId, notice.params.itemId, notice.params.delta, { style: 'dim', paint, isIndented: true });
    case 'turn/plan/updated':
      return writeBlock(view, 'plan', renderPlan(notice.params.plan, notice.params.explanation, paint));
    case 'thread/tokenUsage/updated':
      return { view: { ...view, usage: notice.params.tokenUsage.total }, out: '' };
    case 'warning':
      return writeBlock(view, 'warning', `${paint('yellow', '! ')}${printable(notice.params.message)}\n`);
    case 'error': {
      const { error, willRetry } = notice.params;
      const text = willRetry
        ? `${paint('yellow', '! ')}${printable(error.message)}\n`
        : `${paint('red', '✗ ')}${printable(error.message)}\n`;
      return writeBlock({ ...view, lastError: willRetry ? view.lastError : error.message }, 'error', text);
    }
    default:
      return { view, out: '' };
  }
}

const summaryMarks = {
  completed: ['green', '✓'],
  interrupted: ['yellow', '■'],
  failed: ['red', '✗'],
  inProgress: ['yellow', '…'],
} as const satisfies Record<TurnStatus, readonly [Style, string]>;

/** The last line: how the turn ended, how long it took, what it cost. `elapsedMs` counts where the agent has no time. */
export function renderSummary(view: TurnView, turn: Turn, elapsedMs: number, paint: Paint): Step {
  const [style, mark] = summaryMarks[turn.status];
  const duration = formatDuration(turn.durationMs ?? elapsedMs);
  const { usage } = view;
  const number = (value: number) => value.toLocaleString('en-US');
  const tokens =
    usage === undefined ? '' : `, ${number(usage.totalTokens)} tokens (${number(usage.inputTokens)} in, ${number(usage.outputTokens)} out)`;
  const error = turn.error === null || turn.error.message === view.lastError ? '' : `: ${printable(turn.error.message)}`;
  return writeBlock(view, 'summary', `${paint(style, `${mark} ${turn.status}`)} in ${duration}${tokens}${error}\n`);
}

function renderItemStarted(view: TurnView, item: ThreadItem, paint: Paint): Step {
  switch (item.type) {
    case 'commandExecution':
      return writeBlock(view, item.id, commandLine(item, paint));
    case 'fileChange':
      return item.changes.length === 0 ? { view, out: '' } : writeChanges(view, item, paint);
    case 'userMessage':
    case 'agentMessage':
    case 'reasoning':
      return { view, out: '' };
    default:
      return writeBlock(view, (item as { id: string }).id, paint('dim', `· ${printable((item as { type: string }).type)}\n`));
  }
}

function renderItemCompleted(view: TurnView, item: ThreadItem, paint: Paint): Step {
  const isShown = item.id in view.shown;
  switch (item.type) {
    case 'agentMessage':
      return isShown ? endLine(view) : stream(view, item.id, item.id, item.text);
    case 'reasoning': {
      if (isShown) return endLine(view);
      const text = (item.summary.length > 0 ? item.summary : item.content).join('\n\n');
      return text === '' ? { view, out: '' } : stream(view, item.id, item.id, text, { style: 'dim', paint });
    }
    case 'commandExecution':
      return renderCommandEnd(view, item, paint);
    case 'fileChange': {
      const before = isShown ? { view, out: '' } : writeChanges(view, item, paint);
      return join(before, (next) => write(next, item.id, `  ${statusText(item.status, paint)}\n`));
    }
    case 'userMessage':
      return { view, out: '' };
    default:
      return endLine(view);
  }
}

/** Live output begins late and may skip the beginning; the item that ends has all of it (codex 0.169, measured). */
function renderCommandEnd(view: TurnView, item: CommandExecutionItem, paint: Paint): Step {
  const before: Step = item.id in view.shown ? { view, out: '' } : writeBlock(view, item.id, commandLine(item, paint));
  const shown = before.view.shown[item.id] ?? '';
  const whole = item.aggregatedOutput ?? '';
  const missing = whole === shown || whole === '' ? '' : whole.endsWith(shown) ? whole.slice(0, whole.length - shown.length) : whole;
  const options = { style: 'dim', paint, isIndented: true } as const;
  const withOutput = join(before, (next) => {
    if (missing === '') return { view: next, out: '' };
    if (shown === '') return stream(next, item.id, item.id, missing, options);
    const note = write(next, item.id, `  ${paint('dim', '(it began with)')}\n`);
    return join(note, (after) => stream(after, item.id, item.id, missing, options));
  });
  const exit =
    item.exitCode === null ? statusText(item.status, paint) : paint(item.exitCode === 0 ? 'green' : 'red', `exit ${item.exitCode}`);
  const took = item.durationMs === null ? '' : paint('dim', ` in ${formatDuration(item.durationMs)}`);
  return join(withOutput, (next) => write(next, item.id, `  ${exit}${took}\n`));
}

function writeChanges(view: TurnView, item: FileChangeItem, paint: Paint): Step {
  return writeBlock(view, item.id, item.changes.map((change) => renderChange(change, paint)).join(''));
}

/** Agents wrap commands into a shell: `/bin/bash -lc 'ls'` is shown as `ls`. */
function commandLine({ command }: CommandExecutionItem, paint: Paint): string {
  const [, single, double] = /^(?:\/\S*\/)?(?:bash|zsh|sh) -l?c (?:'([^']*)'|"((?:[^"\\]|\\.)*)")$/s.exec(command) ?? [];
  const inner = single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? command;
  return `${paint('cyan', '$')} ${paint('bold', printable(inner))}\n`;
}

function statusText(status: CommandStatus, paint: Paint): string {
  const styles = { completed: 'green', inProgress: 'yellow', declined: 'yellow', failed: 'red' } as const satisfies Record<
    CommandStatus,
    Style
  >;
  return paint(styles[status], status === 'completed' ? 'done' : status);
}

function renderPlan(plan: readonly PlanStep[], explanation: string | null, paint: Paint): string {
  const marks = {
    completed: paint('green', '✓'),
    inProgress: paint('cyan', '▸'),
    pending: paint('dim', '·'),
  } satisfies Record<PlanStep['status'], string>;
  const why = explanation === null || explanation === '' ? '' : ` ${paint('dim', printable(explanation))}`;
  return `${paint('bold', 'Plan')}${why}\n${plan.map(({ step, status }) => `  ${marks[status]} ${printable(step)}\n`).join('')}`;
}
