// Owns what can be said of the installed pi without starting a conversation: is it there, which version, what it takes on
// its command line, and has it any model. Nothing goes over the network.

import { execFile } from 'node:child_process';
import type { Availability, ProgramFinder } from '@heddle/bridge-kit';
import type { InstalledPi } from './agent-processes.ts';
import { SESSION_ID_FLAG } from './process-arguments.ts';

/** The package's name since 0.74; before, it was `@mariozechner/pi-coding-agent`, which 0.73.1 is the last of. */
const INSTALL = 'npm install -g @earendil-works/pi-coding-agent';
const ASK_TIMEOUT_MS = 10_000;
const NO_MODEL = 'Run `pi` in a terminal and type /login, or name a model server under [agents.pi.engine] in host.toml.';

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

/**
 * The same, with whether there is any model.
 * @param hasModels what pi itself says; `undefined` when it does not tell, which does not keep anybody out
 */
export function availabilityOf(installation: PiInstallation, hasModels: boolean | undefined): Availability {
  if ('unavailable' in installation) return installation.unavailable;
  const { version } = installation;
  if (hasModels === false) return { isAvailable: false, version, reason: 'pi has no model to run on', fix: NO_MODEL };
  return { isAvailable: true, version };
}

/** Whether pi has any model, as it says itself: a third of a second of a whole processor. `undefined` when it does not tell. */
export function askModels(path: string, env: NodeJS.ProcessEnv): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const options = { env, timeout: ASK_TIMEOUT_MS, windowsHide: true };
    // 0.73 answers on stderr.
    const asked = execFile(path, ['--list-models'], options, (error, stdout, stderr) =>
      resolve(error === null ? hasModel(stdout || stderr) : undefined),
    );
    asked.stdin?.end();
  });
}

/** @param answer a table of models with its head, or a sentence (0.73 and 0.87, measured) */
function hasModel(answer: string): boolean {
  return /^provider +model +/m.test(answer);
}

function unavailable(reason: string, fix: string, version?: string): PiInstallation {
  return { unavailable: { isAvailable: false, version, reason, fix } };
}
