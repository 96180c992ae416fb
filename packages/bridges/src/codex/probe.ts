// Owns what can be said of the installed codex without talking to it: is it there, which version, how it listens.

import type { ProgramFinder } from '@heddle/bridge-kit';

export type CodexInstallation =
  | { isUsable: true; path: string; version: string | undefined; transport: 'unix' | 'stdio' }
  | { isUsable: false; version: string | undefined; reason: string; fix: string };

/** Looks at the installed codex. `command` is a name on PATH or an absolute path. */
export async function probeCodex(programs: ProgramFinder, command: string): Promise<CodexInstallation> {
  const program = await programs.find(command);
  if (program === undefined) {
    return {
      isUsable: false,
      version: undefined,
      reason: `codex is not installed: there is no program "${command}"`,
      fix: 'Install it with `npm install -g @openai/codex`, or set "command" under [agents.codex] in host.toml.',
    };
  }
  const [versionText, help] = await Promise.all([program.ask(['--version']), program.ask(['app-server', '--help'])]);
  const version = /\d+\.\d+\.\d+\S*/.exec(versionText ?? '')?.[0];
  if (versionText === undefined) {
    return { isUsable: false, version, reason: `${program.path} does not run`, fix: `Try \`${command} --version\` in a terminal.` };
  }
  if (help === undefined) {
    return {
      isUsable: false,
      version,
      reason: `codex ${version ?? ''} is too old: it has no app-server`.replace('  ', ' '),
      fix: 'Update it with `npm install -g @openai/codex@latest`.',
    };
  }
  // Whether it can listen on a socket is asked of itself, not concluded from its version.
  const canListen = process.platform !== 'win32' && help.includes('unix://');
  return { isUsable: true, path: program.path, version, transport: canListen ? 'unix' : 'stdio' };
}
