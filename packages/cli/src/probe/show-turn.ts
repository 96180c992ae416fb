// Owns running one turn with everything that is shown of it, for people or as JSON lines.

import type { AgentSession } from '@heddle/client/node';
import type { Turn } from '@heddle/wire';
import type { CliContext } from '../context.ts';
import { type ApprovalMode, RequestAnswerer } from './answer-requests.ts';
import { askOnTerminal } from './ask-on-terminal.ts';
import { renderNotice, renderSummary } from './render-turn.ts';
import { runTurn, type SaidEvent } from './run-turn.ts';
import { emptyTurnView, endLine, type Step } from './turn-view.ts';

export interface ShownTurn {
  text: string;
  cwd: string | undefined;
  mode: ApprovalMode;
  interrupted: AbortSignal;
}

/**
 * Shows the turn as it runs and a summary at its end.
 * @throws HeddleError as `runTurn`
 */
export async function showTurn(session: AgentSession, options: ShownTurn, context: CliContext): Promise<Turn> {
  const { paintStdout: paint, stdout } = context;
  let view = emptyTurnView;
  const write = (step: Step) => {
    view = step.view;
    if (step.out !== '') stdout.write(step.out);
  };
  const answerer = answererFor(options, context, (text) => void stdout.write(`  ${paint('dim', `→ ${text}`)}\n`));
  const startedMs = performance.now();
  const turn = await runTurn(session, {
    ...options,
    onEvent: (event) => {
      if (!answerer.takes(event)) write(renderNotice(view, event, paint));
    },
  }).finally(() => {
    answerer.close();
    write(endLine(view)); // an error message must not begin in the middle of a line
  });
  write(renderSummary(view, turn, performance.now() - startedMs, paint));
  return turn;
}

/**
 * Prints every event as a line of JSON, and what was answered to requests.
 * @throws HeddleError as `runTurn`
 */
export async function printTurn(session: AgentSession, options: ShownTurn, context: CliContext): Promise<Turn> {
  const answerer = answererFor(options, context, (text) => context.print(JSON.stringify({ kind: 'answer', text })));
  return runTurn(session, {
    ...options,
    onEvent: (event: SaidEvent) => {
      context.print(JSON.stringify(event)); // functions leave no trace in JSON
      answerer.takes(event);
    },
  }).finally(() => answerer.close());
}

function answererFor({ mode }: ShownTurn, { stdin, stderr }: CliContext, onAnswered: (text: string) => void): RequestAnswerer {
  return new RequestAnswerer({ mode, ask: askOnTerminal(stdin, stderr), onAnswered });
}
