// Owns what a client writes to a command: bytes, the end of input, or both; refused where nobody would read it.

import { RpcError } from '@heddle/rpc';
import { jsonRpcCodes } from '@heddle/wire';
import { type Params, refusal } from '../server/params.ts';
import { decodeBase64 } from './decode-base64.ts';
import type { ExecProcess, RunningExec } from './session-commands.ts';

/** What a command may leave unread of its input. */
const MAX_QUEUED_INPUT_BYTES = 16 * 1024 * 1024;

interface Input {
  bytes: Uint8Array;
  closes: boolean;
}

export function readInput(params: Params): Input {
  const deltaBase64 = params.optionalText('deltaBase64');
  const closes = params.flag('closeStdin');
  if (deltaBase64 === undefined && !closes) throw invalid('command/exec/write requires deltaBase64 or closeStdin');
  return { bytes: decodeDelta(deltaBase64 ?? ''), closes };
}

export function writeInput(exec: RunningExec, process: ExecProcess, { bytes, closes }: Input): void {
  if (!exec.request.streamsInput) throw refusal('stdin streaming is not enabled for this command/exec');
  if (exec.isInputClosed && bytes.byteLength > 0) throw refusal('stdin is already closed');
  if ('resize' in process) {
    if (bytes.byteLength > 0) process.write(bytes);
    if (closes && !exec.isInputClosed) process.closeInput();
  } else if (process.stdin !== undefined) {
    const unread = process.stdin.writableLength;
    if (unread + bytes.byteLength > MAX_QUEUED_INPUT_BYTES) {
      throw refusal(`the command has left ${unread} bytes of its input unread; write again when it has read them`);
    }
    if (bytes.byteLength > 0) process.stdin.write(bytes);
    if (closes) process.stdin.end();
  }
  exec.isInputClosed ||= closes;
}

function decodeDelta(text: string): Uint8Array {
  try {
    return decodeBase64(text);
  } catch (error) {
    throw invalid(`invalid deltaBase64: ${(error as Error).message}`);
  }
}

function invalid(message: string): RpcError {
  return new RpcError(jsonRpcCodes.invalidParams, message);
}
