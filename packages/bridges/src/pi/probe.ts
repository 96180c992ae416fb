// Owns what can be said of the installed pi without starting a conversation: is it there, which version, and what it
// takes on its command line. Nothing goes over the network.

import type { Availability, ProgramFinder } from '@heddle/bridge-kit';
import type { InstalledPi } from './agent-processes.ts';
import { SESSION_ID_FLAG } from './process-arguments.ts';

/** The package's name since 0.74; before, it was `@mariozechner/pi-coding-agent`, which 0.73.1 is the last of. */
const INSTALL = 'npm install -g @earendil-works/pi-coding-agent';

export type PiInstallation = InstalledPi | { unavailable: Availability & { isAvailable: false } };

/** Looks at the installed pi. `command` is a name on PATH or an absolute path. */
export async function findPi(programs: ProgramFinder, command: string): Promise<PiInstallation> {
  const program = await programs.find(command);
  if (program === undefined) {
    return unavailable(
      `pi is not installed: there is no program "${command}"`,
      `Install it with \`${INSTALL}\`, or set "command" under [agents.pi] in host.toml.`,
    );
  }
  const [versionText, help] = await Promise.all([program.ask(['--version']), program.ask(['--help'])]);
  if (versionText === undefined) return unavailable(`${program.path} does not run`, `Try \`${command} --version\` in a terminal.`);
  const version = /\d+\.\d+\.\d+\S*/.exec(versionText)?.[0];
  if (help?.includes('--mode') !== true || !help.includes('--extension')) {
    return unavailable(`${program.path} is no pi that heddle can drive, or too old`, `Update it with \`${INSTALL}@latest\`.`, version);
  }
  return { path: program.path, version, takesSessionId: help.includes(SESSION_ID_FLAG) };
}

export function availabilityOf(installation: PiInstallation): Availability {
  return 'unavailable' in installation ? installation.unavailable : { isAvailable: true, version: installation.version };
}

function unavailable(reason: string, fix: string, version?: string): PiInstallation {
  return { unavailable: { isAvailable: false, version, reason, fix } };
}
