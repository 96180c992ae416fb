// Owns what can be said of the installed opencode without starting a server: is it there, which version, has it any
// model. Nothing goes over the network. Of a server that runs already it is asked whether it answers.

import { execFile } from 'node:child_process';
import type { Availability, ProgramFinder } from '@heddle/bridge-kit';
import { HeddleError } from '@heddle/wire';
import { ApiRefusal, OpencodeApi, type ServerAddress } from './server/api.ts';
import { whenHealthy } from './server/own-server.ts';

const ASK_TIMEOUT_MS = 15_000;
const INSTALL = 'npm install -g opencode-ai';
const NO_MODEL = 'Run `opencode auth login` in a terminal, or name a model server under [agents.opencode.engine] in host.toml.';

export type OpencodeInstallation = { path: string; version: string | undefined } | { unavailable: Availability & { isAvailable: false } };

/** Looks at the installed opencode. `command` is a name on PATH or an absolute path. */
export async function findOpencode(programs: ProgramFinder, command: string): Promise<OpencodeInstallation> {
  const program = await programs.find(command);
  if (program === undefined) {
    return unavailable(
      undefined,
      `opencode is not installed: there is no program "${command}"`,
      `Install it with \`${INSTALL}\`, or set "command" under [agents.opencode] in host.toml.`,
    );
  }
  const versionText = await program.ask(['--version']);
  if (versionText === undefined)
    return unavailable(undefined, `${program.path} does not run`, `Try \`${command} --version\` in a terminal.`);
  const version = /\d+\.\d+\.\d+\S*/.exec(versionText)?.[0];
  if (version === undefined || Number.parseInt(version, 10) < 1) {
    return unavailable(version, `opencode ${version ?? ''} is too old`.replace('  ', ' '), `Update it with \`${INSTALL}@latest\`.`);
  }
  return { path: program.path, version };
}

/**
 * The same, with whether there is any model.
 * @param hasModels what opencode itself says; `undefined` when it does not tell, which does not keep anybody out
 */
export function availabilityOf(installation: OpencodeInstallation, hasModels: boolean | undefined): Availability {
  if ('unavailable' in installation) return installation.unavailable;
  const { version } = installation;
  if (hasModels === false) return { isAvailable: false, version, reason: 'opencode has no model to run on', fix: NO_MODEL };
  return { isAvailable: true, version };
}

/** Of a server that runs already. */
export async function availabilityOfServer(address: ServerAddress): Promise<Availability> {
  try {
    return { isAvailable: true, version: await whenHealthy(new OpencodeApi(address)) };
  } catch (error) {
    const isPassword = error instanceof ApiRefusal && error.status === 401;
    const reason = isPassword ? `the opencode server at ${address.url} wants another password` : messageOf(error);
    const fix = isPassword
      ? 'Set "server_password" under [agents.opencode] in host.toml to its OPENCODE_SERVER_PASSWORD.'
      : 'Start it with `opencode serve`, or take "server" out of [agents.opencode] in host.toml.';
    return { isAvailable: false, version: undefined, reason, fix };
  }
}

/** Whether opencode has any model, as it says itself: a second of a whole processor. `undefined` when it does not tell. */
export function askModels(path: string, env: NodeJS.ProcessEnv, cwd: string): Promise<boolean | undefined> {
  const quiet = { ...env, OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1', PWD: cwd };
  return new Promise((resolve) => {
    const options = { env: quiet, cwd, timeout: ASK_TIMEOUT_MS, windowsHide: true };
    const asked = execFile(path, ['models'], options, (error, stdout) => resolve(error === null ? hasModel(stdout) : undefined));
    asked.stdin?.end();
  });
}

/** @param answer one `provider/model` a line */
export function hasModel(answer: string): boolean {
  return /^\S+\/\S+$/m.test(answer);
}

function messageOf(error: unknown): string {
  return error instanceof HeddleError || error instanceof ApiRefusal ? error.message : String(error);
}

function unavailable(version: string | undefined, reason: string, fix: string): OpencodeInstallation {
  return { unavailable: { isAvailable: false, version, reason, fix } };
}
