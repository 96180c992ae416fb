// Owns the reading of opencode's sessions, and of what it tells of its state. Source: opencode 1.18.33, `GET /doc`.

import { type Fields, fieldsOf, numberOf, textOf } from '@heddle/bridge-kit';
import { type PermissionRule, readRules } from './session-rules.ts';

export interface NativeSession {
  id: string;
  parentId: string | undefined;
  /** Absolute. */
  directory: string;
  title: string;
  createdAtMs: number;
  updatedAtMs: number;
  /** With what it was last prompted; `undefined`: it never was. */
  model: { provider: string; id: string; variant: string | undefined } | undefined;
  /** Its agent: `build`, `plan`, or a sub-agent's name. */
  agent: string | undefined;
  /** In US dollars. */
  costUsd: number;
  note: SessionNote;
  /** What is asked about in it beside what the configuration says. */
  rules: readonly PermissionRule[];
  /** This message and what follows were taken back in a terminal, and will go when something is said. */
  revertedFrom: string | undefined;
}

/** What heddle has noted in a session, where opencode keeps it. */
export interface SessionNote {
  /** What it began with. */
  preview?: string;
  /** From this message on it was taken back here; it goes when something is said. */
  reverted?: { from: string; atMs: number };
}

/** @returns undefined for what is no session */
export function readSession(value: unknown): NativeSession | undefined {
  const fields = fieldsOf(value);
  const id = textOf(fields['id']);
  const directory = textOf(fields['directory']);
  if (id === undefined || directory === undefined) return undefined;
  const time = fieldsOf(fields['time']);
  const createdAtMs = numberOf(time['created']) ?? 0;
  return {
    id,
    parentId: textOf(fields['parentID']),
    directory,
    title: textOf(fields['title']) ?? '',
    createdAtMs,
    updatedAtMs: numberOf(time['updated']) ?? createdAtMs,
    model: readModel(fieldsOf(fields['model'])),
    agent: textOf(fields['agent']),
    costUsd: numberOf(fields['cost']) ?? 0,
    note: readNote(fieldsOf(fieldsOf(fields['metadata'])['heddle'])),
    rules: readRules(fields['permission']),
    revertedFrom: textOf(fieldsOf(fields['revert'])['messageID']),
  };
}

/** The title that a session, or a copy of one, has until somebody, or a model, has given it another. */
export function isMadeUpTitle(title: string): boolean {
  return /^(?:New|Child) session - \d{4}-\d\d-\d\dT[\d:.]+Z(?: \(fork #\d+\))*$/.test(title);
}

/** Whether nothing was ever said in it, as far as the session itself tells; a copy does not know what it was prompted with. */
export function isUnsaid({ model, title }: NativeSession): boolean {
  return model === undefined && isMadeUpTitle(title) && !title.endsWith(')');
}

function readModel(fields: Fields): NativeSession['model'] {
  const id = textOf(fields['id']);
  const provider = textOf(fields['providerID']);
  if (id === undefined || provider === undefined) return undefined;
  const variant = textOf(fields['variant']);
  return { provider, id, variant: variant === 'default' ? undefined : variant };
}

function readNote(fields: Fields): SessionNote {
  const preview = textOf(fields['preview']);
  const reverted = fieldsOf(fields['reverted']);
  const [from, atMs] = [textOf(reverted['from']), numberOf(reverted['atMs'])];
  return {
    ...(preview === undefined ? {} : { preview }),
    ...(from === undefined || atMs === undefined ? {} : { reverted: { from, atMs } }),
  };
}
