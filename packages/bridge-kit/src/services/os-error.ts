// Owns how a failure of the operating system is said on the wire: as codex says it, which is as Rust does.

import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';
import { RpcError } from '@heddle/rpc';
import { jsonRpcCodes } from '@heddle/wire';

/** Where libc's words, which Rust takes, are not those that Node has. */
const libcWords: Readonly<Record<string, string>> = {
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  EXDEV: 'Invalid cross-device link',
};

const numbers: Readonly<Record<string, number>> = constants.errno;

/** `No such file or directory (os error 2)`; for an error that is not the system's, its message. */
function osErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const number = code === undefined ? undefined : numbers[code];
  if (code === undefined || number === undefined) return error.message;
  const words = libcWords[code] ?? [...getSystemErrorMap().values()].find(([name]) => name === code)?.[1] ?? code;
  return `${words.charAt(0).toUpperCase()}${words.slice(1)} (os error ${number})`;
}

/** The refusal that a failure becomes; a refusal stays what it is. */
export function refusalOf(error: unknown, prefix = ''): RpcError {
  return error instanceof RpcError ? error : new RpcError(jsonRpcCodes.internalError, `${prefix}${osErrorText(error)}`);
}
