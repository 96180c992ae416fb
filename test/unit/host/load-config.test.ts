import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { HeddleError } from '@heddle/wire';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, parseConfig, replaceToken } from '../../../packages/host/src/index.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heddle-test-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;
const TOKEN = 'a1'.repeat(32);
const minimal = `token = "${TOKEN}"\n[endpoint]\nport = 41234\n`;

describe('loadConfig', () => {
  it('makes a missing file with a fresh token and a free port, for its owner only', async () => {
    const file = join(dir, 'a', 'b', 'host.toml');
    const config = await loadConfig(file);
    expect(config.token).toMatch(/^[0-9a-f]{64}$/);
    expect(config.warnings).toEqual([]);
    expect(await modeOf(file)).toBe(0o600);
    expect(await modeOf(join(dir, 'a', 'b'))).toBe(0o700);
    expect(await modeOf(join(dir, 'a'))).toBe(0o700);
    expect(await readdir(join(dir, 'a', 'b'))).toEqual(['host.toml']);

    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(config.endpoint.port, '0.0.0.0', resolve));
    server.close();
    expect(await loadConfig(file)).toEqual(config);
    expect((await loadConfig(join(dir, 'other.toml'))).token).not.toBe(config.token);
  });

  it('keeps the mode whatever the umask is', async () => {
    const umask = process.umask(0);
    try {
      await loadConfig(join(dir, 'sub', 'host.toml'));
    } finally {
      process.umask(umask);
    }
    expect(await modeOf(join(dir, 'sub', 'host.toml'))).toBe(0o600);
    expect(await modeOf(join(dir, 'sub'))).toBe(0o700);
  });

  it('agrees with itself when called many times at once', async () => {
    const file = join(dir, 'new', 'host.toml');
    const configs = await Promise.all(Array.from({ length: 20 }, () => loadConfig(file)));
    expect(new Set(configs.map((config) => `${config.token} ${config.endpoint.port}`)).size).toBe(1);
    expect(await readdir(join(dir, 'new'))).toEqual(['host.toml']);
  });

  it('agrees with other processes that make the file at the same time', async () => {
    const index = fileURLToPath(new URL('../../../packages/host/src/index.ts', import.meta.url));
    const script = `import { loadConfig } from ${JSON.stringify(index)};
      const { token, endpoint } = await loadConfig(process.argv[1]);
      console.log(token + ' ' + endpoint.port);`;
    const file = join(dir, 'host.toml');
    const runs = await Promise.all(
      Array.from({ length: 3 }, () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, file])),
    );
    const { token, endpoint } = parseConfig(await readFile(file, 'utf8'), file);
    expect(runs.map((run) => run.stdout)).toEqual(Array.from({ length: 3 }, () => `${token} ${endpoint.port}\n`));
  });

  it('closes a file that others can read, and says so once', async () => {
    const file = join(dir, 'host.toml');
    await writeFile(file, minimal, { mode: 0o600 });
    await chmod(file, 0o644);
    const { warnings } = await loadConfig(file);
    expect(warnings).toEqual([
      `${file} was open to other users (mode 0644); it is not any more. If somebody may have read it, run: heddle rotate`,
    ]);
    expect(await modeOf(file)).toBe(0o600);
    expect((await loadConfig(file)).warnings).toEqual([]);
  });

  it('warns of a folder in which others can replace the file', async () => {
    const file = join(dir, 'host.toml');
    await writeFile(file, minimal, { mode: 0o600 });
    await chmod(dir, 0o775);
    expect((await loadConfig(file)).warnings).toEqual([
      `other users can replace the files in ${dir} (mode 0775). Run: chmod go-w '${dir}'`,
    ]);
  });

  it('leaves a wrong file as it is', async () => {
    const file = join(dir, 'host.toml');
    await writeFile(file, 'token = 1\n');
    await chmod(file, 0o644);
    await expect(loadConfig(file)).rejects.toThrow(`${file}:1: "token" must be 64 hex digits, but is a number (not shown)`);
    expect(await readFile(file, 'utf8')).toBe('token = 1\n');
    expect(await modeOf(file)).toBe(0o644);
  });

  it('takes an empty file for an error, not for a missing one', async () => {
    const file = join(dir, 'host.toml');
    await writeFile(file, '', { mode: 0o600 });
    await expect(loadConfig(file)).rejects.toThrow('"token" is missing');
    expect(await readFile(file, 'utf8')).toBe('');
  });

  it('reads past a byte order mark, and refuses what is not UTF-8', async () => {
    const file = join(dir, 'host.toml');
    await writeFile(file, `\ufeff${minimal}`, { mode: 0o600 });
    expect((await loadConfig(file)).token).toBe(TOKEN);
    await writeFile(file, Buffer.from(`${minimal}# caf\u00e9`, 'latin1'));
    await expect(loadConfig(file)).rejects.toThrow(`${file} is not UTF-8 text`);
  });

  it('says what is in the way when the file can neither be read nor made', async () => {
    await writeFile(join(dir, 'plain'), '');
    await mkdir(join(dir, 'folder.toml'));
    await expect(loadConfig(join(dir, 'folder.toml'))).rejects.toThrow('EISDIR');
    const error = await loadConfig(join(dir, 'plain', 'host.toml')).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(HeddleError);
    expect(error).toMatchObject({ code: 'config_invalid', message: expect.stringContaining('ENOTDIR') });
  });
});

describe('replaceToken', () => {
  it('changes the token and not one other byte', async () => {
    const file = join(dir, 'host.toml');
    const before = `# mine\r\n\r\n  token   =  '${TOKEN}'   # keep "token" safe\r\n[endpoint]\r\nport = 41_234 # "${TOKEN}"\r\n`;
    await writeFile(file, before, { mode: 0o600 });
    const token = await replaceToken(file);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(await readFile(file, 'utf8')).toBe(before.replace(`'${TOKEN}'`, `"${token}"`));
    expect(await modeOf(file)).toBe(0o600);
    expect(await readdir(dir)).toEqual(['host.toml']);
    expect((await loadConfig(file)).token).toBe(token);
  });

  it('works on a file that it has made, and after characters of several code units', async () => {
    const file = join(dir, 'host.toml');
    const before = await loadConfig(file);
    await writeFile(file, `# 🧵 ${await readFile(file, 'utf8')}`);
    const token = await replaceToken(file);
    expect(await loadConfig(file)).toEqual({ ...before, token });
    expect(token).not.toBe(before.token);
  });

  it('keeps a symbolic link, and closes the file behind it', async () => {
    const file = join(dir, 'host.toml');
    await writeFile(join(dir, 'real.toml'), minimal);
    await symlink('real.toml', file);
    const token = await replaceToken(file);
    expect(await readFile(join(dir, 'real.toml'), 'utf8')).toBe(minimal.replace(TOKEN, token));
    expect((await readdir(dir, { withFileTypes: true })).find(({ name }) => name === 'host.toml')?.isSymbolicLink()).toBe(true);
    expect(await modeOf(join(dir, 'real.toml'))).toBe(0o600);
  });

  it('refuses a file without a token of its own', async () => {
    const file = join(dir, 'host.toml');
    await expect(replaceToken(file)).rejects.toThrow(`${file} is not there`);
    await writeFile(file, `[endpoint]\ntoken = "${TOKEN}"\n`);
    await expect(replaceToken(file)).rejects.toThrow('has no "token"');
    await writeFile(file, 'token = "');
    await expect(replaceToken(file)).rejects.toThrow(`${file}:1:`);
    expect(await readFile(file, 'utf8')).toBe('token = "');
  });
});
