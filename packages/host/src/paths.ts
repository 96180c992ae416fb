// Owns where everything lies on this computer. It only names places; `ensurePrivateDir` makes and checks them.

import { createHash } from 'node:crypto';
import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { HeddleError } from '@heddle/wire';
import envPaths from 'env-paths';

export interface HostPaths {
  /** `host.toml` */
  configFile: string;
  /** What the daemon keeps between runs. */
  stateDir: string;
  /** `host.key` in the state folder. */
  keyFile: string;
  /** `devices.json` in the state folder. */
  devicesFile: string;
  /** `probe.key` in the state folder: the identity with which `heddle probe` acts as a device. */
  probeKeyFile: string;
  logDir: string;
  /** Where agents' private sockets go: a file name of 40 bytes still fits into a socket path. */
  runtimeDir: string;
  /** Path of a Unix socket, at most 103 bytes, or of a named pipe on Windows. */
  controlSocket: string;
}

/** `sun_path` holds 104 bytes on macOS (108 on Linux), one of them the NUL at the end. */
const MAX_SOCKET_PATH_BYTES = 103;
const SOCKET_NAME_BYTES = 40;
const CONTROL_SOCKET_NAME = 'control.sock';

/**
 * Names the files and folders of this user's daemon.
 *
 * `HEDDLE_HOME` and `XDG_RUNTIME_DIR` are taken from `env`; the places of each operating system come from
 * `env-paths`, which reads the process's own environment.
 * @throws HeddleError `config_invalid` when a variable names a relative path, which would mean another place for
 * each working directory.
 */
export function resolvePaths(env: NodeJS.ProcessEnv = process.env): HostPaths {
  const places = env['HEDDLE_HOME'] ? underOneDir(env['HEDDLE_HOME']) : systemPlaces();
  const [configDir, stateDir, logDir] = [places.configDir, places.stateDir, places.logDir].map(absolute) as [string, string, string];
  return {
    configFile: join(configDir, 'host.toml'),
    stateDir,
    keyFile: join(stateDir, 'host.key'),
    devicesFile: join(stateDir, 'devices.json'),
    probeKeyFile: join(stateDir, 'probe.key'),
    logDir,
    ...socketPlaces(stateDir, env['XDG_RUNTIME_DIR']),
  };
}

/** Also in one spelling: the socket's place depends on it. */
function absolute(dir: string): string {
  if (isAbsolute(dir)) return resolve(dir);
  throw new HeddleError('config_invalid', `heddle's files can't lie in "${dir}": the path must be absolute`, {
    hint: 'Look at HEDDLE_HOME, XDG_CONFIG_HOME and XDG_STATE_HOME in your environment.',
  });
}

interface Places {
  configDir: string;
  stateDir: string;
  logDir: string;
}

function underOneDir(dir: string): Places {
  return { configDir: dir, stateDir: dir, logDir: join(dir, 'logs') };
}

function systemPlaces(): Places {
  const places = envPaths('heddle', { suffix: '' });
  switch (process.platform) {
    case 'darwin':
      // ~/Library/Preferences, env-paths' place for configuration, is for property lists only.
      return { configDir: places.data, stateDir: places.data, logDir: places.log };
    case 'win32':
      return { configDir: places.config, stateDir: places.data, logDir: places.log };
    default:
      // env-paths' log folder is $XDG_STATE_HOME/heddle itself.
      return { configDir: places.config, stateDir: places.log, logDir: join(places.log, 'logs') };
  }
}

/**
 * The state folder comes first because it is the same for every process of a user: a login shell, a service and
 * `sudo -u` may each have another TMPDIR or XDG_RUNTIME_DIR.
 */
function socketPlaces(stateDir: string, xdgRuntimeDir: string | undefined): Pick<HostPaths, 'runtimeDir' | 'controlSocket'> {
  if (process.platform === 'win32') {
    const id = shortHash(`${stateDir}\n${userInfo().username}`, 16);
    return { runtimeDir: join(stateDir, 'run'), controlSocket: `\\\\.\\pipe\\heddle-${id}` };
  }
  const shared = [xdgRuntimeDir, tmpdir(), '/tmp'].filter((dir) => dir !== undefined && isAbsolute(dir)) as string[];
  const privateDirs = shared.map((dir) => join(dir, `heddle-${shortHash(stateDir, 8)}`));
  return {
    runtimeDir: firstWithRoom([join(stateDir, 'run'), ...privateDirs], SOCKET_NAME_BYTES),
    controlSocket: join(firstWithRoom([stateDir, ...privateDirs], CONTROL_SOCKET_NAME.length), CONTROL_SOCKET_NAME),
  };
}

function firstWithRoom(dirs: string[], nameBytes: number): string {
  // The last one is in /tmp and always fits.
  return dirs.find((dir) => Buffer.byteLength(dir) + 1 + nameBytes <= MAX_SOCKET_PATH_BYTES) ?? (dirs.at(-1) as string);
}

function shortHash(text: string, hexDigits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, hexDigits);
}
