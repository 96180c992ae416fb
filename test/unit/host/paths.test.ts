import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { HeddleError } from '@heddle/wire';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensurePrivateDir, resolvePaths } from '../../../packages/host/src/index.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

function onPlatform<T>(platform: NodeJS.Platform, run: () => T): T {
  const original = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor;
  Object.defineProperty(process, 'platform', { ...original, value: platform });
  try {
    return run();
  } finally {
    Object.defineProperty(process, 'platform', original);
  }
}

describe('resolvePaths', () => {
  it('follows the XDG folders on Linux', () => {
    vi.stubEnv('XDG_CONFIG_HOME', '/x/config');
    vi.stubEnv('XDG_STATE_HOME', '/x/state');
    expect(onPlatform('linux', () => resolvePaths({}))).toEqual({
      configFile: '/x/config/heddle/host.toml',
      stateDir: '/x/state/heddle',
      keyFile: '/x/state/heddle/host.key',
      devicesFile: '/x/state/heddle/devices.json',
      probeKeyFile: '/x/state/heddle/probe.key',
      logDir: '/x/state/heddle/logs',
      runtimeDir: '/x/state/heddle/run',
      controlSocket: '/x/state/heddle/control.sock',
    });
  });

  it('uses Application Support and Logs on macOS', () => {
    const library = join(homedir(), 'Library');
    expect(onPlatform('darwin', () => resolvePaths({}))).toMatchObject({
      configFile: join(library, 'Application Support/heddle/host.toml'),
      stateDir: join(library, 'Application Support/heddle'),
      logDir: join(library, 'Logs/heddle'),
    });
  });

  it('names a pipe of the state folder and the user on Windows', () => {
    // The separators are those of the machine that runs the test, and there a Windows path is not absolute.
    vi.stubEnv('APPDATA', '/roaming');
    vi.stubEnv('LOCALAPPDATA', '/local');
    const paths = onPlatform('win32', () => resolvePaths({}));
    expect(paths).toMatchObject({
      configFile: '/roaming/heddle/Config/host.toml',
      stateDir: '/local/heddle/Data',
      logDir: '/local/heddle/Log',
      controlSocket: expect.stringMatching(/^\\\\\.\\pipe\\heddle-[0-9a-f]{16}$/),
    });
    vi.stubEnv('LOCALAPPDATA', '/local2');
    expect(onPlatform('win32', () => resolvePaths({})).controlSocket).not.toBe(paths.controlSocket);
  });

  it('puts everything under HEDDLE_HOME', () => {
    expect(resolvePaths({ HEDDLE_HOME: '/h' })).toEqual({
      configFile: '/h/host.toml',
      stateDir: '/h',
      keyFile: '/h/host.key',
      devicesFile: '/h/devices.json',
      probeKeyFile: '/h/probe.key',
      logDir: '/h/logs',
      runtimeDir: '/h/run',
      controlSocket: '/h/control.sock',
    });
  });

  it('refuses relative places', () => {
    expect(() => resolvePaths({ HEDDLE_HOME: 'here' })).toThrow(HeddleError);
    vi.stubEnv('XDG_STATE_HOME', 'state');
    expect(() => onPlatform('linux', () => resolvePaths({}))).toThrow(
      'heddle\'s files can\'t lie in "state/heddle": the path must be absolute',
    );
  });

  it('moves sockets to a short private folder when the state folder is too deep', () => {
    const deep = `/${'d'.repeat(90)}`; // /d…d/control.sock is 104 bytes, one too many with the NUL
    expect(resolvePaths({ HEDDLE_HOME: deep.slice(0, -1) }).controlSocket).toBe(`${deep.slice(0, -1)}/control.sock`);
    const moved = resolvePaths({ HEDDLE_HOME: deep, XDG_RUNTIME_DIR: '/run/user/1000' });
    expect(moved.controlSocket).toMatch(/^\/run\/user\/1000\/heddle-[0-9a-f]{8}\/control\.sock$/);
    expect(`${moved.runtimeDir}/control.sock`).toBe(moved.controlSocket);
    expect(moved.stateDir).toBe(deep);
    expect(resolvePaths({ HEDDLE_HOME: `${deep}/x/..//`, XDG_RUNTIME_DIR: '/run/user/1000' })).toEqual(moved);
    const other = resolvePaths({ HEDDLE_HOME: `${deep}x`, XDG_RUNTIME_DIR: '/run/user/1000' });
    expect(other.controlSocket).not.toBe(moved.controlSocket);
  });

  it.each(Array.from({ length: 60 }, (_, n) => n * 4 + 1))('always fits, with a state folder of %i bytes', (length) => {
    vi.stubEnv('TMPDIR', `/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/${'ü'.repeat(length / 2)}`);
    const { controlSocket, runtimeDir } = resolvePaths({ HEDDLE_HOME: `/${'s'.repeat(length - 1)}`, XDG_RUNTIME_DIR: 'relative' });
    expect(Buffer.byteLength(`${controlSocket}\0`)).toBeLessThanOrEqual(104);
    expect(Buffer.byteLength(`${runtimeDir}/${'n'.repeat(40)}\0`)).toBeLessThanOrEqual(104);
    expect(controlSocket.startsWith('/')).toBe(true);
  });
});

describe('ensurePrivateDir', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'heddle-test-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('makes a folder and those above it with mode 0700', async () => {
    const path = join(dir, 'a', 'b');
    await Promise.all([ensurePrivateDir(path), ensurePrivateDir(path)]);
    for (const made of [path, join(dir, 'a')]) expect((await stat(made)).mode & 0o777).toBe(0o700);
    await ensurePrivateDir(path);
  });

  it('refuses a folder that is open to others, and leaves its mode', async () => {
    const path = join(dir, 'open');
    await mkdir(path);
    for (const mode of [0o755, 0o710, 0o702]) {
      await chmod(path, mode);
      await expect(ensurePrivateDir(path)).rejects.toMatchObject({
        code: 'state_unreadable',
        message: `the folder ${path} is open to other users (mode 0${mode.toString(8)})`,
        hint: expect.stringContaining(`chmod 700 '${path}'`),
      });
      expect((await stat(path)).mode & 0o777).toBe(mode);
    }
  });

  it("refuses somebody else's folder", async () => {
    const me = (await stat(dir)).uid;
    vi.spyOn(process, 'getuid').mockReturnValue(me + 1);
    await expect(ensurePrivateDir(dir)).rejects.toMatchObject({
      code: 'state_unreadable',
      message: `the folder ${dir} belongs to another user (uid ${me}, you are ${me + 1})`,
    });
  });

  it('follows a link of this user, and judges what it leads to', async () => {
    await mkdir(join(dir, 'target'), { mode: 0o700 });
    await symlink('target', join(dir, 'link'));
    await ensurePrivateDir(join(dir, 'link'));
    await chmod(join(dir, 'target'), 0o750);
    await expect(ensurePrivateDir(join(dir, 'link'))).rejects.toThrow('is open to other users (mode 0750)');
  });

  it('says that a file is in the way', async () => {
    await writeFile(join(dir, 'file'), '');
    await expect(ensurePrivateDir(join(dir, 'file'))).rejects.toThrow(`can't make the folder ${join(dir, 'file')}: EEXIST`);
    await expect(ensurePrivateDir(join(dir, 'file', 'x'))).rejects.toThrow('ENOTDIR');
  });
});
