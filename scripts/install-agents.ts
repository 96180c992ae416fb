// Owns where the real agents of test/agents live and how they get there: exact versions from a committed lock
// file, in folders of their own under .agents/ (not tracked). It refuses to guess: an agent that is not
// installed at the committed lock is an error with the command to type, never a skipped test.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, realpath, rm, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const checkout = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Everything under here may be deleted at any time; the next run brings it back. */
export const agentsRoot = path.join(checkout, '.agents');

interface AgentSet {
  /** Folder in the checkout with package.json and package-lock.json. */
  source: string;
  /** Each agent's command, as npm names it in node_modules/.bin. */
  bins: Record<string, string>;
  /** Whether a package of it is no use without its install script. */
  needsScripts: boolean;
}

/** Agents that can share one dependency tree share a set; one that can't gets a set of its own. */
const agentSets = {
  npm: { source: 'test/agents/install', bins: { codex: 'codex' }, needsScripts: false },
  claude: { source: 'test/agents/install-claude', bins: { claude: 'claude' }, needsScripts: true },
  // Its script links the platform's binary into place; it downloads nothing unless that package is missing.
  opencode: { source: 'test/agents/install-opencode', bins: { opencode: 'opencode' }, needsScripts: true },
  // pi has two names on npm, and people have either: 0.73 speaks another dialect of its protocol, and 0.74 is what npm
  // takes on Node 20.
  pi: { source: 'test/agents/install-pi', bins: { pi: 'pi' }, needsScripts: false },
  piClassic: { source: 'test/agents/install-pi-classic', bins: { piClassic: 'pi' }, needsScripts: false },
  pi074: { source: 'test/agents/install-pi-0.74', bins: { pi074: 'pi' }, needsScripts: false },
  // No agent, but fetched as they are: the oldest Node that heddle promises. Its script puts the binary in place.
  node: { source: 'test/agents/install-node', bins: { node: 'node' }, needsScripts: true },
} as const satisfies Record<string, AgentSet>;

type SetName = keyof typeof agentSets;
export type AgentBins = Record<'codex' | 'claude' | 'opencode' | 'pi' | 'pi074' | 'piClassic' | 'node', string>;

const lockFiles = ['package.json', 'package-lock.json'] as const;
const stampFile = '.installed';

const folderOf = (set: SetName) => path.join(agentsRoot, set);

function lockHash(set: SetName): string {
  const hash = createHash('sha256');
  for (const file of lockFiles) hash.update(readFileSync(path.join(checkout, agentSets[set].source, file)));
  return hash.digest('hex');
}

function isInstalled(set: SetName): boolean {
  const stamp = path.join(folderOf(set), stampFile);
  return existsSync(stamp) && readFileSync(stamp, 'utf8').trim() === lockHash(set);
}

/**
 * Absolute paths of the agents' commands.
 * @throws Error with what to type, when a set is not installed at the lock that is checked out.
 */
export function agentPaths(): AgentBins {
  const bin = (set: SetName, name: string) => {
    const suffix = process.platform === 'win32' ? '.cmd' : '';
    const file = path.join(folderOf(set), 'node_modules', '.bin', `${name}${suffix}`);
    if (!isInstalled(set) || !existsSync(file)) {
      throw new Error(`${name} is not installed for the tests at the committed version: run npm test, or node scripts/install-agents.ts`);
    }
    return file;
  };
  return {
    codex: bin('npm', agentSets.npm.bins.codex),
    claude: bin('claude', agentSets.claude.bins.claude),
    opencode: bin('opencode', agentSets.opencode.bins.opencode),
    pi: bin('pi', agentSets.pi.bins.pi),
    pi074: bin('pi074', agentSets.pi074.bins.pi074),
    piClassic: bin('piClassic', agentSets.piClassic.bins.piClassic),
    node: bin('node', agentSets.node.bins.node),
  };
}

/** Installs what is missing and says what it downloads. Takes no time when everything is there. */
export async function installAgents(): Promise<AgentBins> {
  for (const set of Object.keys(agentSets) as SetName[]) if (!isInstalled(set)) await installSet(set);
  return agentPaths();
}

async function installSet(set: SetName): Promise<void> {
  const { source, needsScripts } = agentSets[set];
  const folder = folderOf(set);
  const wanted = JSON.parse(readFileSync(path.join(checkout, source, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
  const list = Object.entries(wanted.dependencies).map(([name, version]) => `${name} ${version}`);
  process.stdout.write(`test agents: downloading ${list.join(', ')} into ${path.relative(checkout, folder)}\n`);
  await rm(path.join(folder, stampFile), { force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const file of lockFiles) await copyFile(path.join(checkout, source, file), path.join(folder, file));
  // Where .agents is a link, npm would take the folder for a dependency of itself.
  const prefix = await realpath(folder);
  await runNpm(['ci', ...(needsScripts ? [] : ['--ignore-scripts']), '--no-audit', '--no-fund', '--prefix', prefix], folder);
  await writeFile(path.join(folder, stampFile), `${lockHash(set)}\n`);
  process.stdout.write('test agents: installed\n');
}

function runNpm(args: string[], cwd: string): Promise<void> {
  // Under `npm test` the path of the very npm that runs us is known; alone, whatever PATH has.
  const script = process.env['npm_execpath'];
  const isScript = script !== undefined && /\.c?js$/.test(script);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const child = isScript
    ? spawn(process.execPath, [script, ...args], { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
    : spawn('npm', args, { cwd, stdio: ['ignore', 'inherit', 'inherit'], shell: process.platform === 'win32' });
  child.on('error', (cause) => reject(new Error('npm could not be started: is it on PATH?', { cause })));
  child.on('exit', (code, signal) => {
    if (code === 0) resolve();
    else reject(new Error(`npm ${args[0]} in ${path.relative(checkout, cwd)} ended with ${signal ?? code}: see its output above`));
  });
  return promise;
}

if (import.meta.main) await installAgents();
