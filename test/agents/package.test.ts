// heddle as its users get it: packed, installed into an empty folder, run by the oldest Node it promises.

import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentPaths } from '../../scripts/install-agents.ts';
import { freePort } from '../support/echo-endpoint.ts';

let folder: string;
let bin: string;
let env: NodeJS.ProcessEnv;
const checkout = join(import.meta.dirname, '../..');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-package-'));
  chmodSync(folder, 0o700);
  const npm = (args: string[], cwd: string) => execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  const [packed] = JSON.parse(npm(['pack', '--json', '--pack-destination', folder], checkout)) as { filename: string }[];
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  npm(['install', '--offline', '--no-audit', '--no-fund', join(folder, packed?.filename ?? '')], folder);
  bin = join(folder, 'node_modules/heddle/dist/heddle.js');
  env = { ...process.env, HEDDLE_HOME: join(folder, 'home') };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const heddle = (...args: string[]) => spawnSync(agentPaths().node, [bin, ...args], { env, encoding: 'utf8' });

describe('the package', () => {
  it('brings few files, and no other package but the optional one for terminals', () => {
    const packages = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(packages.filter((name) => name !== '@lydell')).toEqual(['heddle']);
    if (packages.includes('@lydell')) {
      const terminals = readdirSync(join(folder, 'node_modules/@lydell'));
      expect(terminals.filter((name) => !name.startsWith('node-pty'))).toEqual([]);
    }
    expect(readdirSync(join(folder, 'node_modules/heddle')).toSorted()).toEqual([
      'LICENSE',
      'README.md',
      'dist',
      'host.example.toml',
      'package.json',
    ]);
    expect(statSync(join(folder, 'node_modules/.bin/heddle')).mode & 0o111).not.toBe(0);
  });

  it('says what it is on Node 22.12', () => {
    expect(execFileSync(agentPaths().node, ['--version'], { encoding: 'utf8' })).toBe('v22.12.0\n');
    expect(heddle('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^(heddle )?\d+\.\d+\.\d+\n$/), stderr: '' });
    expect(heddle('--help').stdout).toContain('heddle serve');
  });

  it('tells the user of an older Node in one sentence', () => {
    const old = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `Object.defineProperty(process.versions, 'node', { value: '20.20.2' }); await import(${JSON.stringify(bin)});`,
      ],
      {
        encoding: 'utf8',
      },
    );
    expect(old).toMatchObject({ status: 1, stdout: '', stderr: 'heddle: Node 20.20.2 is too old; heddle needs Node 22.12 or later.\n' });
  });

  it('serves a phone: daemon up, demo agent driven, and stopped', async () => {
    expect(heddle('status')).toMatchObject({ status: 3 });
    const port = await freePort();
    expect(port).toBeGreaterThan(0);
    const daemon = spawn(agentPaths().node, [bin, 'serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let complaints = '';
    daemon.stderr.on('data', (text: Buffer) => (complaints += text.toString()));
    for await (const chunk of daemon.stdout as AsyncIterable<Buffer>) if (chunk.toString().includes('peer id')) break;
    expect(JSON.parse(heddle('status', '--json').stdout)).toMatchObject({ running: true, pid: daemon.pid });
    const probe = heddle('probe', '--agent', 'demo', '--approve', 'accept', 'command: expr 20 + 3');
    expect(probe.stdout).toContain('23');
    expect(probe.status).toBe(0);
    const ended = once(daemon, 'exit');
    expect(heddle('stop').status).toBe(0);
    expect(await ended).toEqual([0, null]);
    expect(complaints).toBe('');
  });
});
