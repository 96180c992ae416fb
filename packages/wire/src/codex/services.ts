// Owns the shapes of what a client asks of the machine itself, without a thread: commands, files, search, git.
// Which method carries which is in methods.ts. Source: codex app-server 0.169, JSON schema and measured.

import type { SandboxPolicy } from './requests.ts';

/** A terminal's size in characters, 1 to 65,535 each. */
export interface TerminalSize {
  rows: number;
  cols: number;
}

export interface CommandExecParams {
  /** The program and its arguments; no shell reads them. */
  command: string[];
  cwd?: string | null;
  /** Laid over the environment of the server; `null` takes a variable away. */
  env?: Record<string, string | null> | null;
  /** The client's own name for the command, in this session. Needed for everything but a plain run. */
  processId?: string | null;
  /** In a pseudo-terminal; implies both kinds of streaming. */
  tty?: boolean;
  streamStdin?: boolean;
  streamStdoutStderr?: boolean;
  timeoutMs?: number | null;
  disableTimeout?: boolean;
  /** For each of the two streams. */
  outputBytesCap?: number | null;
  disableOutputCap?: boolean;
  size?: TerminalSize | null;
  sandboxPolicy?: SandboxPolicy | null;
  permissionProfile?: string | null;
}
export interface CommandExecResult {
  /** 124 when its time was over; 128 and the signal's number when a signal ended it. */
  exitCode: number;
  /** Empty when it was streamed. */
  stdout: string;
  stderr: string;
}
export interface CommandExecWriteParams {
  processId: string;
  deltaBase64?: string | null;
  closeStdin?: boolean;
}
export interface CommandExecResizeParams {
  processId: string;
  size: TerminalSize;
}
export interface CommandExecTerminateParams {
  processId: string;
}
export interface CommandExecOutputDelta {
  processId: string;
  /** A pseudo-terminal has only `stdout`. */
  stream: 'stdout' | 'stderr';
  deltaBase64: string;
  /** True in the last part of a stream that has more than its cap. */
  capReached: boolean;
}

/** Paths are absolute. */
export interface FsPathParams {
  path: string;
}
export interface FsReadFileResult {
  dataBase64: string;
}
export interface FsWriteFileParams extends FsPathParams {
  dataBase64: string;
}
export interface FsReadDirectoryResult {
  /** What a link leads to counts; a link that leads nowhere is left out. */
  entries: { fileName: string; isDirectory: boolean; isFile: boolean }[];
}
export interface FsGetMetadataResult {
  isDirectory: boolean;
  isFile: boolean;
  isSymlink: boolean;
  /** 0 where it is not known. */
  createdAtMs: number;
  modifiedAtMs: number;
}
export interface FsCreateDirectoryParams extends FsPathParams {
  /** With the folders above it; true when absent. */
  recursive?: boolean | null;
}
export interface FsRemoveParams extends FsPathParams {
  /** True when absent. */
  recursive?: boolean | null;
  /** Whether it is fine that nothing is there; true when absent. */
  force?: boolean | null;
}
export interface FsCopyParams {
  sourcePath: string;
  destinationPath: string;
  /** Needed for a directory. */
  recursive?: boolean;
}
export interface FsWatchParams extends FsPathParams {
  /** The client's own name for the watch, in this session. */
  watchId: string;
}
export interface FsUnwatchParams {
  watchId: string;
}
export interface FsChanged {
  watchId: string;
  changedPaths: string[];
}

export interface FuzzyFileSearchParams {
  query: string;
  roots: string[];
  /** A later search with the same token ends this one. */
  cancellationToken?: string | null;
}
export interface FuzzyFileMatch {
  root: string;
  /** Relative to the root. */
  path: string;
  match_type: 'file' | 'directory';
  file_name: string;
  /** The higher the better; comparable within one answer. */
  score: number;
  /** Which characters of `path` match. */
  indices?: number[] | null;
}
export interface FuzzyFileSearchResult {
  files: FuzzyFileMatch[];
}
export interface FuzzySessionStartParams {
  sessionId: string;
  roots: string[];
}
export interface FuzzySessionUpdateParams {
  sessionId: string;
  query: string;
}
export interface FuzzySessionStopParams {
  sessionId: string;
}
export interface FuzzySessionUpdated {
  sessionId: string;
  query: string;
  files: FuzzyFileMatch[];
}
export interface FuzzySessionCompleted {
  sessionId: string;
}

/** `gitDiffToRemote`, which is in codex's TypeScript and not in its JSON schema. */
export interface GitDiffToRemoteResult {
  /** The commit that the remote has too. */
  sha: string;
  /** A git diff from there to what is in the folder now, files that git does not know yet included. */
  diff: string;
}
/** `Thread.gitInfo`. */
export interface GitInfo {
  sha: string | null;
  /** `null`: no branch is checked out. */
  branch: string | null;
  originUrl: string | null;
}
