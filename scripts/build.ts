// Bundles the command line with everything it needs into dist/: main.js, and heddle.js, which looks at Node's
// version before it loads the other. For Node 22.12 and later.

import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** Written for any Node that can read it: a too old one gets a sentence instead of a stack. */
const launcher = `#!/usr/bin/env node
const [major, minor] = process.versions.node.split('.').map(Number);
if (major > 22 || (major === 22 && minor >= 12)) {
  await import('./main.js');
} else {
  process.stderr.write('heddle: Node ' + process.versions.node + ' is too old; heddle needs Node 22.12 or later.\\n');
  process.exitCode = 1;
}
`;

/** Some of what is bundled is CommonJS and calls \`require\` for Node's own modules. */
const requireForCommonJs = `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);`;

/** Builds dist/ anew and returns the path of the file to run. */
export async function build(): Promise<string> {
  await rm(dist, { recursive: true, force: true });
  await bundle({
    entryPoints: [join(root, 'packages/cli/src/main.ts')],
    outfile: join(dist, 'main.js'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.12',
    banner: { js: requireForCommonJs },
    external: ['@lydell/node-pty'], // native, and not on every computer: it is loaded when a terminal is asked for
    legalComments: 'linked',
    logLevel: 'warning',
  });
  const bin = join(dist, 'heddle.js');
  await writeFile(bin, launcher);
  await chmod(bin, 0o755);
  return bin;
}

if (import.meta.main) await build();
