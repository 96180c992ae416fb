// Owns what can be said of the installed claude without starting a conversation: is it there, which version, is
// somebody logged in. Nothing goes over the network.

import { execFile } from 'node:child_process';
import type { Availability, ProgramFinder } from '@heddle/bridge-kit';

const ASK_TIMEOUT_MS = 10_000;

const INSTALL = 'npm install -g @anthropic-ai/claude-code';
const LOG_IN = 'Run `claude` in a terminal and type /login, or set ANTHROPIC_API_KEY.';

export type ClaudeInstallation = { path: string; version: string | undefined } | { unavailable: Availability & { isAvailable: false } };

/** Looks at the installed claude. `command` is a name on PATH or an absolute path. */
export async function findClaude(programs: ProgramFinder, command: string): Promise<ClaudeInstallation> {
  const program = await programs.find(command);
  if (program === undefined) {
    return unavailable(
      undefined,
      `claude is not installed: there is no program "${command}"`,
      `Install it with \`${INSTALL}\`, or set "command" under [agents.claude] in host.toml.`,
    );
  }
  const versionText = await program.ask(['--version']);
  if (versionText === undefined)
    return unavailable(undefined, `${program.path} does not run`, `Try \`${command} --version\` in a terminal.`);
  const version = /\d+\.\d+\.\d+\S*/.exec(versionText)?.[0];
  if (version === undefined || Number.parseInt(version, 10) < 2) {
    return unavailable(version, `claude ${version ?? ''} is too old`.replace('  ', ' '), `Update it with \`${INSTALL}@latest\`.`);
  }
  return { path: program.path, version };
}

/**
 * The same, with whether somebody is logged in.
 * @param isLoggedIn what claude itself says; `undefined` when it does not tell, which does not keep anybody out
 */
export function availabilityOf(installation: ClaudeInstallation, isLoggedIn: boolean | undefined): Availability {
  if ('unavailable' in installation) return installation.unavailable;
  const { version } = installation;
  if (isLoggedIn === false) return { isAvailable: false, version, reason: 'claude is not logged in', fix: LOG_IN };
  return { isAvailable: true, version };
}

/** Whether somebody is logged in, as claude says: half a second of a whole processor. `undefined` when it does not tell. */
export function askLogin(path: string, env: NodeJS.ProcessEnv): Promise<boolean | undefined> {
  const quiet = { ...env, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1' };
  return new Promise((resolve) => {
    // Its exit code is 1 when nobody is logged in; what it prints tells more.
    const asked = execFile(path, ['auth', 'status'], { env: quiet, timeout: ASK_TIMEOUT_MS, windowsHide: true }, (_error, stdout) =>
      resolve(readAuthStatus(stdout)),
    );
    asked.stdin?.end();
  });
}

/** @param answer JSON; an older claude has no such command and prints something else. */
export function readAuthStatus(answer: string): boolean | undefined {
  try {
    const { loggedIn } = JSON.parse(answer) as { loggedIn?: unknown };
    return typeof loggedIn === 'boolean' ? loggedIn : undefined;
  } catch {
    return undefined;
  }
}

function unavailable(version: string | undefined, reason: string, fix: string): ClaudeInstallation {
  return { unavailable: { isAvailable: false, version, reason, fix } };
}
