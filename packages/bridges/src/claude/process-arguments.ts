// Owns the command line and the environment that claude is started with. Pure.

import type { ClaudeEffort, PermissionMode } from './settings.ts';

/** Variables with which claude marks what it starts itself: a daemon started from there is not inside of it. */
const ofAnOuterClaude = ['CLAUDECODE', 'CLAUDE_CODE_ENTRYPOINT', 'CLAUDE_CODE_SSE_PORT'] as const;

export interface ClaudeStart {
  /** Session: continued when there is a transcript of it, else begun. Without one nothing is kept on disk. */
  session: { id: string; isStored: boolean } | undefined;
  /** As `--model` takes it; claude's own choice without. */
  model?: string | undefined;
  effort?: ClaudeEffort | undefined;
  mode: PermissionMode;
  /** host.toml lets claude act without asking, so that a client may choose it. Not chosen by this alone. */
  allowFullAccess: boolean;
  /** Whether this claude can be asked for the words of its thoughts; an older one refuses the flag. */
  hasThinkingDisplay: boolean;
}

export const THINKING_FLAG = '--thinking-display';

export function claudeArguments({ session, model, effort, mode, allowFullAccess, hasThinkingDisplay }: ClaudeStart): string[] {
  return [
    '-p',
    '--input-format',
    'stream-json',
    '--output-format',
    'stream-json',
    '--verbose',
    '--include-partial-messages',
    '--replay-user-messages', // an echo when claude takes a message, which is how its place among the turns is known
    '--permission-prompt-tool',
    'stdio',
    ...(hasThinkingDisplay ? [THINKING_FLAG, 'summarized'] : []),
    ...(session === undefined ? ['--no-session-persistence'] : [session.isStored ? '--resume' : '--session-id', session.id]),
    ...(model === undefined ? [] : ['--model', model]),
    ...(effort === undefined ? [] : ['--effort', effort]),
    ...(allowFullAccess ? ['--allow-dangerously-skip-permissions'] : []),
    '--permission-mode',
    mode,
  ];
}

export function claudeEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ofAnOuterClaude.some((marked) => marked === name)));
}

/** claude refuses to act without asking as root, unless it is told that it sits in a sandbox. */
export function mayHaveFullAccess(allowFullAccess: boolean, env: NodeJS.ProcessEnv): boolean {
  return allowFullAccess && (process.getuid?.() !== 0 || env['IS_SANDBOX'] === '1');
}
