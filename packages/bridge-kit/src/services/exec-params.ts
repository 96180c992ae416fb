// Owns the reading of what a `command/exec` asks for, with the refusals of codex 0.169, and one that codex does not
// need: no sandbox is enforced here, so none is promised.

import { RpcError } from '@heddle/rpc';
import { jsonRpcCodes, type TerminalSize } from '@heddle/wire';
import { type Params, refusal } from '../server/params.ts';
import { rawField, textList } from './raw-field.ts';

/** codex's own (0.169, measured). */
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_CAP_BYTES = 1024 * 1024;
/** The longest that a timer takes: 24 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const MAX_TERMINAL_SIDE = 65_535;

const sandboxPolicies = ['dangerFullAccess', 'readOnly', 'externalSandbox', 'workspaceWrite'] as const;

export interface ExecRequest {
  file: string;
  args: string[];
  /** '' when it is not said; relative to the user's home. */
  cwd: string;
  /** `null` takes a variable away. */
  env: Readonly<Record<string, string | null>>;
  processId: string | undefined;
  isTerminal: boolean;
  size: TerminalSize | undefined;
  streamsInput: boolean;
  streamsOutput: boolean;
  /** Absent: as long as it takes. */
  timeoutMs: number | undefined;
  /** For each stream. Infinite: no cap. */
  capBytes: number;
}

/** @throws RpcError for what can't be run, or not as it is asked for. */
export function readExecRequest(params: Params): ExecRequest {
  const [file, ...args] = textList(params, 'command');
  if (file === undefined) throw refusal('command must not be empty');
  const isTerminal = params.flag('tty');
  const streamsInput = isTerminal || params.flag('streamStdin');
  const streamsOutput = isTerminal || params.flag('streamStdoutStderr');
  const processId = params.optionalText('processId');
  if (processId === undefined && (streamsInput || streamsOutput)) {
    throw refusal('command/exec tty or streaming requires a client-supplied processId');
  }
  const size = readSize(params);
  if (size !== undefined && !isTerminal) throw invalid('command/exec size requires tty: true');
  refuseSandbox(params);
  return {
    file,
    args,
    cwd: params.optionalText('cwd') ?? '',
    env: readVariables(params),
    processId,
    isTerminal,
    size,
    streamsInput,
    streamsOutput,
    timeoutMs: readTimeout(params),
    capBytes: readCap(params),
  };
}

/**
 * @returns the field `size`; `undefined` when it is absent.
 * @throws RpcError for a size that no terminal has.
 */
export function readSize(params: Params): TerminalSize | undefined {
  const size = params.optionalObject('size');
  if (size === undefined) return undefined;
  const [rows, cols] = (['rows', 'cols'] as const).map((name) => {
    const value = size.optionalCount(name);
    if (value === undefined) throw refusal(`Invalid request: missing field \`${name}\``);
    if (value > MAX_TERMINAL_SIDE) throw refusal(`Invalid request: invalid value: integer \`${value}\`, expected u16`);
    return value;
  }) as [number, number];
  if (rows === 0 || cols === 0) throw invalid('command/exec size rows and cols must be greater than 0');
  return { rows, cols };
}

function readTimeout(params: Params): number | undefined {
  const value = rawField(params, 'timeoutMs');
  const isDisabled = params.flag('disableTimeout');
  if (value === undefined) return isDisabled ? undefined : DEFAULT_TIMEOUT_MS;
  if (isDisabled) throw invalid('command/exec cannot set both timeoutMs and disableTimeout');
  if (!Number.isSafeInteger(value)) throw refusal('Invalid request: `timeoutMs` must be a whole number');
  if (Number(value) < 0) throw invalid(`command/exec timeoutMs must be non-negative, got ${Number(value)}`);
  return Math.min(Number(value), MAX_TIMEOUT_MS);
}

function readCap(params: Params): number {
  const cap = params.optionalCount('outputBytesCap');
  const isDisabled = params.flag('disableOutputCap');
  if (cap !== undefined && isDisabled) throw invalid('command/exec cannot set both outputBytesCap and disableOutputCap');
  return isDisabled ? Number.POSITIVE_INFINITY : (cap ?? DEFAULT_CAP_BYTES);
}

function readVariables(params: Params): Record<string, string | null> {
  const value = rawField(params, 'env');
  if (value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw refusal('Invalid request: `env` must be an object');
  for (const [name, text] of Object.entries(value as object)) {
    // Values may be secrets: only the name is said.
    if (text !== null && typeof text !== 'string') throw refusal(`Invalid request: \`env.${name}\` must be a string or null`);
  }
  return value as Record<string, string | null>;
}

function refuseSandbox(params: Params): void {
  const policy = params.optionalObject('sandboxPolicy')?.text('type');
  const profile = params.optionalText('permissionProfile');
  if (policy !== undefined && profile !== undefined) throw refusal('`permissionProfile` cannot be combined with `sandboxPolicy`');
  if (profile !== undefined) {
    throw refusal('command/exec: there are no permission profiles here, since no sandbox is enforced; leave `permissionProfile` out');
  }
  if (policy === undefined) return;
  if (!(sandboxPolicies as readonly string[]).includes(policy)) {
    const known = sandboxPolicies.map((name) => `\`${name}\``).join(', ');
    throw refusal(`Invalid request: unknown variant \`${policy}\`, expected one of ${known}`);
  }
  if (policy === 'readOnly' || policy === 'workspaceWrite') {
    throw refusal(
      `command/exec: no sandbox is enforced here, so \`${policy}\` would not be kept; to run the command with everything that its user may do, send \`sandboxPolicy\` {"type":"dangerFullAccess"} or none`,
    );
  }
}

function invalid(message: string): RpcError {
  return new RpcError(jsonRpcCodes.invalidParams, message);
}
