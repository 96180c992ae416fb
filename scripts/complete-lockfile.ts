// Adds to package-lock.json the optional packages of other platforms that npm has left out of it. npm does so when the
// registry in use does not have them, and then `npm ci` refuses the lock file that `npm install` wrote. An entry made
// here has a version and a platform but no integrity: that is known only to who can fetch the package.
// Run it after `npm install`: node scripts/complete-lockfile.ts [folder of another lock file]

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

interface Entry {
  version?: string;
  optionalDependencies?: Record<string, string>;
  [key: string]: unknown;
}

const folder = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url));
const file = path.join(folder, 'package-lock.json');
const lock = JSON.parse(readFileSync(file, 'utf8')) as { packages: Record<string, Entry> };

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64'];

/** Platform packages are named for their platform: `…/binding-linux-x64-musl`. */
function platformOf(name: string): Entry {
  const words = name.split(/[/-]/).map((word) => (word === 'windows' ? 'win32' : word));
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  if (os.length === 0 && cpu.length === 0) throw new Error(`${name} names no platform: it can't be left out, so look why it is missing`);
  const isMusl = words.some((word) => word.startsWith('musl'));
  const libc = os.includes('linux') && (isMusl || words.some((word) => word.startsWith('gnu'))) ? [isMusl ? 'musl' : 'glibc'] : undefined;
  return { cpu: cpu.length === 0 ? undefined : cpu, os: os.length === 0 ? undefined : os, libc };
}

const added: string[] = [];
for (const [where, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const isThere = `${where}/node_modules/${name}` in lock.packages || `node_modules/${name}` in lock.packages;
    if (isThere || !/^\d/.test(version)) continue;
    lock.packages[`node_modules/${name}`] = { version, ...platformOf(name), ...(dev === true ? { dev } : {}), optional: true };
    added.push(name);
  }
}
const [root, ...others] = Object.entries(lock.packages);
lock.packages = Object.fromEntries([...(root === undefined ? [] : [root]), ...others.toSorted(([one], [other]) => (one < other ? -1 : 1))]);
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added.length} optional packages of other platforms added\n`);
