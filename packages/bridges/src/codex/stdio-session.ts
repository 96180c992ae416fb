// Owns the way to a codex that can't listen on a socket: one app-server process per session, JSON lines on stdio.

import { type ChildProcess, startChildProcess } from '@heddle/bridge-kit';
import { type ByteDuplex, type Channel, jsonlChannel, type Log, MAX_MESSAGE_TO_CLIENT_BYTES } from '@heddle/rpc';
import { homedir } from 'node:os';
import { finished } from 'node:stream/promises';

/** Starts an app-server on stdio. The session's end ends the process, and the other way round. */
export async function openStdioSession(options: {
  path: string;
  env: NodeJS.ProcessEnv;
  runtimeDir: string;
  log: Log;
}): Promise<{ channel: Channel; process: ChildProcess }> {
  const process = await startChildProcess({
    command: options.path,
    args: ['app-server'],
    env: options.env,
    cwd: options.env['HOME'] ?? homedir(),
    log: options.log,
    runtimeDir: options.runtimeDir,
  });
  const channel = jsonlChannel(pipesDuplex(process), {
    maxLineBytes: MAX_MESSAGE_TO_CLIENT_BYTES,
    endReason: { code: 'agent_exited', message: 'codex app-server ended', hint: 'Connect again: it is started anew.' },
  });
  void channel.closed.then(() => process.stop());
  return { channel, process };
}

function pipesDuplex(process: ChildProcess): ByteDuplex {
  const { stdin, stdout } = process;
  return {
    source: stdout as AsyncIterable<Uint8Array>,
    closed: process.exited.then(() => undefined),
    async write(bytes) {
      if (stdin.write(bytes)) return;
      await new Promise<void>((resolve) => {
        const settle = () => {
          stdin.off('drain', settle);
          stdin.off('close', settle);
          resolve();
        };
        stdin.on('drain', settle);
        stdin.on('close', settle);
      });
    },
    async closeWrite() {
      stdin.end();
      await finished(stdin).catch(() => undefined); // a process that has gone takes its pipe with it
    },
    abort: () => void process.stop(),
  };
}
