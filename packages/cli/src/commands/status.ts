// `heddle status`: what the daemon says of itself, or what the files say while none runs.

import type { ControlSession, ControlStatus } from '@heddle/control/protocol';
import { Command } from 'commander';
import { askDaemonIfRunning } from '../ask-daemon.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { readFileStatus } from '../file-answers.ts';
import { formatDuration } from '../format-duration.ts';
import type { Paint } from '../paint.ts';
import { renderFields } from '../render-fields.ts';

export function statusCommand(context: CliContext): Command {
  return new Command('status')
    .description('show whether the daemon runs, where it listens and who is connected')
    .option('--json', 'print JSON; its keys are stable')
    .addHelpText(
      'after',
      `
When no daemon runs, the answer comes from the files alone ("running": false) and the exit code is ${exitCodes.notRunning}.`,
    )
    .action(async (options: { json?: true }) => {
      const status = await askDaemonIfRunning(context, 'status', {});
      if (status !== undefined) {
        context.print(options.json ? json({ running: true, ...status }) : renderRunning(status, Date.now(), context.paintStdout));
        return;
      }
      context.exitCode = exitCodes.notRunning;
      const { paths, version, paintStdout: paint } = context;
      const { peerId, port, addrs, warnings } = await readFileStatus(paths);
      if (options.json) {
        const files = { config_file: paths.configFile, log_dir: paths.logDir };
        context.print(json({ running: false, version, peer_id: peerId, port, addrs, ...files, warnings }));
        return;
      }
      const rows = renderFields(
        [
          ['peer id', [peerId ?? 'none yet']],
          ['will listen', addrs],
          ['config', [port === null ? `${paths.configFile} (made at the first start)` : paths.configFile]],
          ['logs', [paths.logDir]],
        ],
        paint,
      );
      context.print(
        [`heddle is ${paint('red', 'not running')}`, ...rows, ...renderWarnings(warnings, paint), '  Start it with `heddle serve`.'].join(
          '\n',
        ),
      );
    });
}

function renderRunning(status: ControlStatus, nowMs: number, paint: Paint): string {
  const phones = status.connections === 1 ? '1 connected' : `${status.connections} connected`;
  const rows = renderFields(
    [
      ['peer id', [status.peer_id]],
      ['listens on', status.addrs],
      ['phones', [phones]],
      ['sessions', status.sessions.length === 0 ? ['none'] : renderSessions(status.sessions, nowMs, paint)],
      ['config', [status.config_file]],
      ['logs', [status.log_dir]],
    ],
    paint,
  );
  const headline = `heddle ${status.version} is ${paint('green', 'running')} for ${formatDuration(status.uptime_ms)} (pid ${status.pid})`;
  return [headline, ...rows, ...renderWarnings(status.warnings, paint)].join('\n');
}

/** One line each: the agent, since when, whose it is, and whether that one is there. */
function renderSessions(sessions: readonly ControlSession[], nowMs: number, paint: Paint): string[] {
  const ownerOf = ({ peer_id }: ControlSession) => peer_id ?? 'this computer';
  const agentWidth = Math.max(...sessions.map(({ agent }) => agent.length));
  const ownerWidth = Math.max(...sessions.map((session) => ownerOf(session).length));
  return sessions.map((session) => {
    const since = formatDuration(Math.max(0, nowMs - session.since_ms));
    const state = session.attached ? paint('green', 'attached') : paint('yellow', 'waiting for its phone');
    return `${session.agent.padEnd(agentWidth)}  ${since.padEnd(10)}  ${ownerOf(session).padEnd(ownerWidth)}  ${state}`;
  });
}

function renderWarnings(warnings: readonly string[], paint: Paint): string[] {
  return warnings.map((warning) => `  ${paint('yellow', 'warning:')} ${warning}`);
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
