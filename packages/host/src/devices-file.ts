// Owns devices.json: its shape on disk, read whole and written whole. A broken one is reported, never replaced.

import { open } from 'node:fs/promises';
import { asError, deviceScopes, HeddleError, MAX_DEVICE_NAME_LENGTH } from '@heddle/wire';
import * as z from 'zod';
import { octal } from './private-dir.ts';
import { createPrivateFile, replacePrivateFile } from './private-file.ts';

const unixMs = z.int().nonnegative();

const deviceSchema = z.strictObject({
  /** libp2p PeerId: the device's own public key. */
  peer_id: z.string().min(1),
  name: z.string().min(1).max(MAX_DEVICE_NAME_LENGTH),
  scope: z.enum(deviceScopes),
  /** A program of this computer, enrolled through the control socket and not by pairing. */
  is_local: z.boolean(),
  paired_at_ms: unixMs,
  last_seen_ms: unixMs.nullable(),
  /** Multiaddr it last came from. */
  last_address: z.string().nullable(),
  revoked_at_ms: unixMs.nullable(),
});
/** A device as the file has it. */
export type DeviceRecord = Readonly<z.infer<typeof deviceSchema>>;

const fileSchema = z.strictObject({
  v: z.literal(1),
  /** SHA-256 of the token with which these devices were paired: they are worth nothing under another one. */
  token_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  devices: z.array(deviceSchema).refine((list) => new Set(list.map(({ peer_id: id }) => id)).size === list.length, {
    error: 'a peer id stands there twice',
  }),
});
export type DevicesFile = z.infer<typeof fileSchema>;

const RESTORE_HINT = 'Restore it from a backup, or delete it: every device then has to pair again.';

/**
 * Reads the file; undefined when there is none.
 * @throws HeddleError `state_unreadable` when it is broken, or open to other users; it is left as it is.
 */
export async function readDevicesFile(file: string): Promise<DevicesFile | undefined> {
  const text = await readPrivate(file);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HeddleError('state_unreadable', `${file} is not JSON`, { cause, hint: RESTORE_HINT });
  }
  const result = fileSchema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? '' : ` at "${issue.path.join('.')}"`;
  throw new HeddleError('state_unreadable', `${file} is wrong${where}: ${issue?.message ?? 'unknown reason'}`, { hint: RESTORE_HINT });
}

/**
 * Replaces the file (0600): a reader sees the old text or the new one.
 * @throws HeddleError `state_unreadable`; the old text is then still whole.
 */
export async function writeDevicesFile(file: string, content: DevicesFile): Promise<void> {
  const text = `${JSON.stringify(content, null, 2)}\n`;
  try {
    await replacePrivateFile(file, text);
  } catch (caught) {
    if (isMissing(caught) && (await createPrivateFile(file, text).catch(() => false))) return;
    const cause = asError(caught);
    throw new HeddleError('state_unreadable', `can't write ${file}: ${cause.message}`, {
      cause,
      hint: 'Look whether the disk is full and who may write there.',
    });
  }
}

async function readPrivate(file: string): Promise<string | undefined> {
  try {
    const handle = await open(file, 'r');
    try {
      const { mode } = await handle.stat();
      if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
        throw new HeddleError('state_unreadable', `${file} says who may drive your agents, but other users can open it (${octal(mode)})`, {
          hint: `Look whether \`heddle devices list\` shows only yours after: chmod 600 '${file}'`,
        });
      }
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (caught) {
    if (isMissing(caught)) return undefined;
    if (caught instanceof HeddleError) throw caught;
    const cause = asError(caught);
    throw new HeddleError('state_unreadable', `can't read ${file}: ${cause.message}`, { cause, hint: RESTORE_HINT });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
