// `heddle probe`: acts as a phone, with an identity of its own that it keeps. It starts a thread, sends a message and
// shows the turn as it runs.

import type { HostConnection } from '@heddle/client/node';
import { loadIdentity } from '@heddle/host';
import { type AgentInfo, type ErrorCode, HeddleError, type PairPayload } from '@heddle/wire';
import { Command, Option } from 'commander';
import { askDaemon } from '../ask-daemon.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { type ApprovalMode, approvalModes } from '../probe/answer-requests.ts';
import { readPayloadFrom } from '../probe/payload-source.ts';
import { printTurn, showTurn, type ShownTurn } from '../probe/show-turn.ts';
import { renderAgents } from '../render-agents.ts';

interface ProbeOptions {
  payload?: string;
  agent?: string;
  cwd?: string;
  approve?: ApprovalMode;
  json?: true;
  list?: true;
}

export function probeCommand(context: CliContext): Command {
  return new Command('probe')
    .description('act as a phone: connect, send a message, show the turn as it runs')
    .argument('[text]', 'what to say to the agent')
    .option('--payload <payload>', 'pair payload: its text, @FILE, or - for stdin (default: of this computer)')
    .option('--list', 'list the agents only')
    .option('--agent <name>', 'which agent (default: the first that is available)')
    .option('--cwd <dir>', 'folder on that computer in which the agent works')
    .addOption(new Option('--approve <how>', 'when the agent asks (default: ask on a terminal, else decline)').choices(approvalModes))
    .option('--json', 'print every event as a line of JSON')
    .addHelpText(
      'after',
      `
Examples:
  heddle probe "say hello"
  heddle probe --payload @loom.json --agent codex --cwd /srv/app "why does the build fail?"

On this computer probe needs no pairing. Another computer takes it as a new device: run \`heddle pair\` there first.
A payload holds a secret, and a command line can be read by every user of a computer: prefer @FILE or -.
Ctrl-C interrupts the turn. The exit code is ${exitCodes.done} when the turn was completed, ${exitCodes.failed} when it failed.`,
    )
    .action(async (text: string | undefined, options: ProbeOptions, command: Command) => {
      if (!options.list && (text === undefined || text.trim() === ''))
        command.error('error: what should be said to the agent? Or use --list');
      const mode = approvalMode(options, context);
      const target = await findTarget(options, context);
      const interrupted = context.catchInterrupt();
      try {
        await withHost(target, interrupted, async (host) => {
          if (options.list) printAgents(await host.listAgents({ signal: interrupted }), options, context);
          else await talk(host, options, { text: text as string, cwd: options.cwd, mode, interrupted }, context);
        });
      } catch (error) {
        if (!interrupted.aborted) throw options.payload === undefined ? error : explainStranger(error);
      }
      if (interrupted.aborted) context.exitCode = exitCodes.interrupted;
    });
}

function approvalMode({ approve, payload }: ProbeOptions, { stdin, stderr }: CliContext): ApprovalMode {
  const canAsk = stdin.isTTY === true && stderr.isTTY === true && payload !== '-';
  if (approve === 'ask' && !canAsk)
    throw new HeddleError('usage', '--approve ask needs a terminal to ask on', { hint: 'Use accept or decline.' });
  return approve ?? (canAsk ? 'ask' : 'decline');
}

interface Target {
  payload: PairPayload;
  /** Seed of the device that probe is. */
  seed: Uint8Array;
}

/** On this computer it needs no pairing window: who may use the control socket may do everything anyway. */
async function findTarget({ payload }: ProbeOptions, context: CliContext): Promise<Target> {
  if (payload !== undefined) {
    const given = await readPayloadFrom(payload, context.stdin);
    return { payload: given, seed: (await loadIdentity(context.paths.probeKeyFile)).seed };
  }
  await askDaemon(context, 'devices', {}); // without a daemon no key is made
  const { seed, peerId } = await loadIdentity(context.paths.probeKeyFile);
  const answer = await askDaemon(context, 'devices.enrol', { peer_id: peerId, name: 'heddle probe' });
  return { payload: answer.payload, seed };
}

const strangerCodes: ReadonlySet<ErrorCode> = new Set(['unreachable', 'connection_lost', 'pairing_closed']);

/** A computer that takes no new devices cuts a stranger off without a word. */
function explainStranger(error: unknown): unknown {
  if (!(error instanceof HeddleError) || !strangerCodes.has(error.code)) return error;
  const hint = 'If probe was never paired with that computer, run `heddle pair` there first.';
  return new HeddleError(error.code, error.message, { hint: [error.hint, hint].filter(Boolean).join(' '), cause: error });
}

async function withHost({ payload, seed }: Target, signal: AbortSignal, use: (host: HostConnection) => Promise<void>): Promise<void> {
  const { deviceKeyFromSeed, dialHost } = await import('@heddle/client/node'); // loads libp2p, which other commands need not wait for
  const host = await dialHost(payload, { signal, privateKey: await deviceKeyFromSeed(seed) });
  try {
    await use(host);
  } finally {
    await host.close();
  }
}

function printAgents(agents: readonly AgentInfo[], options: ProbeOptions, context: CliContext): void {
  if (options.json) context.print(JSON.stringify({ agents }, null, 2));
  else context.print(renderAgents(agents, context.paintStdout).join('\n') || 'No agent is switched on there.');
}

async function talk(host: HostConnection, { agent, json }: ProbeOptions, turn: ShownTurn, context: CliContext): Promise<void> {
  const { interrupted: signal } = turn;
  const name = agent ?? firstAvailable(await host.listAgents({ signal }));
  const clientInfo = { name: 'heddle-probe', title: 'heddle probe', version: context.version };
  const session = await host.openAgent(name, { clientInfo, signal });
  try {
    const { status } = json ? await printTurn(session, turn, context) : await showTurn(session, turn, context);
    if (status !== 'completed') context.exitCode = exitCodes.failed;
  } finally {
    session.close();
  }
}

function firstAvailable(agents: readonly AgentInfo[]): string {
  const found = agents.find(({ available }) => available);
  if (found !== undefined) return found.name;
  throw new HeddleError('agent_unavailable', 'no agent is available on that computer', {
    hint: '`heddle probe --list` says what is missing.',
  });
}
