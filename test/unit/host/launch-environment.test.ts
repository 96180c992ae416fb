import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { LaunchEnvironment } from '@heddle/host';
import { type Log, silentLog } from '@heddle/rpc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mergeEnvironments } from '../../../packages/host/src/launch-environment.ts';
import { isAlive } from '../../support/process.ts';

let home: string;
let logged: [string, unknown][];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'heddle-launch-'));
  logged = [];
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const systemPath = '/usr/bin:/bin';
const profile = (name: string, text: string) => {
  mkdirSync(dirname(join(home, name)), { recursive: true });
  writeFileSync(join(home, name), text);
};
function launch(
  shell: string,
  options: { env?: NodeJS.ProcessEnv; timeLimitMs?: number; maxOutputBytes?: number } = {},
): LaunchEnvironment {
  const note = (message: string, fields?: unknown) => void logged.push([message, fields]);
  const log: Log = { ...silentLog, debug: note, info: note, warn: note, error: note };
  const { env, ...limits } = options;
  return new LaunchEnvironment({ ownEnv: { HOME: home, PATH: systemPath, SHELL: shell, ...env }, log, ...limits });
}
const warnings = () => logged.filter(([message]) => message.includes("the daemon's own environment"));
const causes = () =>
  warnings()
    .map(([, fields]) => String((fields as { error: Error }).error))
    .join();
const pidIn = (name: string) => Number(readFileSync(join(home, name), 'utf8'));

const posixProfile = `echo 'Welcome {back}'
printf 'no line end'
echo noise >&2
export FROM_PROFILE='line 1
line "2" of $HOME \\ {}
'
export PATH="$HOME/tools:$PATH"
read -r answer
`;
const fishProfile = `echo 'Welcome {back}'
set -gx FROM_PROFILE 'line 1
line "2" of $HOME \\\\ {}
'
set -gx PATH $HOME/tools $PATH
`;
const shells = [
  ['/bin/bash', '.bash_profile', posixProfile],
  ['/bin/sh', '.profile', posixProfile],
  ['/bin/zsh', '.zshrc', posixProfile],
  ['/usr/bin/fish', '.config/fish/config.fish', fishProfile],
] as const;

describe('the environment of a login shell', () => {
  for (const [shell, file, text] of shells) {
    it.runIf(existsSync(shell))(`is read from ${shell}, whatever its profile prints and however many lines a value has`, async () => {
      profile(file, text);
      const env = await launch(shell).get();
      expect(env['FROM_PROFILE']).toBe('line 1\nline "2" of $HOME \\ {}\n');
      expect(env['PATH']?.split(':')[0]).toBe(join(home, 'tools'));
      expect(env['PATH']?.split(':')).toContain('/usr/bin');
      expect(warnings()).toEqual([]);
    });
  }

  it('is asked for when it is needed, once, and again when it is told to', async () => {
    profile('.bash_profile', 'echo asked >> "$HOME/log"; export COUNT="$(grep -c asked "$HOME/log")"');
    const environment = launch('/bin/bash');
    expect(existsSync(join(home, 'log'))).toBe(false);
    const [one, other] = await Promise.all([environment.get(), environment.get()]);
    one['COUNT'] = 'changed by an agent of its own';
    expect([other['COUNT'], (await environment.get())['COUNT']]).toEqual(['1', '1']);
    environment.refresh();
    expect((await environment.get())['COUNT']).toBe('2');
  });

  it('has nothing of heddle, and nothing that the shell says about itself', async () => {
    profile('.bash_profile', 'export HEDDLE_HOME=/elsewhere HEDDLE_X=1; env');
    const env = await launch('/bin/bash', { env: { HEDDLE_HOME: '/of/the/daemon', HEDDLE_CHILD: 'ab' } }).get();
    expect(Object.keys(env).filter((name) => /^(HEDDLE_.*|_|SHLVL|PWD|OLDPWD)$/.test(name))).toEqual([]);
    expect(warnings()).toEqual([]);
  });

  it('is never logged', async () => {
    profile('.bash_profile', 'export SECRET=s3cr3t');
    expect((await launch('/bin/bash').get())['SECRET']).toBe('s3cr3t');
    profile('.bash_profile', 'export SECRET=s3cr3t; echo "$SECRET"; exit 1');
    await launch('/bin/bash').get();
    expect(logged).toHaveLength(2);
    expect(JSON.stringify(logged)).not.toContain('s3cr3t');
  });
});

describe('a shell that does not tell', () => {
  it.each([
    ['is missing', '/nowhere/shell', ''],
    ['is none', '/bin/false', ''],
    ['ends in its profile', '/bin/bash', 'exit 3'],
    ['becomes another program', '/bin/bash', 'exec cat'],
  ])('that %s leaves the own environment, with one warning', async (_how, shell, text) => {
    profile('.bash_profile', text);
    const environment = launch(shell, { env: { OWN: 'value', HEDDLE_HOME: '/x' } });
    expect(await environment.get()).toEqual({ HOME: home, PATH: systemPath, SHELL: shell, OWN: 'value' });
    await environment.get();
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]?.[0]).toContain('heddle reload');
  });

  it('is ended with what it has started when it takes too long', async () => {
    profile('.bash_profile', 'sleep 600 & echo $! > "$HOME/child"; echo $$ > "$HOME/shell"; wait');
    const startedAtMs = Date.now();
    expect(await launch('/bin/bash', { timeLimitMs: 1_000 }).get()).toMatchObject({ PATH: systemPath });
    expect(Date.now() - startedAtMs).toBeLessThan(2_500);
    await expect.poll(() => [isAlive(pidIn('shell')), isAlive(pidIn('child'))]).toEqual([false, false]);
    expect(causes()).toContain('within 1 s');
  });

  it('is ended when it floods us', async () => {
    profile('.bash_profile', 'echo $$ > "$HOME/shell"; exec yes');
    await launch('/bin/bash', { maxOutputBytes: 100_000 }).get();
    expect(causes()).toContain('more than 100000 bytes');
    await expect.poll(() => isAlive(pidIn('shell'))).toBe(false);
  });
});

it('does not wait for what a profile has left in the background, and ends it', async () => {
  profile('.bash_profile', 'export FROM_PROFILE=1; sleep 600 & echo $! > "$HOME/child"');
  expect((await launch('/bin/bash').get())['FROM_PROFILE']).toBe('1');
  await expect.poll(() => isAlive(pidIn('child'))).toBe(false);
});

describe('mergeEnvironments', () => {
  it('lets the own value stand, and adds what is missing', () => {
    const merged = mergeEnvironments({ LANG: 'C', EMPTY: '' }, { LANG: 'de_DE', EMPTY: 'x', API_KEY: 'k', SHLVL: '2', PWD: '/' });
    expect(merged).toEqual({ LANG: 'C', EMPTY: '', API_KEY: 'k' });
  });

  it("has the shell's folders of programs first, unless the daemon was given more than the system's", () => {
    const shell = { PATH: '/home/me/bin:/usr/bin::/bin' };
    expect(mergeEnvironments({ PATH: '/usr/bin:/bin:/usr/sbin:/sbin' }, shell)['PATH']).toBe('/home/me/bin:/usr/bin:/bin:/usr/sbin:/sbin');
    const own = { PATH: '/srv/venv/bin:/usr/bin:/bin' };
    expect(mergeEnvironments(own, shell)['PATH']).toBe('/srv/venv/bin:/usr/bin:/bin:/home/me/bin');
    expect(mergeEnvironments({}, shell)['PATH']).toBe('/home/me/bin:/usr/bin:/bin');
    expect(mergeEnvironments({}, {})).toEqual({});
  });
});
