// Owns the command line that pi is started with. Pure.

import type { ThinkingLevel } from './settings.ts';

export type PiSession =
  /** Nothing is kept on disk. */
  | { kind: 'none' }
  /** Goes on with what is in a file. Absolute. */
  | { kind: 'file'; path: string }
  /** Begins one under that id. */
  | { kind: 'new'; id: string };

export interface PiStart {
  session: PiSession;
  /** `provider/id`; what the session has, or pi's own choice, without. */
  model?: string | undefined;
  thinking?: ThinkingLevel | undefined;
  /** Absolute path of a file with words for the system prompt. */
  instructionsFile?: string | undefined;
}

/** Begins a session under an id of the caller's choice; not every pi has it. */
export const SESSION_ID_FLAG = '--session-id';

/** @param guardFile absolute path of heddle's extension */
export function piArguments({ session, model, thinking, instructionsFile }: PiStart, guardFile: string): string[] {
  return [
    '--mode',
    'rpc',
    '--extension',
    guardFile,
    ...sessionArguments(session),
    // Flags hold for this process; pi's commands for the same would change the user's own defaults.
    ...(model === undefined ? [] : ['--model', model]),
    ...(thinking === undefined ? [] : ['--thinking', thinking]),
    ...(instructionsFile === undefined ? [] : ['--append-system-prompt', instructionsFile]),
  ];
}

function sessionArguments(session: PiSession): string[] {
  switch (session.kind) {
    case 'none':
      return ['--no-session'];
    case 'file':
      return ['--session', session.path];
    case 'new':
      return [SESSION_ID_FLAG, session.id];
  }
}
