// Owns where pi puts a session: its own folder for each folder in which it is used, unless the user's settings name one.

import { type Fields, fieldsOf, textOf } from '@heddle/bridge-kit';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface PiFolders {
  /** pi's own: settings, models, extensions. Absolute. */
  agentDir: string;
  /** `PI_CODING_AGENT_SESSION_DIR`, if it is set. */
  sessionDir: string | undefined;
}

/** @param env what pi is started with */
export function foldersOf(env: NodeJS.ProcessEnv): PiFolders {
  const home = env['HOME'] ?? homedir();
  return {
    agentDir: expanded(env['PI_CODING_AGENT_DIR'], home) ?? join(home, '.pi', 'agent'),
    sessionDir: expanded(env['PI_CODING_AGENT_SESSION_DIR'], home),
  };
}

/** Where all sessions are, however many folders pi was used in. */
export function sessionRoot({ agentDir }: PiFolders): string {
  return join(agentDir, 'sessions');
}

/** Folders that the user has chosen for all sessions. */
export async function chosenFolders({ agentDir, sessionDir }: PiFolders): Promise<string[]> {
  const chosen = sessionDir ?? textOf((await settingsIn(agentDir))['sessionDir']);
  const absolute = expanded(chosen, homedir());
  return absolute?.startsWith('/') === true || /^[A-Za-z]:/.test(absolute ?? '') ? [absolute as string] : [];
}

/** The folder in which a new session would be put that begins in `cwd`. */
export async function folderForNew(folders: PiFolders, cwd: string): Promise<string> {
  if (folders.sessionDir !== undefined) return folders.sessionDir;
  const [project, user] = await Promise.all([settingsIn(join(cwd, '.pi')), settingsIn(folders.agentDir)]);
  const chosen = expanded(textOf(project['sessionDir']) ?? textOf(user['sessionDir']), homedir());
  if (chosen !== undefined) return resolve(cwd, chosen);
  return join(sessionRoot(folders), `--${cwd.replace(/^[/\\]/, '').replaceAll(/[/\\:]/g, '-')}--`);
}

/** As pi names a session's file. */
export function sessionFileName(id: string, at: Date): string {
  return `${at.toISOString().replaceAll(/[:.]/g, '-')}_${id}.jsonl`;
}

async function settingsIn(folder: string): Promise<Fields> {
  try {
    return fieldsOf(JSON.parse(await readFile(join(folder, 'settings.json'), 'utf8')));
  } catch {
    return {}; // pi itself tells the user what is wrong with it
  }
}

function expanded(path: string | undefined, home: string): string | undefined {
  if (path === undefined || path === '') return undefined;
  return path === '~' || path.startsWith('~/') ? home + path.slice(1) : path;
}
